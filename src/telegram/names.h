/* SPDX-License-Identifier: MIT
 * What telegram/ and gateway/ name of the schema: one list of combinators, one of fields. Each
 * entry becomes a symbol (C_messages_sendMessage, F_random_id) that tl_schema_bind ties to the
 * loaded schema. */
#ifndef TGREST_TELEGRAM_NAMES_H
#define TGREST_TELEGRAM_NAMES_H

#include "tl/schema.h"

/* clang-format off */
/* '_' stands for the '.' after a namespace. One per line, grouped by purpose. */
#define TELEGRAM_COMBINATORS(X) \
    /* Wrappers */                                                       \
    X(invokeWithLayer)                                                   \
    X(initConnection)                                                    \
    X(invokeWithoutUpdates)                                              \
    X(help_getConfig)                                                    \
    /* Login */                                                          \
    X(auth_sendCode)                                                     \
    X(auth_signIn)                                                       \
    X(auth_signUp)                                                       \
    X(auth_checkPassword)                                                \
    X(auth_logOut)                                                       \
    X(auth_resendCode)                                                   \
    X(auth_cancelCode)                                                   \
    X(auth_importBotAuthorization)                                       \
    X(auth_exportLoginToken)                                             \
    X(auth_importLoginToken)                                             \
    X(auth_requestPasswordRecovery)                                      \
    X(auth_recoverPassword)                                              \
    X(auth_resetAuthorizations)                                          \
    X(auth_sentCode)                                                     \
    X(auth_sentCodeSuccess)                                              \
    X(auth_sentCodePaymentRequired)                                      \
    X(auth_sentCodeTypeApp)                                              \
    X(auth_sentCodeTypeSms)                                              \
    X(auth_sentCodeTypeCall)                                             \
    X(auth_sentCodeTypeFlashCall)                                        \
    X(auth_sentCodeTypeMissedCall)                                       \
    X(auth_sentCodeTypeEmailCode)                                        \
    X(auth_sentCodeTypeSetUpEmailRequired)                               \
    X(auth_sentCodeTypeFragmentSms)                                      \
    X(auth_sentCodeTypeFirebaseSms)                                      \
    X(auth_sentCodeTypeSmsWord)                                          \
    X(auth_sentCodeTypeSmsPhrase)                                        \
    X(auth_authorization)                                                \
    X(auth_authorizationSignUpRequired)                                  \
    X(auth_loginToken)                                                   \
    X(auth_loginTokenMigrateTo)                                          \
    X(auth_loginTokenSuccess)                                            \
    X(codeSettings)                                                      \
    X(account_getPassword)                                               \
    X(account_password)                                                  \
    X(account_updatePasswordSettings)                                    \
    X(account_passwordInputSettings)                                     \
    X(account_confirmPasswordEmail)                                      \
    X(account_resendPasswordEmail)                                       \
    X(account_cancelPasswordEmail)                                       \
    X(account_getAuthorizations)                                         \
    X(account_resetAuthorization)                                        \
    X(inputCheckPasswordEmpty)                                           \
    X(inputCheckPasswordSRP)                                             \
    X(passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow) \
    /* Users and contacts */                                             \
    X(users_getUsers)                                                    \
    X(users_getFullUser)                                                 \
    X(user)                                                              \
    X(userEmpty)                                                         \
    X(contacts_resolveUsername)                                          \
    X(contacts_resolvePhone)                                             \
    X(contacts_getContacts)                                              \
    /* Peers */                                                          \
    X(peerUser)                                                          \
    X(peerChat)                                                          \
    X(peerChannel)                                                       \
    X(inputPeerEmpty)                                                    \
    X(inputPeerSelf)                                                     \
    X(inputPeerUser)                                                     \
    X(inputPeerChat)                                                     \
    X(inputPeerChannel)                                                  \
    X(inputPeerUserFromMessage)                                          \
    X(inputPeerChannelFromMessage)                                       \
    X(inputUserSelf)                                                     \
    X(inputUser)                                                         \
    X(inputUserFromMessage)                                              \
    X(inputChannel)                                                      \
    X(inputChannelFromMessage)                                           \
    /* Chats */                                                          \
    X(chat)                                                              \
    X(chatEmpty)                                                         \
    X(chatForbidden)                                                     \
    X(channel)                                                           \
    X(channelForbidden)                                                  \
    X(messages_getFullChat)                                              \
    X(messages_importChatInvite)                                         \
    X(messages_checkChatInvite)                                          \
    X(messages_chatInviteJoinResultOk)                                   \
    X(messages_chatInviteJoinResultWebView)                              \
    X(chatInviteAlready)                                                 \
    X(chatInvitePeek)                                                    \
    X(channels_getFullChannel)                                           \
    X(channels_joinChannel)                                              \
    /* Dialogs */                                                        \
    X(messages_getDialogs)                                               \
    X(messages_dialogs)                                                  \
    X(messages_dialogsSlice)                                             \
    X(dialog)                                                            \
    /* Messages */                                                       \
    X(messages_getHistory)                                               \
    X(messages_search)                                                   \
    X(messages_searchGlobal)                                             \
    X(messages_getMessages)                                              \
    X(channels_getMessages)                                              \
    X(messages_sendMessage)                                              \
    X(messages_editMessage)                                              \
    X(messages_deleteMessages)                                           \
    X(channels_deleteMessages)                                           \
    X(messages_forwardMessages)                                          \
    X(messages_sendMedia)                                                \
    X(messages_uploadMedia)                                              \
    X(messages_sendMultiMedia)                                           \
    X(messages_messages)                                                 \
    X(messages_messagesSlice)                                            \
    X(messages_channelMessages)                                          \
    X(message)                                                           \
    X(messageService)                                                    \
    X(inputMessageID)                                                    \
    X(inputReplyToMessage)                                               \
    X(inputMessagesFilterEmpty)                                          \
    /* Entities */                                                       \
    X(messageEntityUnknown)                                              \
    X(messageEntityMention)                                              \
    X(messageEntityHashtag)                                              \
    X(messageEntityCashtag)                                              \
    X(messageEntityBotCommand)                                           \
    X(messageEntityUrl)                                                  \
    X(messageEntityEmail)                                                \
    X(messageEntityPhone)                                                \
    X(messageEntityBankCard)                                             \
    X(messageEntityBold)                                                 \
    X(messageEntityItalic)                                               \
    X(messageEntityUnderline)                                            \
    X(messageEntityStrike)                                               \
    X(messageEntitySpoiler)                                              \
    X(messageEntityCode)                                                 \
    X(messageEntityPre)                                                  \
    X(messageEntityBlockquote)                                           \
    X(messageEntityTextUrl)                                              \
    X(messageEntityMentionName)                                          \
    X(inputMessageEntityMentionName)                                     \
    X(messageEntityCustomEmoji)                                          \
    /* Media */                                                          \
    X(messageMediaPhoto)                                                 \
    X(messageMediaDocument)                                              \
    X(messageMediaGeo)                                                   \
    X(messageMediaGeoLive)                                               \
    X(messageMediaContact)                                               \
    X(messageMediaVenue)                                                 \
    X(messageMediaPoll)                                                  \
    X(messageMediaDice)                                                  \
    X(messageMediaWebPage)                                               \
    X(document)                                                          \
    X(documentAttributeAnimated)                                         \
    X(documentAttributeAudio)                                            \
    X(documentAttributeFilename)                                         \
    X(documentAttributeImageSize)                                        \
    X(documentAttributeSticker)                                          \
    X(documentAttributeVideo)                                            \
    X(documentAttributeCustomEmoji)                                      \
    X(webPageEmpty)                                                      \
    X(messageMediaGame)                                                  \
    X(messageActionChatEditPhoto)                                        \
    X(photo)                                                             \
    X(photoSize)                                                         \
    X(photoSizeProgressive)                                              \
    X(photoCachedSize)                                                   \
    X(photoStrippedSize)                                                 \
    X(videoSize)                                                         \
    X(inputPhoto)                                                        \
    X(inputDocument)                                                     \
    X(inputMediaPhoto)                                                   \
    X(inputMediaDocument)                                                \
    X(inputMediaUploadedPhoto)                                           \
    X(inputMediaUploadedDocument)                                        \
    X(inputSingleMedia)                                                  \
    X(inputDocumentFileLocation)                                         \
    X(inputPhotoFileLocation)                                            \
    X(inputPeerPhotoFileLocation)                                        \
    X(userProfilePhoto)                                                  \
    X(chatPhoto)                                                         \
    /* Files */                                                          \
    X(upload_saveFilePart)                                               \
    X(upload_saveBigFilePart)                                            \
    X(upload_getFile)                                                    \
    X(upload_file)                                                       \
    X(inputFile)                                                         \
    X(inputFileBig)                                                      \
    /* Data centres */                                                   \
    X(auth_exportAuthorization)                                          \
    X(auth_importAuthorization)                                          \
    X(help_getAppConfig)                                                 \
    /* Service actions */                                                \
    X(messageActionCustomAction)                                         \
    /* Updates */                                                        \
    X(updateShort)                                                       \
    X(updateShortMessage)                                                \
    X(updateShortChatMessage)                                            \
    X(updateShortSentMessage)                                            \
    X(updateMessageID)                                                   \
    X(updateNewMessage)                                                  \
    X(updateNewChannelMessage)                                           \
    X(updateNewScheduledMessage)                                         \
    X(updateEditMessage)                                                 \
    X(updateEditChannelMessage)

/* Alphabetical (case aside), one per line. */
#define TELEGRAM_FIELDS(X) \
    X(A)                       \
    X(about)                   \
    X(access_hash)             \
    X(action)                  \
    X(active)                  \
    X(add_offset)              \
    X(api_hash)                \
    X(api_id)                  \
    X(app_name)                \
    X(app_version)             \
    X(attributes)              \
    X(authorization)           \
    X(authorizations)          \
    X(big)                     \
    X(bot)                     \
    X(bot_auth_token)          \
    X(broadcast)               \
    X(bytes)                   \
    X(cdn)                     \
    X(channel)                 \
    X(channel_id)              \
    X(channel_post)            \
    X(chat)                    \
    X(chat_id)                 \
    X(chats)                   \
    X(code)                    \
    X(collapsed)               \
    X(config)                  \
    X(count)                   \
    X(country)                 \
    X(current)                 \
    X(current_algo)            \
    X(date)                    \
    X(date_active)             \
    X(date_created)            \
    X(dc_id)                   \
    X(dc_options)              \
    X(deleted)                 \
    X(device_model)            \
    X(dialogs)                 \
    X(document)                \
    X(document_id)             \
    X(duration)                \
    X(edit_date)               \
    X(email)                   \
    X(email_pattern)           \
    X(email_unconfirmed_pattern)\
    X(entities)                \
    X(except_ids)              \
    X(exclude_pinned)          \
    X(expires)                 \
    X(file)                    \
    X(file_id)                 \
    X(file_name)               \
    X(file_part)               \
    X(file_reference)          \
    X(file_total_parts)        \
    X(filter)                  \
    X(first_name)              \
    X(flags)                   \
    X(folder_id)               \
    X(force_file)              \
    X(forwards)                \
    X(from_id)                 \
    X(from_name)               \
    X(from_peer)               \
    X(full_chat)               \
    X(full_user)               \
    X(future_auth_token)       \
    X(fwd_from)                \
    X(g)                       \
    X(game)                    \
    X(grouped_id)              \
    X(h)                       \
    X(has_password)            \
    X(has_recovery)            \
    X(hash)                    \
    X(hint)                    \
    X(id)                      \
    X(inexact)                 \
    X(ip)                      \
    X(ip_address)              \
    X(ipv6)                    \
    X(key)                     \
    X(lang_code)               \
    X(lang_pack)               \
    X(language)                \
    X(last_name)               \
    X(left)                    \
    X(length)                  \
    X(limit)                   \
    X(location)                \
    X(logout_tokens)           \
    X(M1)                      \
    X(max_date)                \
    X(max_id)                  \
    X(md5_checksum)            \
    X(media)                   \
    X(media_only)              \
    X(message)                 \
    X(messages)                \
    X(migrated_to)             \
    X(mime_type)               \
    X(min)                     \
    X(min_date)                \
    X(min_id)                  \
    X(msg_id)                  \
    X(multi_media)             \
    X(name)                    \
    X(new_algo)                \
    X(new_password_hash)       \
    X(new_settings)            \
    X(no_webpage)              \
    X(nosound_video)           \
    X(official_app)            \
    X(offset)                  \
    X(offset_date)             \
    X(offset_id)               \
    X(offset_id_offset)        \
    X(offset_peer)             \
    X(out)                     \
    X(p)                       \
    X(participants)            \
    X(participants_count)      \
    X(parts)                   \
    X(password)                \
    X(password_pending)        \
    X(peer)                    \
    X(peer_id)                 \
    X(pending_reset_date)      \
    X(performer)               \
    X(phone)                   \
    X(phone_code)              \
    X(phone_code_hash)         \
    X(phone_number)            \
    X(photo)                   \
    X(photo_id)                \
    X(pinned)                  \
    X(platform)                \
    X(port)                    \
    X(post_author)             \
    X(precise)                 \
    X(premium)                 \
    X(pts_count)               \
    X(q)                       \
    X(query)                   \
    X(random_id)               \
    X(region)                  \
    X(reply_to)                \
    X(reply_to_msg_id)         \
    X(revoke)                  \
    X(round)                   \
    X(round_message)           \
    X(salt1)                   \
    X(salt2)                   \
    X(schedule_date)           \
    X(secret)                  \
    X(self)                    \
    X(settings)                \
    X(silent)                  \
    X(size)                    \
    X(sizes)                   \
    X(spoiler)                 \
    X(srp_B)                   \
    X(srp_id)                  \
    X(supports_streaming)      \
    X(system_lang_code)        \
    X(system_version)          \
    X(tcpo_only)               \
    X(thumb)                   \
    X(thumb_size)              \
    X(thumbs)                  \
    X(timeout)                 \
    X(title)                   \
    X(to_peer)                 \
    X(token)                   \
    X(top_message)             \
    X(type)                    \
    X(unconfirmed)             \
    X(unread_count)            \
    X(unread_mark)             \
    X(unread_mentions_count)   \
    X(update)                  \
    X(updates)                 \
    X(url)                     \
    X(user)                    \
    X(user_id)                 \
    X(username)                \
    X(usernames)               \
    X(users)                   \
    X(value)                   \
    X(verified)                \
    X(video)                   \
    X(video_thumbs)            \
    X(views)                   \
    X(voice)                   \
    X(w)                       \
    X(webpage)

enum telegram_combinator {
#define X(name) C_##name,
    TELEGRAM_COMBINATORS(X)
#undef X
    TELEGRAM_COMBINATOR_COUNT
};

enum telegram_field {
#define X(name) F_##name,
    TELEGRAM_FIELDS(X)
#undef X
    TELEGRAM_FIELD_COUNT
};
/* clang-format on */

/* For tl_schema_bind; static, so it outlives every schema. */
extern const struct tl_names telegram_names;

#endif
