/* SPDX-License-Identifier: MIT */
#include "gateway/text_params.h"

#include "gateway/peer_photo.h"
#include "gateway/route.h"

enum text_mode text_mode_param(const struct call *c)
{
    enum text_mode mode = TEXT_MARKDOWN;
    const struct param_value *v = call_param(c, "parse_mode");
    if (v->present)
        (void)text_mode_parse(v->text, &mode); /* the table lets known names through only */
    return mode;
}

bool text_param(struct call *c, const char *name, struct formatted_text *out)
{
    struct slice text = call_param(c, name)->text;
    const struct param_value *entities = call_param(c, "entities");
    if (entities->present) {
        struct tl_json_error error = {0};
        if (entities_from_json(entities->json, text, c->arena, out, &error))
            return true;
        call_fail_field(c, "entities", "%s: %s", error.path ? error.path : "entities",
                        error.reason);
        return false;
    }
    struct text_error error = {0};
    if (text_parse(text_mode_param(c), text, c->arena, out, &error))
        return true;
    call_fail_field(c, name, "%s at byte %zu: %s", name, error.offset, error.reason);
    return false;
}

/* ---- mentions ---- */

/* Who each mention of a text means, looked up beforehand; parallel to its entities. */
struct mentions {
    struct mention_resolver resolver;
    const struct formatted_text *text;
    const struct tl_object **input_users;
};

static const struct tl_object *mention_input_user(void *ctx, const struct entity *e)
{
    const struct mentions *m = ctx;
    return m->input_users[e - m->text->entities];
}

static const struct tl_object *look_up(struct call *c, const struct entity *e)
{
    struct peer_ref peer = {.kind = PEER_USER, .id = e->id};
    bool found;
    if (e->type == ENTITY_TEXT_MENTION) {
        struct param_value id = {.present = true, .is_number = true, .i = e->id};
        found = resolve_value(c, "text", &id, &peer);
    } else {
        struct param_value name = {.present = true, .text = e->value};
        found = resolve_value(c, "text", &name, &peer);
    }
    /* Somebody unknown is no reason to refuse the message. */
    if (!found && c->error.status == 404)
        call_error_clear(c);
    return found ? peer_to_input_user(&c->b, &peer) : NULL;
}

const struct mention_resolver *resolve_mentions(struct call *c, const struct formatted_text *text)
{
    struct mentions *m = NULL;
    for (size_t i = 0; i < text->n_entities && !call_failed(c); i++) {
        if (!entity_is_mention(&text->entities[i]))
            continue;
        if (!m) {
            m = arena_alloc(c->arena, sizeof *m);
            const struct tl_object **users = arena_array(c->arena, text->n_entities, sizeof *users);
            if (!m || !users)
                return NULL;
            *m = (struct mentions){{mention_input_user, m}, text, users};
        }
        m->input_users[i] = look_up(c, &text->entities[i]);
    }
    return m ? &m->resolver : NULL;
}

struct view view_of_call(struct call *c, const struct directory *directory)
{
    return (struct view){
        .w = &c->json,
        .arena = c->arena,
        .directory = directory,
        .mode = text_mode_param(c),
        .with_entities = call_param(c, "with_entities")->i != 0,
        .write_ref = write_peer_ref,
        .write_photo = write_photo_path,
        .ctx = c,
    };
}
