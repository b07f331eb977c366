/* SPDX-License-Identifier: MIT
 * What clients ask when they start and the sandbox has none of: stickers, drafts, filters, reactions,
 * stories. One row each: the method, what it answers, how that is filled. */
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
            o->fields[i] = (struct tl_value){.i = 0, .kind = f->type.kind};
    }
    return o;
}

static struct tl_value empty_vector(struct request *r)
{
    return tl_value_vec(tl_new_vec(&r->b));
}

static struct tl_value no_drafts(struct request *r)
{
    struct peers peers = {0};
    return tl_value_obj(build_updates(r, &peers, NULL));
}

static struct tl_value save_draft(struct request *r)
{
    return input_peer(r, tl_obj(r->query, F_peer)) ? answer_true() : refused();
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

static struct tl_value user_photos(struct request *r)
{
    return input_user(r, tl_obj(r->query, F_user_id)) ? tl_value_obj(empty_object(r, C_photos_photos)) : refused();
}

static struct tl_value no_messages(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    return peer ? tl_value_obj(empty_object(r, C_messages_messages)) : refused();
}

#define EMPTY(name, constructor)                                                                   \
    static struct tl_value name(struct request *r)                                                 \
    {                                                                                              \
        return tl_value_obj(empty_object(r, constructor));                                         \
    }
EMPTY(dialog_filters, C_messages_dialogFilters)
EMPTY(all_stickers, C_messages_allStickers)
EMPTY(faved_stickers, C_messages_favedStickers)
EMPTY(recent_stickers, C_messages_recentStickers)
EMPTY(featured_stickers, C_messages_featuredStickers)
EMPTY(saved_gifs, C_messages_savedGifs)
EMPTY(available_reactions, C_messages_availableReactions)
EMPTY(reactions, C_messages_reactions)
EMPTY(attach_menu_bots, C_attachMenuBots)
EMPTY(saved_dialogs, C_messages_savedDialogs)
EMPTY(quick_replies, C_messages_quickReplies)
EMPTY(top_peers, C_contacts_topPeers)
EMPTY(emoji_groups, C_messages_emojiGroups)
EMPTY(history_ttl, C_defaultHistoryTTL)

static const struct method methods[] = {
    {C_messages_getDialogFilters, 0, dialog_filters},
    {C_messages_getSuggestedDialogFilters, 0, empty_vector},
    {C_messages_getAllDrafts, 0, no_drafts},
    {C_messages_saveDraft, 0, save_draft},
    {C_messages_getAllStickers, 0, all_stickers},
    {C_messages_getMaskStickers, 0, all_stickers},
    {C_messages_getEmojiStickers, 0, all_stickers},
    {C_messages_getFavedStickers, 0, faved_stickers},
    {C_messages_getRecentStickers, 0, recent_stickers},
    {C_messages_getFeaturedStickers, 0, featured_stickers},
    {C_messages_getFeaturedEmojiStickers, 0, featured_stickers},
    {C_messages_getSavedGifs, 0, saved_gifs},
    {C_messages_getAvailableReactions, 0, available_reactions},
    {C_messages_getRecentReactions, 0, reactions},
    {C_messages_getTopReactions, 0, reactions},
    {C_messages_getDefaultTagReactions, 0, reactions},
    {C_messages_getAttachMenuBots, 0, attach_menu_bots},
    {C_messages_getPinnedSavedDialogs, 0, saved_dialogs},
    {C_messages_getSavedDialogs, 0, saved_dialogs},
    {C_messages_getQuickReplies, 0, quick_replies},
    {C_messages_getEmojiGroups, 0, emoji_groups},
    {C_messages_getEmojiKeywords, 0, keywords},
    {C_messages_getEmojiKeywordsDifference, 0, keywords},
    {C_messages_getEmojiKeywordsLanguages, 0, empty_vector},
    {C_messages_getDefaultHistoryTTL, 0, history_ttl},
    {C_messages_getSplitRanges, 0, empty_vector},
    {C_messages_getPeerSettings, 0, peer_settings},
    {C_messages_getUnreadMentions, 0, no_messages},
    {C_messages_getUnreadReactions, 0, no_messages},
    {C_messages_getScheduledHistory, 0, no_messages},
    {C_contacts_getTopPeers, 0, top_peers},
    {C_photos_getUserPhotos, 0, user_photos},
};
const struct method_table startup_methods = {methods, sizeof methods / sizeof *methods};
