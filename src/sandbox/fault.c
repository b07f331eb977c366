/* SPDX-License-Identifier: MIT
 * Parsing and matching of fault rules. */
#include "sandbox/fault.h"

#include <stdlib.h>

/* How an action is written, and what stands behind its colon. */
struct action_word {
    const char *word;
    enum fault_action action;
    enum { NOTHING, NUMBER, CODE_TEXT } argument;
};

static const struct action_word action_words[] = {
    {"error", FAULT_ERROR, CODE_TEXT},
    {"flood_wait", FAULT_FLOOD_WAIT, NUMBER},
    {"migrate", FAULT_MIGRATE, NUMBER},
    {"delay", FAULT_DELAY, NUMBER},
    {"drop_before", FAULT_DROP_BEFORE, NOTHING},
    {"drop_after", FAULT_DROP_AFTER, NOTHING},
    {"reset", FAULT_RESET, NOTHING},
    {"lose_session", FAULT_LOSE_SESSION, NOTHING},
    {"bad_salt", FAULT_BAD_SALT, NOTHING},
    {"transport_error", FAULT_TRANSPORT_ERROR, NUMBER},
    {"garbage", FAULT_GARBAGE, NOTHING},
    {"clock_skew", FAULT_CLOCK_SKEW, NUMBER},
};

/* Splits s at the first c: head is what was before it, *tail what follows (empty without c). */
static struct slice split(struct slice s, char c, struct slice *tail)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == (uint8_t)c) {
            *tail = slice_of(s.data + i + 1, s.len - i - 1);
            return slice_of(s.data, i);
        }
    }
    *tail = slice_of(NULL, 0);
    return s;
}

static bool take_text(struct slice s, char *out, size_t size)
{
    if (s.len == 0 || s.len >= size)
        return false;
    memcpy(out, s.data, s.len);
    out[s.len] = 0;
    return true;
}

static bool take_number(struct slice s, int64_t min, int64_t max, int64_t *out)
{
    return slice_to_i64(s, out) && *out >= min && *out <= max;
}

static bool parse_action(struct slice value, struct fault *f)
{
    struct slice argument;
    struct slice word = split(value, ':', &argument);
    for (size_t i = 0; i < sizeof action_words / sizeof *action_words; i++) {
        const struct action_word *w = &action_words[i];
        if (!slice_is(word, w->word))
            continue;
        f->action = w->action;
        if (w->argument == NOTHING)
            return argument.len == 0;
        if (w->argument == NUMBER)
            return take_number(argument, INT32_MIN, INT32_MAX, &f->number);
        struct slice text;
        int64_t code;
        if (!take_number(split(argument, ':', &text), -1000, 1000, &code))
            return false;
        f->code = (int32_t)code;
        return take_text(text, f->text, sizeof f->text);
    }
    return false;
}

static bool parse_probability(struct slice value, double *out)
{
    char text[32];
    char *end;
    if (!take_text(value, text, sizeof text))
        return false;
    *out = strtod(text, &end);
    return *end == 0 && *out >= 0 && *out <= 1;
}

static bool parse_part(struct slice key, struct slice value, struct fault *f)
{
    int64_t number;
    if (slice_is(key, "method"))
        return take_text(value, f->method, sizeof f->method);
    if (slice_is(key, "phone"))
        return take_text(value, f->phone, sizeof f->phone);
    if (slice_is(key, "user"))
        return take_number(value, 1, INT64_MAX, &f->user);
    if (slice_is(key, "do"))
        return f->action == FAULT_NONE && parse_action(value, f);
    if (slice_is(key, "p"))
        return parse_probability(value, &f->probability);
    if (slice_is(key, "count"))
        return take_number(value, 1, INT64_MAX, &f->count);
    if (!take_number(value, 0, INT32_MAX, &number))
        return false;
    if (slice_is(key, "dc"))
        f->dc = (int32_t)number;
    else if (slice_is(key, "after"))
        f->after = (uint64_t)number;
    else
        return false;
    return true;
}

bool fault_parse(struct slice rule, struct fault *out, const char **error)
{
    *out = (struct fault){.count = -1, .probability = 1};
    if (!take_text(rule, out->rule, sizeof out->rule)) {
        *error = "a rule is 1 to 255 bytes";
        return false;
    }
    for (struct slice rest = rule; rest.len;) {
        struct slice value;
        struct slice part = split(rest, ',', &rest);
        struct slice key = split(part, '=', &value);
        if (!parse_part(key, value, out)) {
            *error = "unknown or malformed part; see tgrest sandbox --help";
            return false;
        }
    }
    if (out->action == FAULT_NONE) {
        *error = "a rule needs do=ACTION";
        return false;
    }
    return true;
}

uint32_t faults_add(struct faults *f, const struct fault *rule)
{
    if (f->n == FAULTS_MAX)
        return 0;
    f->list[f->n] = *rule;
    f->list[f->n].id = ++f->next_id;
    return f->list[f->n++].id;
}

bool faults_remove(struct faults *f, uint32_t id)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->list[i].id != id)
            continue;
        memmove(&f->list[i], &f->list[i + 1], (f->n - i - 1) * sizeof *f->list);
        f->n--;
        return true;
    }
    return false;
}

bool glob_match(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

static bool aims_at(const struct fault *f, const struct fault_target *t)
{
    return f->action != FAULT_CLOCK_SKEW && (!f->method[0] || glob_match(f->method, t->method)) &&
           (!f->phone[0] || slice_is(t->phone, f->phone)) && (!f->user || f->user == t->user) &&
           (!f->dc || f->dc == t->dc);
}

/* Chance in 2^53 steps: what a double holds exactly. */
static bool chance(struct rng *rng, double probability)
{
    return probability >= 1 || (double)(rng_u64(rng) >> 11) < probability * (double)(1LL << 53);
}

const struct fault *faults_match(struct faults *f, struct rng *rng,
                                 const struct fault_target *target)
{
    for (size_t i = 0; i < f->n; i++) {
        struct fault *rule = &f->list[i];
        if (!aims_at(rule, target) || rule->count == 0 || !chance(rng, rule->probability))
            continue;
        if (rule->after > 0) {
            rule->after--;
            continue;
        }
        if (rule->count > 0)
            rule->count--;
        rule->hits++;
        return rule;
    }
    return NULL;
}

int64_t faults_clock_skew_s(const struct faults *f)
{
    int64_t sum = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].action == FAULT_CLOCK_SKEW)
            sum += f->list[i].number;
    return sum;
}
