/* SPDX-License-Identifier: MIT
 * The part of names.h that chats, messages, dialogs, contacts and history use. A name that names.h
 * lists already is not listed again. */
#ifndef TGREST_SANDBOX_NAMES_WORLD_H
#define TGREST_SANDBOX_NAMES_WORLD_H

#define WORLD_COMBINATORS(X)                                                                       \
    X(messages_sendMessage)                                                                        \
    X(message)                                                                                     \
    X(user)                                                                                        \
    X(channel)                                                                                     \
    X(chat)                                                                                        \
    X(peerUser)                                                                                    \
    X(peerChat)                                                                                    \
    X(peerChannel)                                                                                 \
    X(peerNotifySettings)                                                                          \
    X(userStatusOnline)                                                                            \
    X(userStatusOffline)                                                                           \
    X(updateNewMessage)                                                                            \
    X(updateNewChannelMessage)

#define WORLD_FIELDS(X)                                                                            \
    X(random_id)                                                                                   \
    X(access_hash)

#endif
