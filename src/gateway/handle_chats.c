/* SPDX-License-Identifier: MIT
 * Who I am, which chats I have, and joining others. */
#include "gateway/handlers.h"
#include "gateway/route.h"
#include "gateway/scope.h"
#include "gateway/text_params.h"
#include "gateway/token.h"
#include "telegram/dialogs.h"
#include "telegram/login.h"

/* limit=0 means all, but one answer is not to grow without end: the rest is behind next_offset. */
enum { CHATS_MAX = 10000 };

static const char cursor_purpose[] = "dialogs";

/* ---- /me ---- */

void handle_me(struct call *c)
{
    struct peer_ref self = {.kind = PEER_USER, .self = true};
    const struct tl_object *answer = call_invoke(c, request_full(&c->b, &self));
    if (!answer)
        return;
    struct directory *directory = directory_new(c->arena);
    directory_add(directory, answer);
    const struct tl_object *full = tl_obj(answer, F_full_user);
    const struct tl_object *user = directory_find(directory, PEER_USER, tl_int(full, F_id));
    /* A foreign string does not say whose it is. */
    if (user && c->session.user_id != tl_int(user, F_id)) {
        c->session.user_id = tl_int(user, F_id);
        call_session_changed(c);
    }
    struct view view = view_of_call(c, directory);
    call_answer(c, 200);
    view_user(&view, user, full);
}

/* ---- /chats ---- */

static bool read_cursor(struct call *c, struct dialogs_cursor *out)
{
    struct slice text = call_param(c, "offset")->text;
    bool archived = call_param(c, "archived")->i != 0;
    uint8_t payload[TOKEN_SMALL_MAX];
    size_t n = 0;
    *out = (struct dialogs_cursor){.folder_id =
                                       archived ? DIALOGS_FOLDER_ARCHIVE : DIALOGS_FOLDER_MAIN};
    /* "0" is where clients of the older project start. */
    if (text.len == 0 || slice_is(text, "0"))
        return true;
    if (token_open_bytes(call_token_keys(c), cursor_purpose, text, payload, &n) &&
        dialogs_cursor_decode(slice_of(payload, n), out))
        return true;
    call_fail_field(c, "offset", "offset must be the next_offset of an earlier answer of /chats");
    return false;
}

static void write_cursor(struct call *c, struct json_writer *w, const struct dialogs_cursor *cursor)
{
    uint8_t payload[DIALOGS_CURSOR_MAX];
    struct buf text;
    buf_init(&text, 0);
    size_t n = dialogs_cursor_encode(cursor, payload);
    token_seal_bytes(call_token_keys(c), call_rng(c), cursor_purpose, slice_of(payload, n), &text);
    json_string(w, buf_slice(&text));
    buf_free(&text);
}

struct chat_listing {
    struct call *call;
    struct directory *directory;
    struct dialogs_cursor cursor;
    int64_t wanted;
    int64_t written;
    int64_t total;
    bool has_more;
};

/* One page of Telegram's. False: an error, or nothing more is wanted or there. */
static bool list_chats_page(struct chat_listing *l)
{
    struct call *c = l->call;
    struct dialogs_page page;
    int64_t left = l->wanted - l->written;
    int32_t limit = (int32_t)(left < DIALOGS_PAGE_MAX ? left : DIALOGS_PAGE_MAX);
    const struct tl_object *answer = call_invoke(c, request_dialogs(&c->b, &l->cursor, limit));
    if (!answer)
        return false;
    directory_add(l->directory, answer);
    resolve_remember(c, answer);
    if (!dialogs_read(answer, &l->cursor, limit, l->directory, c->arena, &page)) {
        call_fail(c, 502, "UNEXPECTED_ANSWER",
                  "Telegram answered the request for dialogs with something unknown");
        return false;
    }
    l->total = page.total;
    struct view view = view_of_call(c, l->directory);
    uint32_t i = 0;
    for (; i < page.n && l->written < l->wanted; i++)
        if (scope_allows_chat(&c->session, peer_marked_of_tl(tl_obj(dialogs_at(&page, i), F_peer))))
            l->written += view_dialog(&view, dialogs_at(&page, i), dialogs_top(&page, i));
    l->has_more = i < page.n || !page.last;
    l->cursor = i < page.n ? dialogs_cursor_after(&page, i - 1, l->directory) : page.next;
    return !page.last && l->written < l->wanted;
}

void handle_chats(struct call *c)
{
    int64_t limit = call_param(c, "limit")->i;
    struct chat_listing l = {
        .call = c,
        .directory = directory_new(c->arena),
        .wanted = limit == 0 ? CHATS_MAX : limit,
    };
    if (!read_cursor(c, &l.cursor))
        return;
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_key(w, "chats");
    json_array_begin(w);
    /* Each page brings at least one dialog, so the bound on chats bounds the requests. */
    for (int64_t pages = 0; pages < CHATS_MAX && list_chats_page(&l); pages++)
        ;
    json_array_end(w);
    /* How many other chats there are is not for a string that is narrowed to some. */
    if (c->session.scope.n_chats)
        l.total = (int64_t)c->session.scope.n_chats;
    json_field_int(w, "total_count", l.total);
    json_key(w, "next_offset");
    if (l.has_more)
        write_cursor(c, w, &l.cursor);
    else
        json_null(w);
    json_object_end(w);
}

/* ---- /groups/join ---- */

enum join_outcome { JOIN_DONE, JOIN_ALREADY, JOIN_REQUESTED, JOIN_FAILED };

static const char *const join_messages[] = {
    [JOIN_DONE] = "Successfully joined",
    [JOIN_ALREADY] = "Already a member",
    [JOIN_REQUESTED] = "Join request sent; an administrator must approve it",
};

/* INVITE_REQUEST_SENT is an answer, not a failure. */
static enum join_outcome requested_or_failed(struct call *c)
{
    if (!call_error_is(c, "INVITE_REQUEST_SENT"))
        return JOIN_FAILED;
    call_error_clear(c);
    return JOIN_REQUESTED;
}

static enum join_outcome join_invite(struct call *c, struct slice hash,
                                     const struct tl_object **chat)
{
    const struct tl_object *answer = call_invoke(c, request_import_invite(&c->b, hash));
    if (answer) {
        const struct tl_object *updates = join_updates(answer);
        *chat = updates_first_chat(updates);
        return JOIN_DONE;
    }
    if (!call_error_is(c, "USER_ALREADY_PARTICIPANT"))
        return requested_or_failed(c);
    call_error_clear(c);
    answer = call_invoke(c, request_check_invite(&c->b, hash));
    *chat = invite_chat(answer);
    return answer ? JOIN_ALREADY : JOIN_FAILED;
}

static enum join_outcome join_channel(struct call *c, const struct peer_ref *peer, bool member,
                                      const struct tl_object **chat)
{
    if (member)
        return JOIN_ALREADY;
    const struct tl_object *answer = call_invoke(c, request_join(&c->b, peer));
    if (!answer && call_error_is(c, "USER_ALREADY_PARTICIPANT")) {
        call_error_clear(c);
        return JOIN_ALREADY;
    }
    if (!answer)
        return requested_or_failed(c);
    const struct tl_object *updated = updates_first_chat(join_updates(answer));
    *chat = updated ? updated : *chat;
    return JOIN_DONE;
}

static enum join_outcome join_address(struct call *c, const struct peer_address *address,
                                      const struct tl_object **chat)
{
    struct peer_ref peer;
    bool found = address->form == ADDRESS_USERNAME
                     ? resolve_username(c, "group_identifier", address->text, &peer, chat)
                     : resolve_address(c, "group_identifier", address, &peer);
    if (!found)
        return JOIN_FAILED;
    if (peer.kind != PEER_CHANNEL) {
        call_fail_field(c, "group_identifier",
                        "group_identifier is not a group or channel that one can join");
        return JOIN_FAILED;
    }
    bool member = *chat && !tl_bool(*chat, F_left) && (tl_is(*chat, C_channel));
    return join_channel(c, &peer, member, chat);
}

static void answer_join(struct call *c, enum join_outcome outcome, const struct tl_object *chat)
{
    const struct tl_object *full = NULL;
    struct directory *directory = directory_new(c->arena);
    struct peer_ref peer = peer_of_object(chat);
    if (outcome != JOIN_REQUESTED && peer_usable(&peer)) {
        const struct tl_object *answer = call_invoke(c, request_full(&c->b, &peer));
        /* The chat is joined: an answer with less in it is better than an error. */
        call_error_clear(c);
        directory_add(directory, answer);
        full = tl_obj(answer, F_full_chat);
        const struct tl_object *fresh = directory_find(directory, peer.kind, peer.id);
        chat = fresh ? fresh : chat;
    }
    struct view view = view_of_call(c, directory);
    struct json_writer *w = call_answer(c, outcome == JOIN_REQUESTED ? 202 : 200);
    json_object_begin(w);
    json_field_bool(w, "success", true);
    json_field_text(w, "message", join_messages[outcome]);
    view_chat_fields(&view, chat, full);
    json_object_end(w);
}

void handle_join(struct call *c)
{
    struct slice text = call_param(c, "group_identifier")->text;
    struct peer_address address;
    const struct tl_object *chat = NULL;
    const char *reason = join_address_parse(text, c->arena, &address);
    if (reason) {
        call_fail_field(c, "group_identifier", "group_identifier: %s", reason);
        return;
    }
    enum join_outcome outcome = address.form == ADDRESS_INVITE ? join_invite(c, address.text, &chat)
                                                               : join_address(c, &address, &chat);
    if (outcome != JOIN_FAILED)
        answer_join(c, outcome, chat);
}
