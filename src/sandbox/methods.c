/* SPDX-License-Identifier: MIT
 * All tables of methods. */
#include "sandbox/methods.h"

#include "sandbox/methods_world.h"

static const struct method_table *const tables[] = {
    &login_methods, &qr_login_methods, &authorizations_methods, &bots_methods,
    &bind_methods,  &password_methods, &password_email_methods, &settings_methods,
    &help_methods,  &langpack_methods, &difference_methods,     WORLD_METHOD_TABLES,
};

bool methods_by_symbol(const struct method *out[static COMBINATORS_N], uint16_t *twice)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct method *m = &tables[t]->methods[i];
            if (out[m->symbol]) {
                *twice = m->symbol;
                return false;
            }
            out[m->symbol] = m;
        }
    }
    return true;
}
