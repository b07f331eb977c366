/* SPDX-License-Identifier: MIT
 * The tables of methods about users, chats, messages and dialogs. */
#ifndef TGREST_SANDBOX_METHODS_WORLD_H
#define TGREST_SANDBOX_METHODS_WORLD_H

#include "sandbox/handler.h"

extern const struct method_table users_methods;
extern const struct method_table contacts_methods;
extern const struct method_table
    groups_methods; /* messages.*: basic groups, and what all chats share */
extern const struct method_table channels_methods;
extern const struct method_table members_methods; /* channels.*: joining, members, rights */
extern const struct method_table invites_methods;
extern const struct method_table send_methods;
extern const struct method_table edit_methods; /* edit, delete, pin */
extern const struct method_table history_methods;
extern const struct method_table upload_methods;   /* parts of files coming in */
extern const struct method_table download_methods; /* and going out */
extern const struct method_table media_methods;    /* messages.uploadMedia, sendMultiMedia */
extern const struct method_table photos_methods;   /* the pictures of users and chats */
extern const struct method_table scheduled_methods;
extern const struct method_table read_methods; /* read state, typing */
extern const struct method_table dialogs_methods;
extern const struct method_table drafts_methods;
extern const struct method_table
    startup_methods; /* what clients ask when they start: true, mostly empty */

#define WORLD_METHOD_TABLES                                                                        \
    &users_methods, &contacts_methods, &groups_methods, &channels_methods, &members_methods,       \
        &invites_methods, &send_methods, &edit_methods, &history_methods, &read_methods,           \
        &upload_methods, &download_methods, &media_methods, &photos_methods, &scheduled_methods,   \
        &dialogs_methods, &drafts_methods, &startup_methods

#endif
