/* SPDX-License-Identifier: MIT
 * auth.bindTempAuthKey and dropTempAuthKeys. https://core.telegram.org/method/auth.bindTempAuthKey
 */
#include <sodium.h>

#include "sandbox/state.h"
#include "sandbox/methods.h"

enum {
    /* random 16, msg_id 8, seq_no 4, length 4; then bind_auth_key_inner: id, four longs, an int */
    INNER_BYTES = 40,
    INNER_HEADER_BYTES = 32,
    INNER_PADDED_BYTES = 80,
    OUTER_BYTES = 8 + MSG_KEY_BYTES + INNER_PADDED_BYTES,
};
#define ID_BIND_AUTH_KEY_INNER 0x75a3f765u

struct bind_inner {
    uint64_t msg_id;
    uint64_t nonce;
    uint64_t temp_key_id;
    uint64_t perm_key_id;
    uint64_t session_id;
    int32_t expires_at;
};

/* Opens the MTProto 1.0 message that only who has the permanent key can have made. */
static bool open_inner(struct digests *d, const struct auth_key *perm, struct slice sealed,
                       struct bind_inner *out)
{
    if (sealed.len != OUTER_BYTES || load_le64(sealed.data) != perm->id)
        return false;
    const uint8_t *msg_key = sealed.data + 8;
    uint8_t key[32], iv[32], plain[INNER_PADDED_BYTES], expected[MSG_KEY_BYTES];
    kdf1_aes(d, perm->key, false, msg_key, key, iv);
    aes_ige_decrypt(key, iv, sealed.data + 8 + MSG_KEY_BYTES, plain, sizeof plain);
    kdf1_msg_key(d, slice_of(plain, INNER_HEADER_BYTES + INNER_BYTES), expected);
    sodium_memzero(key, sizeof key);
    struct tl_reader r = tl_reader_of(slice_of(plain + 16, INNER_HEADER_BYTES - 16 + INNER_BYTES));
    out->msg_id = tl_read_u64(&r);
    uint32_t seq_no = tl_read_u32(&r);
    bool ok = sodium_memcmp(expected, msg_key, MSG_KEY_BYTES) == 0 && seq_no == 0 &&
              tl_read_u32(&r) == INNER_BYTES && tl_read_u32(&r) == ID_BIND_AUTH_KEY_INNER;
    out->nonce = tl_read_u64(&r);
    out->temp_key_id = tl_read_u64(&r);
    out->perm_key_id = tl_read_u64(&r);
    out->session_id = tl_read_u64(&r);
    out->expires_at = tl_read_i32(&r);
    return ok && !r.error;
}

static struct tl_value bind_temp(struct request *r)
{
    struct sandbox *s = r->sandbox;
    struct authorization *temp = r->session->auth;
    uint64_t perm_id = (uint64_t)tl_int(r->query, F_perm_auth_key_id);
    struct authorization *perm = key_find(s, perm_id, temp->dc);
    struct bind_inner inner;
    if (!temp->expires_s)
        return fail(r, 400, "TEMP_AUTH_KEY_EMPTY");
    if (!perm || perm->expires_s)
        return fail(r, 400, "ENCRYPTED_MESSAGE_INVALID");
    if (temp->perm && temp->perm != perm)
        return fail(r, 400, "TEMP_AUTH_KEY_ALREADY_BOUND");
    if (!open_inner(s->digests, &perm->key, tl_text(r->query, F_encrypted_message), &inner) ||
        inner.msg_id != r->msg_id || inner.nonce != (uint64_t)tl_int(r->query, F_nonce) ||
        inner.temp_key_id != temp->key.id || inner.perm_key_id != perm->key.id ||
        inner.session_id != r->session->id ||
        inner.expires_at != (int32_t)tl_int(r->query, F_expires_at))
        return fail(r, 400, "ENCRYPTED_MESSAGE_INVALID");
    if (inner.expires_at <= r->now_s)
        return fail(r, 400, "EXPIRES_AT_INVALID");
    temp->expires_s = inner.expires_at;
    key_bind(temp, perm);
    return tl_value_bool(true);
}

static bool is_excepted(const struct request *r, uint64_t key_id)
{
    for (uint32_t i = 0; i < tl_count(r->query, F_except_auth_keys); i++)
        if ((uint64_t)tl_item(r->query, F_except_auth_keys, i)->i == key_id)
            return true;
    return false;
}

static struct tl_value drop_temps(struct request *r)
{
    for (struct authorization *temp = r->auth->temps, *next; temp; temp = next) {
        next = temp->next_temp;
        if (temp != r->session->auth && !is_excepted(r, temp->key.id))
            key_destroy(r->sandbox, temp);
    }
    return tl_value_bool(true);
}

static const struct method methods[] = {
    {C_auth_bindTempAuthKey, METHOD_OPEN, bind_temp},
    {C_auth_dropTempAuthKeys, METHOD_OPEN, drop_temps},
};

const struct method_table bind_methods = {methods, sizeof methods / sizeof *methods};
