/* SPDX-License-Identifier: MIT
 * Service messages, and joining and leaving with all that they cause. */
#include "sandbox/service.h"

#include <stdlib.h>

#include "sandbox/chat.h"
#include "sandbox/world_parts.h"

static struct action *action_new(const struct action_draft *a)
{
    struct action *action = calloc(1, sizeof *action);
    if (!action)
        return NULL;
    action->kind = a->kind;
    action->peer = a->peer;
    action->title = a->title ? text_dup(slice_str(a->title)) : NULL;
    action->users = a->n_users ? malloc(a->n_users * sizeof *action->users) : NULL;
    if (action->users) {
        memcpy(action->users, a->users, a->n_users * sizeof *action->users);
        action->n_users = a->n_users;
    }
    if ((a->title && !action->title) || (a->n_users && !action->users)) {
        free(action->title);
        free(action->users);
        free(action);
        return NULL;
    }
    action->photo = file_hold(a->photo);
    return action;
}

struct message *say_action(struct world *w, const struct chat *c, int64_t from,
                           const struct action_draft *a, int32_t now, bool quiet)
{
    struct draft d = {.from = from,
                      .author = from,
                      .peer = c->peer,
                      .date = now,
                      .flags = MESSAGE_SERVICE,
                      .quiet = quiet};
    if (c->flags & CHAT_BROADCAST) {
        d.from = c->peer;
        d.flags |= MESSAGE_POST;
    }
    d.extra = message_extra_new();
    if (d.extra)
        d.extra->action = action_new(a);
    if (!d.extra || !d.extra->action) {
        message_extra_free(d.extra);
        return NULL;
    }
    return world_post(w, &d);
}

static void tell_membership(struct world *w, struct chat *c, struct user *u, int32_t now)
{
    bool channel = peer_kind(c->peer) == PEER_CHANNEL;
    struct update update = {.type = &world_updates[channel ? U_CHANNEL : U_CHAT_MEMBERS],
                            .date = now,
                            .keep = true,
                            .a = c->peer};
    if (channel) {
        world_tell(w, u, update);
        return;
    }
    for (uint32_t i = 0; i < c->n_members; i++) {
        struct user *to = world_user(w, c->members[i]->user_id);
        if (to && c->members[i]->state == MEMBER_JOINED)
            world_tell(w, to, update);
    }
}

bool admit(struct world *w, struct chat *c, struct user *u, enum action_kind kind, int64_t by,
           int32_t now)
{
    struct member *m = chat_join(c, u, by, now);
    if (!m)
        return false;
    m->via_request = kind == ACTION_JOINED_BY_REQUEST;
    tell_membership(w, c, u, now);
    if (c->flags & CHAT_BROADCAST)
        return true;
    bool added = kind == ACTION_ADD_USERS;
    struct action_draft a = {
        .kind = kind, .peer = added ? 0 : by, .users = &u->id, .n_users = added};
    return say_action(w, c, added && by ? by : u->id, &a, now, false) != NULL;
}

void dismiss(struct world *w, struct chat *c, struct user *u, enum member_state state, int64_t by,
             int32_t now)
{
    bool was_member = chat_has(c, u->id);
    chat_part(c, u, state, now);
    if (was_member && !(c->flags & CHAT_BROADCAST) &&
        (peer_kind(c->peer) == PEER_CHAT || by != u->id)) {
        struct action_draft a = {.kind = ACTION_DELETE_USER, .peer = u->id};
        say_action(w, c, by, &a, now, false);
    }
    tell_membership(w, c, u, now);
}

const char *invite_refusal(const struct user *self, const struct user *u)
{
    if (u->flags & USER_DELETED)
        return "INPUT_USER_DEACTIVATED";
    if (id_map_get(&self->blocked, u->id))
        return "YOU_BLOCKED_USER";
    if (id_map_get(&u->blocked, self->id) || (u->flags & USER_NO_INVITES))
        return "USER_PRIVACY_RESTRICTED";
    return NULL;
}
