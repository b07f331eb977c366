/* SPDX-License-Identifier: MIT
 * langpack.*: one language, English, without strings of its own: clients show their built-in ones.
 */
#include "sandbox/login.h"
#include "sandbox/methods.h"

enum { PACK_VERSION = 1 };

static bool is_english(struct request *r)
{
    struct slice code = tl_text(r->query, F_lang_code);
    if (code.len == 0 || slice_starts_with(code, "en"))
        return true;
    fail(r, 400, "LANG_CODE_NOT_SUPPORTED");
    return false;
}

static struct tl_object *english(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_langPackLanguage);
    tl_set_bool(o, F_official, true);
    tl_set_str(o, F_name, "English");
    tl_set_str(o, F_native_name, "English");
    tl_set_str(o, F_lang_code, "en");
    tl_set_str(o, F_plural_code, "en");
    tl_set_int(o, F_strings_count, 0);
    tl_set_int(o, F_translated_count, 0);
    tl_set_str(o, F_translations_url, "");
    return o;
}

static struct tl_value get_languages(struct request *r)
{
    struct tl_vector *vec = tl_new_vec(&r->b);
    tl_push_obj(&r->b, vec, english(r));
    return tl_value_vec(vec);
}

static struct tl_value get_language(struct request *r)
{
    return is_english(r) ? tl_value_obj(english(r)) : fail(r, r->error_code, r->error_text);
}

static struct tl_value get_pack(struct request *r)
{
    if (!is_english(r))
        return fail(r, r->error_code, r->error_text);
    struct tl_object *o = tl_new(&r->b, C_langPackDifference);
    tl_set_str(o, F_lang_code, "en");
    tl_set_int(o, F_from_version, tl_int(r->query, F_from_version));
    tl_set_int(o, F_version, PACK_VERSION);
    tl_set_vec(&r->b, o, F_strings);
    return tl_value_obj(o);
}

static struct tl_value get_strings(struct request *r)
{
    return is_english(r) ? tl_value_vec(tl_new_vec(&r->b)) : fail(r, r->error_code, r->error_text);
}

static const struct method methods[] = {
    {C_langpack_getLanguages, METHOD_OPEN, get_languages},
    {C_langpack_getLanguage, METHOD_OPEN, get_language},
    {C_langpack_getLangPack, METHOD_OPEN, get_pack},
    {C_langpack_getDifference, METHOD_OPEN, get_pack},
    {C_langpack_getStrings, METHOD_OPEN, get_strings},
};

const struct method_table langpack_methods = {methods, sizeof methods / sizeof *methods};
