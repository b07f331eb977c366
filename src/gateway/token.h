/* SPDX-License-Identifier: MIT
 * The session string: struct session sealed with XChaCha20-Poly1305 under the gateway's keys, and
 * the foreign strings that are accepted in its place. */
#ifndef TGREST_GATEWAY_TOKEN_H
#define TGREST_GATEWAY_TOKEN_H

#include "base/random.h"
#include "gateway/session.h"

/* Several keys open, the first seals. Immutable once loaded; shared by threads. */
struct token_keys;

/* From the text of a key file: one base64 key of 32 bytes a line, '#' comments. NULL with `error`
 * (at least 256 bytes) saying why. */
struct token_keys *token_keys_parse(struct slice text, char *error, size_t error_size);
/* Reads the file; when it does not exist makes one with a fresh key, mode 0600. */
struct token_keys *token_keys_load(const char *path, char *error, size_t error_size);
void token_keys_free(struct token_keys *k); /* wipes */
/* Appends a fresh key as a line of a key file. */
void token_key_generate(struct buf *out);
/* Makes a key file, mode 0600; refuses (errno EEXIST) to touch one that is there. */
bool token_key_create(const char *path, char *error, size_t error_size);

enum token_status {
    TOKEN_OK,
    TOKEN_MALFORMED,   /* not a string of ours nor of a library we know */
    TOKEN_FORGED,      /* does not open: altered, truncated */
    TOKEN_UNKNOWN_KEY, /* sealed by a gateway with another key */
    TOKEN_UNSUPPORTED, /* a newer version than this program knows */
};

/* Opens our own or a foreign string (then SESSION_FOREIGN is set). On anything but TOKEN_OK *out is
 * all zeroes. *old_key (may be NULL) says that a key other than the first opened it: seal it anew.
 */
enum token_status token_open(const struct token_keys *k, struct digests *d, struct slice text,
                             struct session *out, bool *old_key)
    __attribute__((warn_unused_result));
/* Appends the sealed string (printable, prefix "tgr1."). */
void token_seal(const struct token_keys *k, struct rng *rng, const struct session *s,
                struct buf *out);

/* Short texts sealed for one purpose ("peer", "dialogs"): opaque refs and cursors, which hold
 * access hashes. At most TOKEN_SMALL_MAX bytes; appends url-safe base64 without a prefix. */
enum { TOKEN_SMALL_MAX = 160 };
void token_seal_bytes(const struct token_keys *k, struct rng *rng, const char *purpose,
                      struct slice payload, struct buf *out);
bool token_open_bytes(const struct token_keys *k, const char *purpose, struct slice text,
                      uint8_t out[static TOKEN_SMALL_MAX], size_t *out_len)
    __attribute__((warn_unused_result));

#endif
