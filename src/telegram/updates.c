/* SPDX-License-Identifier: MIT
 * What the Updates that a sending method answers say about the message. */
#include "telegram/messages.h"

static uint32_t updates_count(const struct tl_object *updates)
{
    return tl_is(updates, C_updateShort) ? 1 : tl_count(updates, F_updates);
}

static const struct tl_object *update_at(const struct tl_object *updates, uint32_t index)
{
    return tl_is(updates, C_updateShort) ? tl_obj(updates, F_update)
                                         : tl_item_obj(updates, F_updates, index);
}

/* The message of an update if that is one of these kinds. */
static const struct tl_object *message_of(const struct tl_object *update, const uint16_t *kinds,
                                          size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tl_is(update, kinds[i]))
            return tl_obj(update, F_message);
    return NULL;
}

static const struct tl_object *find_message(const struct tl_object *updates, int32_t id,
                                            const uint16_t *kinds, size_t n)
{
    for (uint32_t i = 0; i < updates_count(updates); i++) {
        const struct tl_object *message = message_of(update_at(updates, i), kinds, n);
        if (message && message_id_of(message) == id)
            return message;
    }
    return NULL;
}

/* The id that updateMessageID ties to random_id; 0 if there is none. */
static int32_t id_of_random(const struct tl_object *updates, int64_t random_id)
{
    for (uint32_t i = 0; i < updates_count(updates); i++) {
        const struct tl_object *update = update_at(updates, i);
        if (tl_is(update, C_updateMessageID) && tl_int(update, F_random_id) == random_id)
            return (int32_t)tl_int(update, F_id);
    }
    return 0;
}

bool updates_find_sent(const struct tl_object *updates, int64_t random_id, struct sent_message *out)
{
    static const uint16_t kinds[] = {C_updateNewMessage, C_updateNewChannelMessage,
                                     C_updateNewScheduledMessage};
    *out = (struct sent_message){0};
    bool is_short = tl_is(updates, C_updateShortSentMessage) ||
                    tl_is(updates, C_updateShortMessage) ||
                    tl_is(updates, C_updateShortChatMessage);
    out->id = is_short ? (int32_t)tl_int(updates, F_id) : id_of_random(updates, random_id);
    if (out->id == 0)
        return false;
    out->message = find_message(updates, out->id, kinds, sizeof kinds / sizeof *kinds);
    out->date = tl_int(out->message ? out->message : updates, F_date);
    return true;
}

bool updates_find_edited(const struct tl_object *updates, int32_t message_id,
                         struct sent_message *out)
{
    static const uint16_t kinds[] = {C_updateEditMessage, C_updateEditChannelMessage};
    *out = (struct sent_message){0};
    const struct tl_object *message =
        find_message(updates, message_id, kinds, sizeof kinds / sizeof *kinds);
    if (!message)
        return false;
    int64_t edited = tl_int(message, F_edit_date);
    *out = (struct sent_message){message_id, edited ? edited : tl_int(message, F_date), message};
    return true;
}

const struct tl_object *updates_first_chat(const struct tl_object *updates)
{
    for (uint32_t i = 0; i < tl_count(updates, F_chats); i++) {
        const struct tl_object *chat = tl_item_obj(updates, F_chats, i);
        if (tl_is(chat, C_chat) || tl_is(chat, C_channel))
            return chat;
    }
    return NULL;
}
