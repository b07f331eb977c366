/* SPDX-License-Identifier: MIT
 * Query, body and headers of a request, read and checked by the route's table. */
#include <json-c/json.h>
#include <sodium.h>

#include "gateway/date.h"
#include "gateway/route.h"
#include "gateway/task.h"
#include "http/server.h"

enum {
    JSON_DEPTH_MAX = 32,    /* the deepest TL request nests some ten levels */
    PARAM_IDS_MAX = 1000,   /* when the route gives no bound of its own */
    PARAM_TEXT_MAX = 65536, /* likewise: bytes of one string */
    TOKENER_KEEP_BYTES = 16 * 1024,
};

/* ---- text to value, for queries, headers, paths and defaults ---- */

static const char *const bool_words[2][3] = {{"false", "0", "no"}, {"true", "1", "yes"}};

static bool read_bool(struct slice text, int64_t *out)
{
    for (int value = 0; value < 2; value++) {
        for (size_t i = 0; i < 3; i++) {
            if (slice_is_nocase(text, bool_words[value][i])) {
                *out = value;
                return true;
            }
        }
    }
    return false;
}

static const char *const type_names[] = {
    [PARAM_STRING] = "a string",
    [PARAM_INT] = "a whole number",
    [PARAM_BOOL] = "true or false",
    [PARAM_CHAT_ID] = "an id (number) or a name (string)",
    [PARAM_DATE] = "a date like 2024-03-01T00:00:00Z",
    [PARAM_IDS] = "a list of whole numbers",
    [PARAM_JSON] = "a JSON value",
    [PARAM_FILE] = "a file",
};

static bool wrong_type(struct call *c, const struct param *p)
{
    call_fail_field(c, p->name, "%s must be %s", p->name, type_names[p->type]);
    return false;
}

static bool has_bounds(const struct param *p)
{
    return p->min != 0 || p->max != 0;
}

static bool in_bounds(const struct param *p, int64_t value)
{
    return !has_bounds(p) || (value >= p->min && value <= p->max);
}

static bool check_int(struct call *c, const struct param *p, int64_t value)
{
    if (in_bounds(p, value))
        return true;
    call_fail_field(c, p->name, "%s must be from %lld to %lld", p->name, (long long)p->min,
                    (long long)p->max);
    return false;
}

static bool check_date(struct call *c, const struct param *p, int64_t value)
{
    if (in_bounds(p, value))
        return true;
    call_fail_field(c, p->name, "%s is out of Telegram's range of dates", p->name);
    return false;
}

static size_t count_characters(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

static bool is_choice(const struct param *p, struct slice text)
{
    for (const char *const *choice = p->choices; choice && *choice; choice++)
        if (slice_is(text, *choice))
            return true;
    return p->choices == NULL;
}

static void fail_choice(struct call *c, const struct param *p)
{
    struct buf list;
    buf_init(&list, 0);
    for (const char *const *choice = p->choices; *choice; choice++)
        buf_printf(&list, "%s%s", choice == p->choices ? "" : ", ", *choice);
    call_fail_field(c, p->name, "%s must be one of: %.*s", p->name, (int)list.len,
                    (const char *)list.data);
    buf_free(&list);
}

static bool set_string(struct call *c, const struct param *p, struct slice text,
                       struct param_value *v)
{
    if (!slice_is_utf8(text) || (text.len && memchr(text.data, 0, text.len))) {
        call_fail_field(c, p->name, "%s must be UTF-8 text without NUL", p->name);
        return false;
    }
    size_t n = count_characters(text);
    if (p->required && n == 0) {
        call_fail_field(c, p->name, "%s must not be empty", p->name);
        return false;
    }
    if (has_bounds(p) && (n < (size_t)p->min || n > (size_t)p->max)) {
        call_fail_field(c, p->name, "%s must have %lld to %lld characters, not %zu", p->name,
                        (long long)p->min, (long long)p->max, n);
        return false;
    }
    if (!has_bounds(p) && text.len > PARAM_TEXT_MAX) {
        call_fail_field(c, p->name, "%s is longer than %d bytes", p->name, PARAM_TEXT_MAX);
        return false;
    }
    if (!is_choice(p, text)) {
        fail_choice(c, p);
        return false;
    }
    v->text = text;
    return true;
}

static bool set_ids(struct call *c, const struct param *p, int64_t *ids, size_t n,
                    struct param_value *v)
{
    size_t min = has_bounds(p) ? (size_t)p->min : 0;
    size_t max = has_bounds(p) ? (size_t)p->max : PARAM_IDS_MAX;
    if (n < min || n > max) {
        call_fail_field(c, p->name, "%s must have %zu to %zu ids, not %zu", p->name, min, max, n);
        return false;
    }
    v->ids = ids;
    v->n_ids = n;
    return true;
}

static bool ids_from_text(struct call *c, const struct param *p, struct slice text,
                          struct param_value *v)
{
    size_t n = text.len ? 1 : 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == ',';
    int64_t *ids = arena_array(c->arena, n, sizeof *ids);
    if (!ids)
        return false;
    size_t start = 0;
    for (size_t k = 0; k < n; k++) {
        size_t end = start;
        while (end < text.len && text.data[end] != ',')
            end++;
        if (!slice_to_i64(slice_of(text.data + start, end - start), &ids[k]))
            return wrong_type(c, p);
        start = end + 1;
    }
    return set_ids(c, p, ids, n, v);
}

static bool json_from_text(struct call *c, const struct param *p, struct slice text,
                           struct param_value *v);

static bool value_from_text(struct call *c, const struct param *p, struct slice text,
                            struct param_value *v)
{
    v->present = true;
    switch (p->type) {
    case PARAM_INT:
        return slice_to_i64(text, &v->i) ? check_int(c, p, v->i) : wrong_type(c, p);
    case PARAM_BOOL:
        return read_bool(text, &v->i) || wrong_type(c, p);
    case PARAM_DATE:
        return date_parse(text, &v->i) ? check_date(c, p, v->i) : wrong_type(c, p);
    case PARAM_IDS:
        return ids_from_text(c, p, text, v);
    case PARAM_CHAT_ID: /* digits behind a '+' are a phone: peer_address_parse tells */
    case PARAM_STRING:
        return set_string(c, p, text, v);
    case PARAM_JSON:
        return json_from_text(c, p, text, v);
    case PARAM_FILE:
        break;
    }
    return wrong_type(c, p);
}

/* ---- JSON to value ---- */

static struct slice json_text(struct json_object *json)
{
    return slice_of(json_object_get_string(json), (size_t)json_object_get_string_len(json));
}

/* json-c clamps integers past 64 bits to the limits, so those two values are refused. */
static bool json_integer(struct json_object *json, int64_t *out)
{
    if (json_object_is_type(json, json_type_string))
        return slice_to_i64(json_text(json), out);
    if (!json_object_is_type(json, json_type_int))
        return false;
    *out = json_object_get_int64(json);
    return *out != INT64_MAX && *out != INT64_MIN;
}

static bool ids_from_json(struct call *c, const struct param *p, struct json_object *json,
                          struct param_value *v)
{
    if (!json_object_is_type(json, json_type_array))
        return wrong_type(c, p);
    size_t n = json_object_array_length(json);
    int64_t *ids = arena_array(c->arena, n, sizeof *ids);
    if (!ids)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!json_integer(json_object_array_get_idx(json, i), &ids[i]))
            return wrong_type(c, p);
    return set_ids(c, p, ids, n, v);
}

static bool value_from_json(struct call *c, const struct param *p, struct json_object *json,
                            struct param_value *v)
{
    bool is_text = json_object_is_type(json, json_type_string);
    v->present = true;
    switch (p->type) {
    case PARAM_INT:
        return json_integer(json, &v->i) ? check_int(c, p, v->i) : wrong_type(c, p);
    case PARAM_BOOL:
        v->i = json_object_get_boolean(json);
        return json_object_is_type(json, json_type_boolean) || wrong_type(c, p);
    case PARAM_DATE:
        if (is_text)
            return value_from_text(c, p, json_text(json), v);
        return json_integer(json, &v->i) ? check_date(c, p, v->i) : wrong_type(c, p);
    case PARAM_CHAT_ID:
        if (is_text)
            return value_from_text(c, p, json_text(json), v);
        v->is_number = true;
        return json_integer(json, &v->i) || wrong_type(c, p);
    case PARAM_IDS:
        return ids_from_json(c, p, json, v);
    case PARAM_STRING:
        return is_text ? set_string(c, p, json_text(json), v) : wrong_type(c, p);
    case PARAM_JSON:
        v->json = json;
        return true;
    case PARAM_FILE:
        break;
    }
    return wrong_type(c, p);
}

/* ---- where values come from ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(struct arena *a, struct slice text, bool plus_is_space, struct slice *out)
{
    uint8_t *bytes = arena_alloc_raw(a, text.len + 1);
    size_t n = 0;
    if (!bytes)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        bytes[n++] = c;
    }
    *out = slice_of(bytes, n);
    return true;
}

/* Takes the first `name=value` off a query string. */
static void take_pair(struct slice *query, struct slice *name, struct slice *value)
{
    const uint8_t *ampersand = query->len ? memchr(query->data, '&', query->len) : NULL;
    size_t n = ampersand ? (size_t)(ampersand - query->data) : query->len;
    struct slice pair = slice_of(query->data, n);
    const uint8_t *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
    size_t name_len = equals ? (size_t)(equals - pair.data) : pair.len;
    *name = slice_of(pair.data, name_len);
    *value = equals ? slice_of(equals + 1, pair.len - name_len - 1) : slice_str("");
    n += ampersand != NULL;
    *query = slice_of(query->data + n, query->len - n);
}

/* A name is compared as it stands first: hardly any client escapes one. */
static bool is_named(struct call *c, struct slice raw, const char *name)
{
    struct slice decoded;
    return slice_is(raw, name) ||
           (raw.len > strlen(name) && memchr(raw.data, '%', raw.len) &&
            percent_decode(c->arena, raw, true, &decoded) && slice_is(decoded, name));
}

/* Many clients repeat the name for each item of a list. The room is as large as the query, which
 * has a byte more for each item than the item. */
static struct slice join(uint8_t *room, struct slice items, struct slice item)
{
    if (items.data != room && items.len > 0)
        memcpy(room, items.data, items.len);
    room[items.len] = ',';
    if (item.len > 0)
        memcpy(room + items.len + 1, item.data, item.len);
    return slice_of(room, items.len + 1 + item.len);
}

/* The decoded value of the parameter in the query string. Of several the last, as web frameworks
 * take it; of a list all. */
static bool query_find(struct call *c, const struct param *p, struct slice *out)
{
    bool found = false;
    uint8_t *room = NULL;
    struct slice query = c->request->query, name, value;
    while (query.len > 0) {
        take_pair(&query, &name, &value);
        if (!is_named(c, name, p->name))
            continue;
        struct slice before = *out;
        if (!percent_decode(c->arena, value, true, out)) {
            call_fail_field(c, p->name, "%s has a bad %%-escape", p->name);
            return true;
        }
        if (found && p->type == PARAM_IDS) {
            if (!room && !(room = arena_alloc(c->arena, c->request->query.len))) {
                call_fail(c, 503, "OUT_OF_MEMORY", "Out of memory; try again");
                return true;
            }
            *out = join(room, before, *out);
        }
        found = true;
    }
    return found;
}

static bool is_json_type(struct slice type)
{
    const uint8_t *semicolon = type.len ? memchr(type.data, ';', type.len) : NULL;
    if (semicolon)
        type.len = (size_t)(semicolon - type.data);
    while (type.len && type.data[type.len - 1] == ' ')
        type.len--;
    return slice_is_nocase(type, "application/json") ||
           (type.len > 5 && slice_is_nocase(slice_of(type.data + type.len - 5, 5), "+json"));
}

/* Making one costs as much as reading a short body, so a worker keeps one. */
static struct json_tokener *tokener_take(struct worker *w)
{
    struct json_tokener *t = w->tokener;
    w->tokener = NULL;
    if (!t && (t = json_tokener_new_ex(JSON_DEPTH_MAX)) != NULL)
        json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    return t;
}

/* It holds the last text that it read. One that grew is not kept. */
static void tokener_give_back(struct call *c, struct json_tokener *t, size_t body_len)
{
    if (task_of(c)->secret && t->pb->buf)
        sodium_memzero(t->pb->buf, (size_t)t->pb->size);
    if (body_len > TOKENER_KEEP_BYTES) {
        json_tokener_free(t);
        return;
    }
    json_tokener_reset(t);
    c->worker->tokener = t;
}

/* The code unit that \\uXXXX at `at` writes; -1 for anything else. */
static int32_t escaped_unit(struct slice text, size_t at)
{
    int32_t unit = 0;
    if (text.len - at < 6 || text.data[at] != '\\' || text.data[at + 1] != 'u')
        return -1;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(text.data[at + i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* How many bytes the escape at `at` has; 0: half of a surrogate pair without its other half. */
static size_t escape_length(struct slice text, size_t at)
{
    int32_t unit = escaped_unit(text, at);
    if (unit < 0)
        return 2; /* whatever is escaped does not end the string */
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    int32_t low = unit < 0xdc00 ? escaped_unit(text, at + 6) : -1;
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* json-c takes single quotes, NaN and Infinity even when strict; none of them is made of the bytes
 * that JSON has outside of strings. In strings it takes bare control characters, and half surrogate
 * pairs, which it replaces: the text would not be what was written. NULL: nothing of that kind. */
static const char *find_laxness(struct slice body, size_t *at)
{
    static const char allowed[] = "{}[]:,+-.0123456789eE \t\r\ntrufalsn";
    bool in_string = false;
    size_t step;
    for (*at = 0; *at < body.len; *at += step) {
        uint8_t c = body.data[*at];
        step = 1;
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c < ' ')
            return "a control character that is not escaped";
        else if (in_string && c == '\\' && (step = escape_length(body, *at)) == 0)
            return "half of a surrogate pair";
        else if (!in_string && !memchr(allowed, c, sizeof allowed - 1))
            return "a character that it has in strings only";
    }
    return NULL;
}

struct json_fault {
    const char *reason;
    size_t at;
};

/* NULL with fault->reason set, or without: the text says null, or memory is out (error set). */
static struct json_object *json_parse(struct call *c, struct slice text, struct json_fault *fault)
{
    *fault = (struct json_fault){0};
    fault->reason = find_laxness(text, &fault->at);
    if (fault->reason)
        return NULL;
    struct json_tokener *tokener = tokener_take(c->worker);
    if (!tokener) {
        call_fail(c, 503, "OUT_OF_MEMORY", "Out of memory; try again");
        return NULL;
    }
    struct json_object *json =
        json_tokener_parse_ex(tokener, (const char *)text.data, (int)text.len);
    size_t at = json_tokener_get_parse_end(tokener);
    /* Only what follows a number or a word shows that it is over. */
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        json = json_tokener_parse_ex(tokener, " ", 1);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    tokener_give_back(c, tokener, text.len);
    if (error == json_tokener_success && at == text.len)
        return json;
    json_object_put(json);
    *fault = (struct json_fault){error == json_tokener_continue  ? "it ends too early"
                                 : error == json_tokener_success ? "something follows its end"
                                                                 : json_tokener_error_desc(error),
                                 at};
    return NULL;
}

static struct slice without_trailing_space(struct slice text)
{
    while (text.len && memchr(" \t\r\n", text.data[text.len - 1], 4))
        text.len--;
    return text;
}

/* Reads the body, if there is one, into c->json_body: an object. */
static bool body_parse(struct call *c, const struct http_request *r)
{
    struct slice body = without_trailing_space(r->body);
    if (body.len == 0)
        return true;
    struct slice type = http_header_get(r, "Content-Type");
    if (type.data && !is_json_type(type)) {
        call_fail(c, 415, "UNSUPPORTED_MEDIA_TYPE",
                  "The body must be JSON: send Content-Type: application/json");
        return false;
    }
    struct json_fault fault;
    c->json_body = json_parse(c, body, &fault);
    if (fault.reason)
        call_fail(c, 400, "MALFORMED_JSON", "The body is not JSON: %s, at byte %zu", fault.reason,
                  fault.at);
    else if (!call_failed(c) && !json_object_is_type(c->json_body, json_type_object))
        call_fail(c, 400, "MALFORMED_JSON", "The body must be a JSON object");
    return !call_failed(c);
}

/* What a text holds is kept in c->json_body, as if it had come there; null is the same as absent.
 */
static bool json_from_text(struct call *c, const struct param *p, struct slice text,
                           struct param_value *v)
{
    struct json_fault fault;
    struct json_object *json = json_parse(c, without_trailing_space(text), &fault);
    if (fault.reason)
        call_fail_field(c, p->name, "%s is not JSON: %s, at byte %zu", p->name, fault.reason,
                        fault.at);
    v->present = json != NULL;
    if (!json)
        return !call_failed(c);
    if (!c->json_body)
        c->json_body = json_object_new_object();
    json_object_object_add(c->json_body, p->name, json);
    v->json = json;
    return true;
}

/* Finds the parameter's text or JSON; false when it was not given. A DELETE may carry its body's
 * parameters in the query, for clients that cannot send a body with it. */
static bool find_given(struct call *c, const struct param *p, size_t *path_index,
                       struct slice *text, struct json_object **json)
{
    const struct http_request *r = c->request;
    switch (p->place) {
    case PARAM_PATH:
        *text = c->path_values[(*path_index)++];
        return true;
    case PARAM_HEADER:
        *text = http_header_get(r, p->name);
        return text->data != NULL;
    case PARAM_BODY:
        if (c->json_body && json_object_object_get_ex(c->json_body, p->name, json))
            return *json != NULL; /* null is the same as absent */
        return slice_is(r->method, "DELETE") && query_find(c, p, text);
    case PARAM_QUERY:
        return query_find(c, p, text);
    }
    return false;
}

bool param_from_text(struct call *c, const struct param *p, bool given, struct slice text,
                     struct param_value *v)
{
    /* `?search=` says the same as no search at all, but an empty required value is told so. */
    if (given && (text.len > 0 || p->required))
        return value_from_text(c, p, text, v);
    if (p->required) {
        call_fail_field(c, p->name, "%s is missing", p->name);
        return false;
    }
    return !p->default_text || value_from_text(c, p, slice_str(p->default_text), v);
}

static bool param_parse(struct call *c, const struct param *p, size_t *path_index,
                        struct param_value *v)
{
    struct slice text = {0};
    struct json_object *json = NULL;
    bool given = find_given(c, p, path_index, &text, &json);
    if (call_failed(c))
        return false;
    if (given && !text.data && json)
        return value_from_json(c, p, json, v);
    return param_from_text(c, p, given, text, v);
}

static bool refuse_unknown(struct call *c)
{
    if (!c->json_body || !c->route->strict_body)
        return true;
    json_object_object_foreach(c->json_body, name, value)
    {
        (void)value;
        if (!route_has_param(c->route, name))
            call_fail_field(c, name, "there is no parameter of this name");
    }
    return !call_failed(c);
}

bool params_parse(struct call *c)
{
    size_t path_index = 0;
    bool form = c->route->body == BODY_FORM; /* its handler reads it: form.h */
    if (!form && (!body_parse(c, c->request) || !refuse_unknown(c)))
        return false;
    for (size_t i = 0; i < c->route->n_params; i++) {
        const struct param *p = &c->route->params[i];
        if (!(form && p->place == PARAM_BODY) && !param_parse(c, p, &path_index, &c->params[i]))
            return false;
    }
    return true;
}

const struct param_value *call_param(const struct call *c, const char *name)
{
    static const struct param_value absent;
    for (size_t i = 0; i < c->route->n_params; i++)
        if (strcmp(c->route->params[i].name, name) == 0)
            return &c->params[i];
    return &absent;
}
