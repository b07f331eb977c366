/* SPDX-License-Identifier: MIT
 * Queries of random values, half of them with peers that exist, to every method of the world: each
 * is answered with what the schema knows or refused by name, and nothing is read or written out of
 * bounds (run it under the sanitizers). */
#include "sandbox/methods_world.h"
#include "world_harness.h"

#include "tl/random_tree.h"

enum { QUERIES_PER_METHOD = 300 };

/* Puts existing peers, with their hashes, where ids are random. */
static void make_real(struct harness *h, struct rng *rng, struct tl_object *o)
{
    if (!o)
        return;
    const struct world *w = h->world;
    const struct user *u = w->user_list[rng_below(rng, w->n_users)];
    const struct chat *c = NULL;
    for (size_t i = rng_below(rng, w->chats.slots); !c; i = (i + 1) % w->chats.slots)
        c = w->chats.values[i];
    int64_t hash = 0;
    for (uint16_t i = 0; i < o->ctor->n_fields; i++) {
        const char *name = o->ctor->fields[i].name;
        struct tl_value *v = &o->fields[i];
        if (v->kind == TL_OBJECT)
            make_real(h, rng, v->object);
        for (uint32_t k = 0; v->kind == TL_VECTOR && k < v->vector->n; k++)
            if (v->vector->items[k].kind == TL_OBJECT)
                make_real(h, rng, v->vector->items[k].object);
        if (strcmp(name, "user_id") == 0 && v->kind == TL_LONG) {
            v->i = u->id;
            hash = world_access_hash(w, h->caller->id, u->id);
        } else if ((strcmp(name, "channel_id") == 0 || strcmp(name, "chat_id") == 0) &&
                   v->kind == TL_LONG) {
            v->i = peer_bare(c->peer);
            hash = world_access_hash(w, h->caller->id, c->peer);
        } else if (strcmp(name, "access_hash") == 0 && hash) {
            v->i = hash;
        } else if (v->kind == TL_INT && rng_below(rng, 2)) {
            v->i = (int64_t)rng_below(rng, 60); /* ids and limits that hit something */
        }
    }
}

/* Whether it was answered. */
static bool try_once(struct harness *h, struct forest *f, const struct tl_combinator *method)
{
    arena_reset(&h->arena);
    h->caller = h->world->user_list[1 + rng_below(f->rng, 5)];
    struct tl_object *query = random_object(f, method, 0);
    assert_non_null(query);
    if (rng_below(f->rng, 2))
        make_real(h, f->rng, query);
    struct request r = {.world = h->world,
                        .self = h->caller,
                        .schema = h->schema,
                        .query = query,
                        .arena = &h->arena,
                        .b = tl_builder_of(h->schema, &h->arena),
                        .now_s = h->now};
    struct tl_value v = h->methods[method->symbol]->handle(&r);
    assert_null(h->world->cause);
    if (v.kind != TL_ABSENT && !r.error_text)
        harness_check_answer(h, method, &v);
    else
        assert_non_null(r.error_text);
    world_run_pending(h->world, h->now);
    h->now++;
    return !r.error_text;
}

static void random_queries_are_answered_or_refused(void **state)
{
    (void)state;
    struct harness *h = harness_new(NULL);
    struct rng rng;
    rng_init_seed(&rng, test_seed());
    assert_true(world_load_demo(h->world, h->now));
    struct arena heights;
    arena_init(&heights, 0);
    struct forest f = forest_of(h->schema, &heights, &rng);
    f.arena = &h->arena;
    const struct method_table *const tables[] = {WORLD_METHOD_TABLES};
    uint32_t tried = 0, answered = 0;
    for (int round = 0; round < QUERIES_PER_METHOD; round++)
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
            for (size_t i = 0; i < tables[t]->n; i++, tried++)
                answered +=
                    try_once(h, &f, tl_schema_bound(h->schema, tables[t]->methods[i].symbol));
    print_message("%u of %u answered\n", answered, tried);
    assert_true(answered > tried / 10); /* the others were refused: both ways are walked */
    free(f.heights);
    arena_free(&heights);
    harness_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_queries_are_answered_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
