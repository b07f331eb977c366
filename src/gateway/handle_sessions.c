/* SPDX-License-Identifier: MIT
 * Where the account is logged in. */
#include "gateway/handlers.h"
#include "gateway/route.h"
#include "telegram/authorizations.h"
#include "telegram/json_or_null.h"

static void write_session(struct json_writer *w, const struct tl_object *a)
{
    json_object_begin(w);
    json_key(w, "hash");
    json_int_string(w, tl_int(a, F_hash));
    json_field_bool(w, "current", tl_bool(a, F_current));
    json_text_or_null(w, "device", tl_text(a, F_device_model));
    json_text_or_null(w, "platform", tl_text(a, F_platform));
    json_text_or_null(w, "system", tl_text(a, F_system_version));
    json_text_or_null(w, "app", tl_text(a, F_app_name));
    json_text_or_null(w, "app_version", tl_text(a, F_app_version));
    json_field_int(w, "api_id", tl_int(a, F_api_id));
    json_field_bool(w, "official_app", tl_bool(a, F_official_app));
    json_field_bool(w, "password_pending", tl_bool(a, F_password_pending));
    json_field_bool(w, "unconfirmed", tl_bool(a, F_unconfirmed));
    json_text_or_null(w, "ip", tl_text(a, F_ip));
    json_text_or_null(w, "country", tl_text(a, F_country));
    json_text_or_null(w, "region", tl_text(a, F_region));
    json_time_or_null(w, "created", a, F_date_created);
    json_time_or_null(w, "active", a, F_date_active);
    json_object_end(w);
}

void handle_sessions_list(struct call *c)
{
    const struct tl_object *answer = call_invoke(c, request_authorizations(&c->b));
    if (!answer)
        return;
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_key(w, "sessions");
    json_array_begin(w);
    for (uint32_t i = 0; i < tl_count(answer, F_authorizations); i++)
        write_session(w, tl_item_obj(answer, F_authorizations, i));
    json_array_end(w);
    json_object_end(w);
}

/* The hash of the current session is 0 at Telegram, which takes it for none. */
static bool read_hash(struct call *c, int64_t *hash)
{
    struct slice text = call_param(c, "hash")->text;
    if (!slice_to_i64(text, hash))
        call_fail_field(c, "hash", "hash must be one that GET /auth/sessions gave");
    else if (*hash == 0)
        call_fail_field(c, "hash", "This is the session itself: DELETE /auth/logout ends it");
    return !call_failed(c);
}

void handle_sessions_delete(struct call *c)
{
    int64_t hash;
    struct tl_value done;
    bool one = call_param(c, "hash")->present;
    if (one && !read_hash(c, &hash))
        return;
    struct tl_object *query =
        one ? request_reset_authorization(&c->b, hash) : request_reset_authorizations(&c->b);
    if (!call_invoke_value(c, query, &done)) {
        if (call_error_is(c, "HASH_INVALID"))
            c->error.status = 404;
        return;
    }
    struct json_writer *w = call_answer(c, 200);
    json_object_begin(w);
    json_field_text(w, "message", one ? "Session ended" : "All other sessions ended");
    json_object_end(w);
}
