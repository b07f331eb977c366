/* SPDX-License-Identifier: MIT */
#include "gateway/safety.h"

static const char *const read_prefixes[] = {"get", "search", "resolve", "check", "is"};

/* Named like reads, but they do something; or the other way round. */
static const struct {
    const char *name;
    enum call_safety safety;
} exceptions[] = {
    {"auth.checkPassword", CALL_ONCE}, /* a login */
    {"auth.checkRecoveryPassword", CALL_ONCE},
    {"account.getTmpPassword", CALL_ONCE},                /* makes one */
    {"messages.getMessagesViews", CALL_ONCE},             /* may count one */
    {"messages.getBotCallbackAnswer", CALL_ONCE},         /* presses a bot's button */
    {"messages.getInlineBotResults", CALL_ONCE},          /* asks a bot */
    {"messages.checkUrlAuthMatchCode", CALL_ONCE},        /* a login at a web site */
    {"payments.getStarsRevenueAdsAccountUrl", CALL_ONCE}, /* likewise: who has the link is in */
    {"payments.getStarsRevenueWithdrawalUrl", CALL_ONCE}, /* moves money */
    {"payments.getStarGiftWithdrawalUrl", CALL_ONCE},
    {"channels.searchPosts", CALL_ONCE}, /* may pay */
    {"phone.getGroupCallStreamRtmpUrl",
     CALL_ONCE},                              /* may revoke the key of a stream, and tells it */
    {"upload.saveFilePart", CALL_REPEATABLE}, /* a part is overwritten by itself */
    {"upload.saveBigFilePart", CALL_REPEATABLE},
    {"messages.uploadMedia", CALL_REPEATABLE},    /* a copy that nobody sees */
    {"messages.sendMultiMedia", CALL_REPEATABLE}, /* each of its items has a random_id */
};

/* A prefix is a word: "get" in "getChats", not in "getaway". */
static bool has_word(const char *name, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(name, word, len) != 0)
        return false;
    return name[len] == '\0' || (name[len] >= 'A' && name[len] <= 'Z');
}

/* A 64-bit one, or one for each message: the 32-bit random_id of phone calls promises nothing. */
static bool has_random_id(const struct tl_combinator *method)
{
    int index = tl_field_by_name(method, slice_str("random_id"));
    if (index < 0)
        return false;
    const struct tl_type *type = &method->fields[index].type;
    if (type->kind == TL_VECTOR)
        type = type->item;
    return type->kind == TL_LONG;
}

static bool is_named_like_a_read(const struct tl_combinator *method)
{
    const char *dot = strrchr(method->name, '.');
    const char *local = dot ? dot + 1 : method->name;
    for (size_t i = 0; i < sizeof read_prefixes / sizeof *read_prefixes; i++)
        if (has_word(local, read_prefixes[i]))
            return true;
    return false;
}

bool method_is_read(const struct tl_combinator *method)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (strcmp(method->name, exceptions[i].name) == 0)
            return false;
    return is_named_like_a_read(method) && !has_random_id(method);
}

enum call_safety method_safety(const struct tl_combinator *method)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        if (strcmp(method->name, exceptions[i].name) == 0)
            return exceptions[i].safety;
    }
    return is_named_like_a_read(method) || has_random_id(method) ? CALL_REPEATABLE : CALL_ONCE;
}
