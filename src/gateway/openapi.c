/* SPDX-License-Identifier: MIT
 * /openapi.json: the table of routes as OpenAPI 3.1. The shapes of answers are schema/answers.json.
 */
#include "gateway/answers.h"
#include "gateway/gateway.h"
#include "gateway/handlers.h"
#include "gateway/route.h"

/* ---- parameters ---- */

static void write_number_bounds(struct json_writer *w, const struct param *p, const char *min_key,
                                const char *max_key)
{
    if (p->min == 0 && p->max == 0)
        return;
    json_field_int(w, min_key, p->min);
    json_field_int(w, max_key, p->max);
}

/* The other type may be NULL. */
static void write_type(struct json_writer *w, bool nullable, const char *type, const char *other)
{
    json_key(w, "type");
    if (!other && !nullable) {
        json_string(w, slice_str(type));
        return;
    }
    json_array_begin(w);
    json_string(w, slice_str(type));
    if (other)
        json_string(w, slice_str(other));
    if (nullable)
        json_string(w, slice_str("null"));
    json_array_end(w);
}

static void write_string_schema(struct json_writer *w, const struct param *p, bool nullable)
{
    write_type(w, nullable, "string", NULL);
    write_number_bounds(w, p, "minLength", "maxLength");
    if (!p->choices)
        return;
    json_key(w, "enum");
    json_array_begin(w);
    for (const char *const *choice = p->choices; *choice; choice++)
        json_string(w, slice_str(*choice));
    if (nullable)
        json_raw(w, slice_str("null"));
    json_array_end(w);
}

static void write_ids_schema(struct json_writer *w, const struct param *p, bool nullable)
{
    write_type(w, nullable, "array", NULL);
    json_key(w, "items");
    json_object_begin(w);
    json_field_text(w, "type", "integer");
    json_field_int(w, "minimum", 1);
    json_field_int(w, "maximum", INT32_MAX);
    json_object_end(w);
    write_number_bounds(w, p, "minItems", "maxItems");
}

static void write_default(struct json_writer *w, const struct param *p)
{
    if (!p->default_text)
        return;
    json_key(w, "default");
    if (p->type == PARAM_INT || p->type == PARAM_BOOL)
        json_raw(w, slice_str(p->default_text));
    else
        json_string(w, slice_str(p->default_text));
}

/* A field that may come several times is a list. */
static void write_file_schema(struct json_writer *w, const struct param *p)
{
    bool several = p->max > 1;
    if (several) {
        json_field_text(w, "type", "array");
        write_number_bounds(w, p, "minItems", "maxItems");
        json_key(w, "items");
        json_object_begin(w);
    }
    json_field_text(w, "type", "string");
    json_field_text(w, "format", "binary");
    if (several)
        json_object_end(w);
}

static void write_param_schema(struct json_writer *w, const struct param *p, bool nullable)
{
    json_object_begin(w);
    switch (p->type) {
    case PARAM_STRING:
        write_string_schema(w, p, nullable);
        break;
    case PARAM_INT:
        write_type(w, nullable, "integer", NULL);
        write_number_bounds(w, p, "minimum", "maximum");
        break;
    case PARAM_BOOL:
        write_type(w, nullable, "boolean", NULL);
        break;
    case PARAM_CHAT_ID:
        write_type(w, nullable, "integer", "string");
        break;
    case PARAM_DATE:
        write_type(w, nullable, "string", NULL);
        json_field_text(w, "format", "date-time");
        break;
    case PARAM_IDS:
        write_ids_schema(w, p, nullable);
        break;
    case PARAM_JSON:
        break;
    case PARAM_FILE:
        write_file_schema(w, p);
        break;
    }
    write_default(w, p);
    if (p->text)
        json_field_text(w, "description", p->text);
    json_object_end(w);
}

static void write_parameter(struct json_writer *w, const struct param *p)
{
    static const char *const places[] = {
        [PARAM_QUERY] = "query", [PARAM_PATH] = "path", [PARAM_HEADER] = "header"};
    json_object_begin(w);
    json_field_text(w, "name", p->name);
    json_field_text(w, "in", places[p->place]);
    json_field_bool(w, "required", p->required);
    json_key(w, "schema");
    write_param_schema(w, p, false);
    if (p->example) {
        json_key(w, "example");
        if (p->type == PARAM_INT)
            json_raw(w, slice_str(p->example));
        else
            json_string(w, slice_str(p->example));
    }
    json_object_end(w);
}

static void write_ref(struct json_writer *w, const char *kind, const char *component)
{
    json_object_begin(w);
    json_key(w, "$ref");
    buf_printf(w->out, "\"#/components/%s/%s\"", kind, component);
    w->comma = true;
    json_object_end(w);
}

/* ---- headers that many operations share: components, by their names ---- */

static const char parameter_components[] =
    "{\"Idempotency-Key\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,"
    "\"schema\":{\"type\":\"string\",\"maxLength\":255,\"description\":\"A send that is repeated "
    "with "
    "its key answers with the first message\"}},"
    "\"Prefer\":{\"name\":\"Prefer\",\"in\":\"header\",\"required\":false,"
    "\"schema\":{\"type\":\"string\",\"description\":\"wait=N: sleep out flood waits of up to N "
    "seconds\"}}}";

static const char header_components[] =
    "{\"X-Request-Id\":{\"schema\":{\"type\":\"string\"},"
    "\"description\":\"As sent, or made: the log has it\"},"
    "\"X-Session-String\":{\"schema\":{\"type\":\"string\"},"
    "\"description\":\"The session has changed: use this string from now on\"},"
    "\"Retry-After\":{\"schema\":{\"type\":\"integer\",\"minimum\":0},"
    "\"description\":\"Seconds\"}}";

static bool takes_key(const struct route *r)
{
    return strcmp(r->method, "POST") == 0 && (r->scope == SCOPE_WRITE || r->scope == SCOPE_METHOD);
}

static void write_parameters(struct json_writer *w, const struct route *r)
{
    json_key(w, "parameters");
    json_array_begin(w);
    for (size_t i = 0; i < r->n_params; i++)
        if (r->params[i].place != PARAM_BODY)
            write_parameter(w, &r->params[i]);
    if (takes_key(r))
        write_ref(w, "parameters", "Idempotency-Key");
    if (r->session != SESSION_NEED_NONE)
        write_ref(w, "parameters", "Prefer");
    json_array_end(w);
}

/* ---- bodies ---- */

static bool has_body(const struct route *r)
{
    for (size_t i = 0; i < r->n_params; i++)
        if (r->params[i].place == PARAM_BODY)
            return true;
    return r->free_body;
}

static bool needs_body(const struct route *r)
{
    for (size_t i = 0; i < r->n_params; i++)
        if (r->params[i].place == PARAM_BODY && r->params[i].required)
            return true;
    return false;
}

static void write_body_schema(struct json_writer *w, const struct route *r)
{
    json_object_begin(w);
    json_field_text(w, "type", "object");
    json_key(w, "required");
    json_array_begin(w);
    for (size_t i = 0; i < r->n_params; i++)
        if (r->params[i].place == PARAM_BODY && r->params[i].required)
            json_string(w, slice_str(r->params[i].name));
    json_array_end(w);
    json_key(w, "properties");
    json_object_begin(w);
    for (size_t i = 0; i < r->n_params; i++) {
        if (r->params[i].place != PARAM_BODY)
            continue;
        json_key(w, r->params[i].name);
        /* In JSON, null is the same as absent. */
        write_param_schema(w, &r->params[i], r->body == BODY_JSON && !r->params[i].required);
    }
    json_object_end(w);
    if (r->strict_body)
        json_field_bool(w, "additionalProperties", false);
    json_object_end(w);
}

static void write_json_content(struct json_writer *w, const char *component)
{
    json_key(w, "content");
    json_object_begin(w);
    json_key(w, "application/json");
    json_object_begin(w);
    json_key(w, "schema");
    write_ref(w, "schemas", component);
    json_object_end(w);
    json_object_end(w);
}

/* Bytes of any type; generators of clients want to see one that they know. */
static void write_file_content(struct json_writer *w)
{
    static const char *const types[] = {"application/octet-stream", "*/*"};
    json_key(w, "content");
    json_object_begin(w);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        json_key(w, types[i]);
        json_raw(w, slice_str("{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}"));
    }
    json_object_end(w);
}

static void write_request_body(struct json_writer *w, const struct route *r)
{
    if (!has_body(r))
        return;
    json_key(w, "requestBody");
    json_object_begin(w);
    json_field_bool(w, "required", needs_body(r));
    json_key(w, "content");
    json_object_begin(w);
    json_key(w, r->body == BODY_FORM ? "multipart/form-data" : "application/json");
    json_object_begin(w);
    json_key(w, "schema");
    write_body_schema(w, r);
    if (r->example) {
        json_key(w, "example");
        json_raw(w, slice_str(r->example));
    }
    json_object_end(w);
    json_object_end(w);
    json_object_end(w);
}

/* ---- answers ---- */

/* Which errors a route may answer with. */
enum error_of { ALWAYS, WITH_SESSION, WITH_TELEGRAM };
static const struct {
    const char *status;
    enum error_of when;
    const char *text;
} errors[] = {
    {"400", ALWAYS, "Something is wrong with the request; `field` names what"},
    {"401", WITH_SESSION, "No session, or one that Telegram or this gateway no longer takes"},
    {"403", WITH_SESSION, "The account may not do this"},
    {"404", ALWAYS, "No such route, chat, user, message or method"},
    {"405", ALWAYS, "This path takes other methods: see Allow"},
    {"408", ALWAYS, "The request came too slowly"},
    {"409", WITH_SESSION,
     "The first message of a repeated Idempotency-Key cannot be found any more"},
    {"413", ALWAYS, "The body is too large"},
    {"414", ALWAYS, "The target is too long"},
    {"415", ALWAYS, "The body is not of the type that this route takes"},
    {"429", WITH_TELEGRAM, "Telegram wants you to wait: Retry-After and wait_seconds say how long"},
    {"431", ALWAYS, "The headers are too large"},
    {"500", ALWAYS, "A bug of the gateway; the log has the request id"},
    {"501", ALWAYS,
     "The method or transfer coding is not known, or the schema lacks what is needed"},
    {"502", WITH_TELEGRAM, "Telegram cannot be reached, or answered something broken"},
    {"503", ALWAYS, "Draining or overloaded: try again after Retry-After"},
    {"504", WITH_TELEGRAM, "No answer within the deadline, or OUTCOME_UNKNOWN"},
};

static bool may_answer(const struct route *r, enum error_of when)
{
    bool telegram = r->session != SESSION_NEED_NONE || r->n_needs > 0 || r->handle == handle_readyz;
    return when == ALWAYS || telegram;
}

static void write_header(struct json_writer *w, const char *name)
{
    json_key(w, name);
    write_ref(w, "headers", name);
}

/* Begins the object, which the caller ends. */
static void begin_response(struct json_writer *w, const struct route *r, const char *status,
                           const char *text)
{
    json_key(w, status);
    json_object_begin(w);
    json_field_text(w, "description", text);
    json_key(w, "headers");
    json_object_begin(w);
    write_header(w, "X-Request-Id");
    if (r->session != SESSION_NEED_NONE || r->scope != SCOPE_READ)
        write_header(w, "X-Session-String");
    if (strcmp(status, "429") == 0 || strcmp(status, "503") == 0)
        write_header(w, "Retry-After");
    json_object_end(w);
}

static void write_response(struct json_writer *w, const struct route *r, const char *status,
                           const char *text, const char *component)
{
    begin_response(w, r, status, text);
    if (component)
        write_json_content(w, component);
    json_object_end(w);
}

static void write_file_responses(struct json_writer *w, const struct route *r)
{
    static const struct {
        const char *status;
        const char *text;
    } parts[] = {{"200", NULL}, {"206", "The part that Range asks for"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        begin_response(w, r, parts[i].status, parts[i].text ? parts[i].text : r->summary);
        write_file_content(w);
        json_object_end(w);
    }
    write_response(w, r, "304", "The client has it already", NULL);
    write_response(w, r, "416", "The file has no such part", "Error");
}

static void write_responses(struct json_writer *w, const struct route *r)
{
    json_key(w, "responses");
    json_object_begin(w);
    if (r->streams_answer)
        write_file_responses(w, r);
    else
        write_response(w, r, "200", r->summary, r->answer_schema);
    if (r->handle == handle_join)
        write_response(w, r, "202", "An administrator must approve the request to join",
                       r->answer_schema);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (may_answer(r, errors[i].when))
            write_response(w, r, errors[i].status, errors[i].text, "Error");
    json_object_end(w);
}

/* ---- the document ---- */

static void write_operation(struct json_writer *w, const struct route *r)
{
    char lower[8] = "";
    for (size_t i = 0; r->method[i] && i + 1 < sizeof lower; i++)
        lower[i] = (char)(r->method[i] - 'A' + 'a');
    json_key(w, lower);
    json_object_begin(w);
    json_field_text(w, "summary", r->summary);
    json_key(w, "operationId");
    buf_printf(w->out, "\"%s", lower);
    for (const char *at = r->path; *at; at++)
        if (*at != '{' && *at != '}')
            buf_append_byte(w->out, *at == '/' || *at == '.' ? '_' : (uint8_t)*at);
    buf_append_byte(w->out, '"');
    w->comma = true;
    write_parameters(w, r);
    write_request_body(w, r);
    write_responses(w, r);
    json_key(w, "security");
    json_raw(w, slice_str(r->session == SESSION_NEED_NONE ? "[]" : "[{\"session\":[]}]"));
    json_object_end(w);
}

/* Routes of one path stand together in the table or apart: each path is written once, at its first.
 */
static bool is_first_of_path(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(route_at(i)->path, route_at(index)->path) == 0)
            return false;
    return true;
}

static void write_paths(struct json_writer *w, const struct gateway *g)
{
    json_key(w, "paths");
    json_object_begin(w);
    for (size_t i = 0; i < routes_count(); i++) {
        if (!is_first_of_path(i))
            continue;
        json_key(w, route_at(i)->path);
        json_object_begin(w);
        for (size_t k = i; k < routes_count(); k++)
            if (strcmp(route_at(k)->path, route_at(i)->path) == 0 && !g->route_off[k])
                write_operation(w, route_at(k));
        json_object_end(w);
    }
    json_object_end(w);
}

void handle_openapi(struct call *c)
{
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "openapi", "3.1.0");
    json_key(w, "info");
    json_raw(w,
             slice_str(
                 "{\"title\":\"tgrest\",\"version\":\"1\",\"description\":\"Telegram user accounts "
                 "over HTTP; the session travels in X-Session-String.\"}"));
    write_paths(w, c->gateway);
    json_key(w, "components");
    json_object_begin(w);
    json_key(w, "securitySchemes");
    json_raw(
        w,
        slice_str(
            "{\"session\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-Session-String\"}}"));
    json_key(w, "parameters");
    json_raw(w, slice_str(parameter_components));
    json_key(w, "headers");
    json_raw(w, slice_str(header_components));
    json_key(w, "schemas");
    json_raw(w, answers_embedded());
    json_object_end(w);
    json_object_end(w);
}
