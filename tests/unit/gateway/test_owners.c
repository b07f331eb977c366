/* SPDX-License-Identifier: MIT
 * Owners of keys, and mail between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "gateway/mailbox.h"
#include "gateway/owners.h"

static void first_claim_owns_until_the_last_release(void **state)
{
    (void)state;
    struct owners *o = owners_new();
    assert_int_equal(owners_claim(o, 42, 3), 3);
    assert_int_equal(owners_claim(o, 42, 1), 3);
    owners_release(o, 42);
    assert_int_equal(owners_claim(o, 42, 0), 3);
    owners_release(o, 42);
    owners_release(o, 42);
    assert_int_equal(owners_count(o), 0);
    assert_int_equal(owners_claim(o, 42, 1), 1);
    owners_release(o, 42);
    owners_free(o);
}

static void agrees_with_a_plain_table(void **state)
{
    (void)state;
    enum { KEYS = 64, STEPS = 200000 };
    const char *given = getenv("TGREST_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    struct {
        uint64_t id;
        int owner;
        int claims;
    } model[KEYS];
    struct rng rng;
    struct owners *o = owners_new();
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init_seed(&rng, seed);
    for (int i = 0; i < KEYS; i++) {
        /* Few shards and home slots, so that chains form and are mended. */
        model[i].id = (uint64_t)(i / 8) * 64 * 256 + (uint64_t)(i % 8) * 64;
        model[i].claims = 0;
    }
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)rng_below(&rng, KEYS);
        int worker = (int)rng_below(&rng, 16);
        if (rng_below(&rng, 2) == 0) {
            int owner = owners_claim(o, model[i].id, worker);
            if (model[i].claims++ == 0)
                model[i].owner = worker;
            assert_int_equal(owner, model[i].owner);
        } else if (model[i].claims > 0) {
            owners_release(o, model[i].id);
            model[i].claims--;
        }
    }
    size_t owned = 0;
    for (int i = 0; i < KEYS; i++)
        owned += model[i].claims > 0;
    assert_int_equal(owners_count(o), owned);
    owners_free(o);
}

static void needless_release_is_harmless(void **state)
{
    (void)state;
    struct owners *o = owners_new();
    owners_release(o, 7);
    assert_int_equal(owners_claim(o, 7, 2), 2);
    owners_release(o, 8);
    assert_int_equal(owners_count(o), 1);
    owners_free(o);
}

/* ---- mail ---- */

enum { SENDERS = 3, LETTERS = 2000 };

struct letter {
    struct mail mail;
    int sender;
    int number;
};

struct office {
    uv_loop_t loop;
    struct mailbox box;
    int last[SENDERS];
    int received;
};

static void receive(struct mail *mail, void *receiver)
{
    struct office *o = receiver;
    struct letter *l = LIST_OWNER(mail, struct letter, mail);
    assert_int_equal(l->number, o->last[l->sender] + 1); /* in order, none lost, none twice */
    o->last[l->sender] = l->number;
    free(l);
    if (++o->received == SENDERS * LETTERS)
        mailbox_close(&o->box);
}

struct sender {
    uv_thread_t thread;
    struct office *office;
    int index;
};

static void send_letters(void *arg)
{
    struct sender *s = arg;
    for (int i = 1; i <= LETTERS; i++) {
        struct letter *l = calloc(1, sizeof *l);
        *l = (struct letter){.mail.deliver = receive, .sender = s->index, .number = i};
        mailbox_send(&s->office->box, &l->mail);
    }
}

static void mail_of_several_threads_arrives_in_order(void **state)
{
    (void)state;
    struct office o = {0};
    struct sender senders[SENDERS];
    uv_loop_init(&o.loop);
    assert_int_equal(mailbox_init(&o.box, &o.loop, 10, &o), 0);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.office = &o, .index = i};
        uv_thread_create(&senders[i].thread, send_letters, &senders[i]);
    }
    uv_run(&o.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < SENDERS; i++)
        uv_thread_join(&senders[i].thread);
    assert_int_equal(o.received, SENDERS * LETTERS);
    mailbox_free(&o.box);
    uv_loop_close(&o.loop);
}

static void count_one(struct mail *mail, void *receiver)
{
    (void)mail;
    ++*(int *)receiver;
}

static void full_mailbox_refuses_offers_but_takes_answers(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct mailbox box;
    struct mail mails[4] = {{.deliver = count_one},
                            {.deliver = count_one},
                            {.deliver = count_one},
                            {.deliver = count_one}};
    int received = 0;
    uv_loop_init(&loop);
    assert_int_equal(mailbox_init(&box, &loop, 2, &received), 0);
    assert_true(mailbox_offer(&box, &mails[0]));
    assert_true(mailbox_offer(&box, &mails[1]));
    assert_false(mailbox_offer(&box, &mails[2]));
    mailbox_send(&box, &mails[3]);
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(received, 3);
    assert_true(mailbox_offer(&box, &mails[2]));
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(received, 4);
    mailbox_close(&box);
    uv_run(&loop, UV_RUN_DEFAULT);
    mailbox_free(&box);
    uv_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_claim_owns_until_the_last_release),
        cmocka_unit_test(agrees_with_a_plain_table),
        cmocka_unit_test(needless_release_is_harmless),
        cmocka_unit_test(mail_of_several_threads_arrives_in_order),
        cmocka_unit_test(full_mailbox_refuses_offers_but_takes_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
