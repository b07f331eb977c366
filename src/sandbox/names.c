/* SPDX-License-Identifier: MIT
 * The texts of names.h, in the order of its symbols. */
#include "sandbox/names.h"

#define X(name) #name,
static const char *const combinators[] = {CORE_COMBINATORS(X) LOGIN_COMBINATORS(X)
                                              WORLD_COMBINATORS(X)};
static const char *const fields[] = {CORE_FIELDS(X) LOGIN_FIELDS(X) WORLD_FIELDS(X)};
#undef X

/* Telegram takes a peer where a user or a channel is due, and Pyrogram and its forks send nothing
 * else. */
static const struct tl_pass passes[] = {
    {C_inputPeerSelf, C_inputUserSelf},
    {C_inputPeerUser, C_inputUser},
    {C_inputPeerUserFromMessage, C_inputUserFromMessage},
    {C_inputPeerChannel, C_inputChannel},
    {C_inputPeerChannelFromMessage, C_inputChannelFromMessage},
};

const struct tl_names sandbox_names = {
    combinators, COMBINATORS_N, fields, FIELDS_N, passes, sizeof passes / sizeof *passes,
};
