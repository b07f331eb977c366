/* SPDX-License-Identifier: MIT */
#include "gateway/date.h"

/* Takes exactly n digits off the front. */
static bool take_digits(struct slice *s, size_t n, int *out)
{
    int value = 0;
    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->data[i] < '0' || s->data[i] > '9')
            return false;
        value = value * 10 + (s->data[i] - '0');
    }
    *s = slice_of(s->data + n, s->len - n);
    *out = value;
    return true;
}

static bool take_one_of(struct slice *s, const char *set)
{
    if (s->len == 0 || s->data[0] == 0 || !strchr(set, s->data[0]))
        return false;
    *s = slice_of(s->data + 1, s->len - 1);
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970-01-01 of a valid date. */
static int64_t days_of(int year, int month, int day)
{
    static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1;
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + before_month[month - 1] + day - 1;
    return days + (month > 2 && is_leap(year)) - 719162; /* days before 1970 */
}

static bool take_date(struct slice *s, int64_t *days)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_digits(s, 4, &year) || !take_one_of(s, "-") || !take_digits(s, 2, &month) ||
        !take_one_of(s, "-") || !take_digits(s, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
        (month == 2 && day == 29 && !is_leap(year)))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool take_time(struct slice *s, int64_t *seconds)
{
    int hour, minute, second;
    if (!take_digits(s, 2, &hour) || !take_one_of(s, ":") || !take_digits(s, 2, &minute) ||
        !take_one_of(s, ":") || !take_digits(s, 2, &second))
        return false;
    if (take_one_of(s, ".")) {
        int digit;
        if (!take_digits(s, 1, &digit))
            return false;
        while (take_digits(s, 1, &digit))
            ;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60; /* 60: a leap second */
}

/* "Z", "+hh:mm", "-hhmm", or nothing (UTC). */
static bool take_offset(struct slice *s, int64_t *seconds)
{
    *seconds = 0;
    if (s->len == 0 || take_one_of(s, "Zz"))
        return true;
    bool negative = s->data[0] == '-';
    int hour, minute;
    if (!take_one_of(s, "+- ") || !take_digits(s, 2, &hour))
        return false;
    take_one_of(s, ":");
    if (!take_digits(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *seconds = (negative ? -1 : 1) * (hour * 3600 + minute * 60);
    return true;
}

bool date_parse(struct slice text, int64_t *unix_s)
{
    if (slice_to_i64(text, unix_s))
        return true;
    int64_t days, seconds = 0, offset = 0;
    if (!take_date(&text, &days))
        return false;
    if (text.len > 0 &&
        (!take_one_of(&text, "Tt ") || !take_time(&text, &seconds) || !take_offset(&text, &offset)))
        return false;
    *unix_s = days * 86400 + seconds - offset;
    return text.len == 0;
}
