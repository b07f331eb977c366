/* SPDX-License-Identifier: MIT
 * Which worker owns an auth key. Telegram kills a key that is used from two connections at once, so
 * all calls of a key run on one worker for as long as anybody holds a claim on it. */
#ifndef TGREST_GATEWAY_OWNERS_H
#define TGREST_GATEWAY_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct owners; /* shared by threads */

struct owners *owners_new(void); /* NULL without memory */
void owners_free(struct owners *o);

/* Claims the key for `worker`, or for whoever owns it already: returns the owner. Each claim is
 * released once. Returns -1 without memory (nothing is claimed). */
int owners_claim(struct owners *o, uint64_t auth_key_id, int worker);
/* The last release forgets the owner. */
void owners_release(struct owners *o, uint64_t auth_key_id);
/* Keys that are owned now. */
size_t owners_count(struct owners *o);

#endif
