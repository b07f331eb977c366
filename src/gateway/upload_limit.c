/* SPDX-License-Identifier: MIT */
#include "gateway/upload_limit.h"

#include "gateway/task.h"
#include "gateway/transfer.h"
#include "telegram/names.h"

enum {
    LIMITS_LIFE_S = 3600,
    PARTS_MAX_SANE = 100 * 1000, /* 50 GB: a larger number is no limit of ours to believe */
};

static int64_t number_of(const struct tl_object *config, const char *key)
{
    for (uint32_t i = 0; i < tl_count(config, F_value); i++) {
        const struct tl_object *item = tl_item_obj(config, F_value, i);
        if (!slice_is(tl_text(item, F_key), key))
            continue;
        double number = tl_double(tl_obj(item, F_value), F_value);
        if (number >= UPLOAD_PARTS_MAX_DEFAULT && number <= PARTS_MAX_SANE)
            return (int64_t)number;
    }
    return UPLOAD_PARTS_MAX_DEFAULT;
}

static bool refresh(struct call *c, struct upload_limits *limits)
{
    /* A builder of its own: the call's would not forget that a schema lacks this. */
    struct tl_builder b = tl_builder_of(c->schema, c->arena);
    struct tl_object *query = tl_new(&b, C_help_getAppConfig);
    tl_set_int(query, F_hash, 0);
    const struct tl_object *answer = call_invoke(c, query);
    if (!answer)
        return false;
    const struct tl_object *config = tl_obj(answer, F_config);
    limits->parts_default = number_of(config, "upload_max_fileparts_default");
    limits->parts_premium = number_of(config, "upload_max_fileparts_premium");
    limits->until_ns = call_mono_ns(c) + LIMITS_LIFE_S * NS_PER_S;
    return true;
}

static bool is_premium(struct call *c)
{
    struct tl_builder b = tl_builder_of(c->schema, c->arena);
    struct tl_object *query = tl_new(&b, C_users_getUsers);
    tl_push_obj(&b, tl_set_vec(&b, query, F_id), tl_new(&b, C_inputUserSelf));
    struct tl_value users;
    return call_invoke_value(c, query, &users) && users.kind == TL_VECTOR && users.vector->n > 0 &&
           tl_bool(users.vector->items[0].object, F_premium);
}

int64_t upload_parts_max(struct call *c, int64_t n_parts)
{
    struct upload_limits *limits = &c->worker->upload_limits;
    if (limits->until_ns < call_mono_ns(c) && !refresh(c, limits)) {
        if (!task_aborted(task_of(c)))
            call_error_clear(c);
        return UPLOAD_PARTS_MAX_DEFAULT;
    }
    if (n_parts > limits->parts_premium)
        return limits->parts_premium;
    bool premium = limits->parts_premium > limits->parts_default && is_premium(c);
    if (call_failed(c) && !task_aborted(task_of(c)))
        call_error_clear(c);
    return premium ? limits->parts_premium : limits->parts_default;
}

void upload_refuse(struct call *c, int64_t parts_max)
{
    call_fail(c, 413, "FILE_TOO_LARGE",
              "The file, or the form around it, is larger than the %lld MiB that Telegram takes of "
              "this account in one file. An album may be, if it is sent in chunks.",
              (long long)(parts_max * TRANSFER_PART_BYTES / (1024 * 1024)));
    c->error.field = "file";
}

bool upload_fits(struct call *c, int64_t bytes)
{
    int64_t n_parts = bytes / TRANSFER_PART_BYTES + (bytes % TRANSFER_PART_BYTES != 0);
    if (n_parts <= UPLOAD_PARTS_MAX_DEFAULT)
        return true;
    int64_t parts_max = upload_parts_max(c, n_parts);
    if (n_parts > parts_max)
        upload_refuse(c, parts_max);
    return !call_failed(c);
}
