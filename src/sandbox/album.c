/* SPDX-License-Identifier: MIT
 * messages.uploadMedia and messages.sendMultiMedia: albums. */
#include <stdlib.h>

#include "sandbox/build.h"
#include "sandbox/build_parts.h"
#include "sandbox/chat.h"
#include "sandbox/drafts.h"
#include "sandbox/file.h"
#include "sandbox/input.h"
#include "sandbox/media.h"
#include "sandbox/methods_world.h"
#include "sandbox/scheduled.h"
#include "sandbox/send.h"
#include "sandbox/sent.h"

enum { ALBUM_MAX = 10 };

/* ---- uploadMedia ---- */

static struct tl_value upload_media(struct request *r)
{
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer || !may_write(r, peer, BANNED_MEDIA))
        return refused();
    struct message_extra e = {0};
    const char *error = media_read(r, tl_obj(r->query, F_media), &e);
    struct file *f = error ? NULL : e.media->file;
    struct media shown = f ? *f->media : (struct media){0}; /* its texts live with the file */
    shown.flags = f ? e.media->flags : 0;
    shown.file = f;
    media_free(e.media);
    if (!f)
        return fail(r, 400, error ? error : "MEDIA_INVALID");
    return tl_value_obj(build_media(r, &shown));
}

/* ---- sendMultiMedia ---- */

int album_kind(const struct media *m)
{
    switch (m->kind) {
    case MEDIA_PHOTO:
    case MEDIA_VIDEO:
        return 1;
    case MEDIA_DOCUMENT:
        return 2;
    case MEDIA_AUDIO:
        return 3;
    default:
        return 0;
    }
}

/* Errors about a file's reference name the item: FILE_REFERENCE_0_EXPIRED. */
static const char *with_index(struct request *r, const char *error, uint32_t i)
{
    static const char prefix[] = "FILE_REFERENCE_";
    size_t len = sizeof prefix - 1;
    if (strncmp(error, prefix, len) != 0)
        return error;
    return arena_printf(r->arena, "%s%u_%s", prefix, i, error + len);
}

/* One of them as a draft; NULL when fine, else the error. What was made is the draft's either way.
 */
static const char *read_item(struct request *r, int64_t peer, uint32_t i, struct draft *d)
{
    const struct tl_object *item = tl_item_obj(r->query, F_multi_media, i);
    const struct tl_object *media = tl_obj(item, F_media);
    draft_begin(r, d, peer);
    /* files come by uploadMedia first: no album is half there when one of them is bad */
    if (!tl_is(media, C_inputMediaPhoto) && !tl_is(media, C_inputMediaDocument))
        return "MEDIA_INVALID";
    const char *error = draft_caption(r, d, item);
    if (!error)
        error = media_read(r, media, d->extra);
    if (!error)
        error = draft_reply(r, d);
    if (!error && !draft_sign(r, d))
        error = "INTERNAL_SERVER_ERROR";
    return error ? with_index(r, error, i) : NULL;
}

static const char *read_album(struct request *r, int64_t peer, uint32_t n, struct draft *drafts)
{
    int64_t group = (int64_t)(rng_u64(&r->world->rng) >> 1 | 1);
    int first = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *error = read_item(r, peer, i, &drafts[i]);
        if (error)
            return error;
        int kind = album_kind(drafts[i].extra->media);
        if (n > 1 && kind == 0)
            return "GROUPED_MEDIA_INVALID";
        if (i > 0 && kind != first)
            return "MEDIA_GROUPED_INVALID";
        first = kind;
        drafts[i].extra->grouped_id = n > 1 ? group : 0;
    }
    return NULL;
}

static struct tl_value send_album(struct request *r, struct draft *drafts,
                                  const int64_t *random_ids, uint32_t n)
{
    struct sent_id sent[ALBUM_MAX];
    struct cause cause;
    cause_begin(r, &cause);
    for (uint32_t i = 0; i < n; i++) {
        struct draft d = drafts[i];
        drafts[i].extra = NULL;
        if (!send_draft(r, &d, random_ids[i], &sent[i])) {
            cause_end(r);
            return fail(r, 500, "INTERNAL_SERVER_ERROR");
        }
    }
    if (tl_bool(r->query, F_clear_draft))
        draft_clear(r, drafts[0].peer);
    return sent_answer(r, &cause, sent, n);
}

static const char *count_error(struct request *r, uint32_t n, int64_t random_ids[static ALBUM_MAX])
{
    if (n == 0)
        return "MEDIA_EMPTY";
    if (n > ALBUM_MAX)
        return "MULTI_MEDIA_TOO_LONG";
    for (uint32_t i = 0; i < n; i++) {
        random_ids[i] = tl_int(tl_item_obj(r->query, F_multi_media, i), F_random_id);
        if (!random_ids[i])
            return "RANDOM_ID_EMPTY";
        for (uint32_t k = 0; k < i; k++)
            if (random_ids[k] == random_ids[i])
                return "RANDOM_ID_INVALID";
    }
    return NULL;
}

static struct tl_value send_multi(struct request *r)
{
    int64_t random_ids[ALBUM_MAX];
    struct sent_id before[ALBUM_MAX];
    struct draft drafts[ALBUM_MAX] = {0};
    uint32_t n = tl_count(r->query, F_multi_media), known;
    const char *error = count_error(r, n, random_ids);
    if (error)
        return fail(r, 400, error);
    int64_t peer = input_peer(r, tl_obj(r->query, F_peer));
    if (!peer)
        return refused();
    if (sent_find_all(r->self, random_ids, n, before, &known))
        return sent_before(r, before, n);
    if (known)
        return fail(r, 500, "RANDOM_ID_DUPLICATE");
    if (!may_write(r, peer, BANNED_MEDIA) || !schedule_allowed(r, peer))
        return refused();
    const struct chat *c = world_chat(r->world, peer);
    if (n > 1 && c && c->slow_mode_s && !chat_is_admin(c, r->self->id))
        return fail(r, 400, "SLOWMODE_MULTI_MSGS_DISABLED");
    error = read_album(r, peer, n, drafts);
    struct tl_value answer = error ? fail(r, 400, error) : send_album(r, drafts, random_ids, n);
    for (uint32_t i = 0; i < n; i++)
        message_extra_free(drafts[i].extra);
    return answer;
}

static const struct method methods[] = {
    {C_messages_uploadMedia, 0, upload_media},
    {C_messages_sendMultiMedia, 0, send_multi},
};
const struct method_table media_methods = {methods, sizeof methods / sizeof *methods};
