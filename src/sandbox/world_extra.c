/* SPDX-License-Identifier: MIT
 * What few messages have beside their text: made, copied, freed. */
#include <stdlib.h>

#include "sandbox/file.h"
#include "sandbox/message.h"
#include "sandbox/world_parts.h"

struct message_extra *message_extra_new(void)
{
    return calloc(1, sizeof(struct message_extra));
}

void media_free(struct media *m)
{
    if (!m)
        return;
    file_drop(m->file);
    free(m->file_name);
    free(m->name);
    free(m->detail);
    free(m->extra);
    for (uint32_t i = 0; i < m->n_options; i++)
        free(m->options[i]);
    free(m->options);
    free(m);
}

void message_extra_free(struct message_extra *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < e->n_entities; i++)
        free(e->entities[i].text);
    free(e->entities);
    media_free(e->media);
    if (e->forward) {
        free(e->forward->from_name);
        free(e->forward->post_author);
        free(e->forward);
    }
    if (e->action) {
        free(e->action->title);
        file_drop(e->action->photo);
        free(e->action->users);
        free(e->action);
    }
    free(e->quote);
    free(e->post_author);
    free(e);
}

/* NULL stays NULL and is fine. */
static bool copy_text(char **to, const char *from)
{
    *to = from ? text_dup(slice_str(from)) : NULL;
    return !from || *to;
}

struct media *media_copy(const struct media *from)
{
    struct media *m = malloc(sizeof *m);
    if (!m)
        return NULL;
    *m = *from;
    file_hold(m->file);
    m->n_options = 0;
    m->options = from->n_options ? calloc(from->n_options, sizeof(char *)) : NULL;
    bool ok = copy_text(&m->file_name, from->file_name);
    ok = copy_text(&m->name, from->name) && ok;
    ok = copy_text(&m->detail, from->detail) && ok;
    ok = copy_text(&m->extra, from->extra) && ok;
    for (uint32_t i = 0; m->options && i < from->n_options; i++)
        ok = copy_text(&m->options[m->n_options++], from->options[i]) && ok;
    if (ok && m->n_options == from->n_options)
        return m;
    media_free(m);
    return NULL;
}

static bool entities_copy(struct message_extra *to, const struct message_extra *from)
{
    if (!from->n_entities)
        return true;
    to->entities = calloc(from->n_entities, sizeof(*to->entities));
    if (!to->entities)
        return false;
    for (uint32_t i = 0; i < from->n_entities; i++) {
        to->entities[i] = from->entities[i];
        to->n_entities++;
        if (!copy_text(&to->entities[i].text, from->entities[i].text))
            return false;
    }
    return true;
}

struct message_extra *message_extra_copy(const struct message_extra *e)
{
    struct message_extra *copy = message_extra_new();
    if (!copy || !e)
        return copy;
    bool ok = entities_copy(copy, e);
    if (e->media)
        ok = (copy->media = media_copy(e->media)) && ok;
    copy->via_bot = e->via_bot;
    if (ok)
        return copy;
    message_extra_free(copy);
    return NULL;
}
