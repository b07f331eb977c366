/* SPDX-License-Identifier: MIT
 * What clients ask when they start and the sandbox has none of: stickers, filters,
 * reactions. */
#include "sandbox/build.h"
#include "sandbox/input.h"
#include "sandbox/methods_world.h"

/* An object of the constructor with every vector empty and every number 0. */
static struct tl_object *empty_object(struct request *r, uint16_t symbol)
{
    struct tl_object *o = tl_new(&r->b, symbol);
    for (uint16_t i = 0; o && i < o->ctor->n_fields; i++) {
        const struct tl_field *f = &o->ctor->fields[i];
        if (f->flags_field >= 0)
            continue;
        if (f->type.kind == TL_VECTOR)
            o->fields[i] = tl_value_vec(tl_new_vec(&r->b));
        else if (f->type.kind == TL_INT || f->type.kind == TL_LONG)
            o->fields[i] = (struct tl_value){.i = 0, .kind = (uint8_t)f->type.kind};
    }
    return o;
}

static struct tl_value empty_vector(struct request *r)
{
    return tl_value_vec(tl_new_vec(&r->b));
}

/* One range of all messages: nothing here is so long that it would have to be fetched in parts. */
static struct tl_value split_ranges(struct request *r)
{
    struct tl_object *o = tl_new(&r->b, C_messageRange);
    tl_set_int(o, F_min_id, 1);
    tl_set_int(o, F_max_id, INT32_MAX);
    struct tl_vector *ranges = tl_new_vec(&r->b);
    tl_push_obj(&r->b, ranges, o);
    return tl_value_vec(ranges);
}

static struct tl_value keywords(struct request *r)
{
    struct tl_object *o = empty_object(r, C_emojiKeywordsDifference);
    tl_set_text(o, F_lang_code, tl_text(r->query, F_lang_code));
    return tl_value_obj(o);
}

static struct tl_value peer_settings(struct request *r)
{
    if (!input_peer(r, tl_obj(r->query, F_peer)))
        return refused();
    struct tl_object *o = empty_object(r, C_messages_peerSettings);
    tl_set_obj(o, F_settings, tl_new(&r->b, C_peerSettings));
    return tl_value_obj(o);
}

static struct tl_value no_messages(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    return peer ? tl_value_obj(empty_object(r, C_messages_messages)) : refused();
}

/* Methods that answer with an empty object whatever is asked. */
static const struct {
    uint16_t method, answer;
} empties[] = {
    {C_messages_getDialogFilters, C_messages_dialogFilters},
    {C_messages_getAllStickers, C_messages_allStickers},
    {C_messages_getMaskStickers, C_messages_allStickers},
    {C_messages_getEmojiStickers, C_messages_allStickers},
    {C_messages_getFavedStickers, C_messages_favedStickers},
    {C_messages_getRecentStickers, C_messages_recentStickers},
    {C_messages_getFeaturedStickers, C_messages_featuredStickers},
    {C_messages_getFeaturedEmojiStickers, C_messages_featuredStickers},
    {C_messages_getSavedGifs, C_messages_savedGifs},
    {C_messages_getAvailableReactions, C_messages_availableReactions},
    {C_messages_getRecentReactions, C_messages_reactions},
    {C_messages_getTopReactions, C_messages_reactions},
    {C_messages_getDefaultTagReactions, C_messages_reactions},
    {C_messages_getAttachMenuBots, C_attachMenuBots},
    {C_messages_getPinnedSavedDialogs, C_messages_savedDialogs},
    {C_messages_getSavedDialogs, C_messages_savedDialogs},
    {C_messages_getQuickReplies, C_messages_quickReplies},
    {C_messages_getEmojiGroups, C_messages_emojiGroups},
    {C_messages_getDefaultHistoryTTL, C_defaultHistoryTTL},
    {C_contacts_getTopPeers, C_contacts_topPeers},
};

static struct tl_value empty(struct request *r)
{
    for (size_t i = 0; i < sizeof empties / sizeof *empties; i++)
        if (tl_is(r->query, empties[i].method))
            return tl_value_obj(empty_object(r, empties[i].answer));
    return fail(r, 500, "INTERNAL_SERVER_ERROR"); /* a row is missing above */
}

static const struct method methods[] = {
    {C_messages_getDialogFilters, 0, empty},
    {C_messages_getSuggestedDialogFilters, 0, empty_vector},
    {C_messages_getAllStickers, 0, empty},
    {C_messages_getMaskStickers, 0, empty},
    {C_messages_getEmojiStickers, 0, empty},
    {C_messages_getFavedStickers, 0, empty},
    {C_messages_getRecentStickers, 0, empty},
    {C_messages_getFeaturedStickers, 0, empty},
    {C_messages_getFeaturedEmojiStickers, 0, empty},
    {C_messages_getSavedGifs, 0, empty},
    {C_messages_getAvailableReactions, 0, empty},
    {C_messages_getRecentReactions, 0, empty},
    {C_messages_getTopReactions, 0, empty},
    {C_messages_getDefaultTagReactions, 0, empty},
    {C_messages_getAttachMenuBots, 0, empty},
    {C_messages_getPinnedSavedDialogs, 0, empty},
    {C_messages_getSavedDialogs, 0, empty},
    {C_messages_getQuickReplies, 0, empty},
    {C_messages_getEmojiGroups, 0, empty},
    {C_messages_getEmojiKeywords, 0, keywords},
    {C_messages_getEmojiKeywordsDifference, 0, keywords},
    {C_messages_getEmojiKeywordsLanguages, 0, empty_vector},
    {C_messages_getDefaultHistoryTTL, 0, empty},
    {C_messages_getSplitRanges, 0, split_ranges},
    {C_messages_getPeerSettings, 0, peer_settings},
    {C_messages_getUnreadMentions, 0, no_messages},
    {C_messages_getUnreadReactions, 0, no_messages},
    {C_contacts_getTopPeers, 0, empty},
};
const struct method_table startup_methods = {methods, sizeof methods / sizeof *methods};
