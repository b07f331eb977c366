/* SPDX-License-Identifier: MIT
 * Proxies: what the option takes, and the dialogues, as their RFCs write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/proxy.h"

#define SECRET "00112233445566778899aabbccddeeff"

static char error[OPTION_ERROR_BYTES];

static struct proxy parse(const char *url)
{
    struct proxy p;
    if (!proxy_parse(url, &p, error))
        fail_msg("%s", error);
    return p;
}

static void urls_are_read(void **state)
{
    (void)state;
    struct proxy p = parse(NULL);
    assert_int_equal(p.kind, PROXY_NONE);
    p = parse("socks5://127.0.0.1:1080");
    assert_int_equal(p.kind, PROXY_SOCKS5);
    assert_string_equal(p.address.host, "127.0.0.1");
    assert_int_equal(p.address.port, 1080);
    assert_string_equal(p.user, "");
    p = parse("http://me:a%40b:c%2f@proxy.example:3128");
    assert_int_equal(p.kind, PROXY_HTTP);
    assert_string_equal(p.address.host, "proxy.example");
    assert_string_equal(p.user, "me");
    assert_string_equal(p.password, "a@b:c/");
    p = parse("socks5://a@b:c@[::1]:1");
    assert_string_equal(p.user, "a@b");
    assert_string_equal(p.address.host, "::1");
    p = parse("mtproxy://1.2.3.4:443/" SECRET);
    assert_int_equal(p.kind, PROXY_MTPROTO);
    assert_int_equal(p.secret[15], 0xff);
    assert_false(p.padded);
    p = parse("mtproxy://1.2.3.4:443/dd" SECRET);
    assert_int_equal(p.secret[15], 0xff);
    assert_true(p.padded);
    p = parse("mtproxy://1.2.3.4:443/ee112233445566778899aabbccddeeff"); /* begins so by chance */
    assert_int_equal(p.secret[0], 0xee);
}

static void bad_urls_are_refused_without_showing_secrets(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "1.2.3.4:1",
        "socks4://1.2.3.4:1",
        "https://1.2.3.4:1",
        "socks5://1.2.3.4",
        "socks5://:1",
        "socks5://1.2.3.4:0",
        "socks5://1.2.3.4:70000",
        "socks5://::1:1080",
        "socks5://hunter2hunter2%zz:x@1.2.3.4:1",
        "socks5://:hunter2hunter2@1.2.3.4:1",
        "socks5://1.2.3.4:1/hunter2hunter2",
        "mtproxy://1.2.3.4:1",
        "mtproxy://1.2.3.4:1/hunter2hunter2",
        "mtproxy://1.2.3.4:1/dd0011",
        "mtproxy://x@1.2.3.4:1/" SECRET,
        "mtproxy://1.2.3.4:1/" SECRET "00",
    };
    struct proxy p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(proxy_parse(bad[i], &p, error));
        assert_null(strstr(error, "hunter2"));
        assert_true(slice_starts_with(slice_str(error), "--proxy"));
    }
    assert_false(proxy_parse("mtproxy://1.2.3.4:1/ee" SECRET "676f6f676c652e636f6d", &p, error));
    assert_non_null(strstr(error, "TLS"));
}

/* ---- dialogues ---- */

/* What is said by the proxy, and what is expected to be said to it before. */
struct line {
    const char *us;
    size_t us_len;
    const char *them;
    size_t them_len;
};
#define LINE(us, them)                                                                             \
    {                                                                                              \
        us, sizeof(us) - 1, them, sizeof(them) - 1                                                 \
    }

/* The whole dialogue, the proxy's words whole or byte by byte. */
static enum tunnel_status talk(struct tunnel *t, const struct proxy *p, const char *host, int port,
                               const struct line *lines, size_t n, bool bytewise)
{
    static struct dc_address target;
    struct buf in, out;
    enum tunnel_status status = TUNNEL_MORE;
    snprintf(target.host, sizeof target.host, "%s", host);
    target.port = port;
    buf_init(&in, 0);
    buf_init(&out, 0);
    tunnel_begin(t, p, &target, &out);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(status, TUNNEL_MORE);
        assert_int_equal(out.len, lines[i].us_len);
        assert_memory_equal(out.data, lines[i].us, out.len);
        buf_clear(&out);
        for (size_t at = 0; at < lines[i].them_len && status == TUNNEL_MORE;) {
            size_t piece = bytewise ? 1 : lines[i].them_len;
            buf_append(&in, lines[i].them + at, piece);
            at += piece;
            status = tunnel_input(t, &in, &out);
        }
    }
    if (status == TUNNEL_OPEN)
        assert_int_equal(in.len, 0);
    buf_free(&in);
    buf_free(&out);
    return status;
}

static void expect(const char *url, const char *host, int port, const struct line *lines, size_t n,
                   enum tunnel_status expected, const char *reason)
{
    struct proxy p = parse(url);
    struct tunnel t;
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        assert_int_equal(talk(&t, &p, host, port, lines, n, bytewise), expected);
        if (reason)
            assert_non_null(strstr(t.reason, reason));
    }
}
#define N(lines) sizeof(lines) / sizeof *(lines)

static void socks_without_a_password(void **state)
{
    (void)state;
    const struct line v4[] = {LINE("\5\1\0", "\5\0"),
                              LINE("\5\1\0\1\1\2\3\4\1\xbb", "\5\0\0\1\0\0\0\0\0\0")};
    const struct line v6[] = {LINE("\5\1\0", "\5\0"),
                              LINE("\5\1\0\4\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50",
                                   "\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")};
    const struct line name[] = {LINE("\5\1\0", "\5\0"),
                                LINE("\5\1\0\3\4host\0\x50", "\5\0\0\3\2ab\0\1")};
    expect("socks5://p:1", "1.2.3.4", 443, v4, N(v4), TUNNEL_OPEN, NULL);
    expect("socks5://p:1", "2001::1", 80, v6, N(v6), TUNNEL_OPEN, NULL);
    expect("socks5://p:1", "host", 80, name, N(name), TUNNEL_OPEN, NULL);
}

static void socks_with_a_password(void **state)
{
    (void)state;
    const struct line good[] = {LINE("\5\1\2", "\5\2"), LINE("\1\2me\3key", "\1\0"),
                                LINE("\5\1\0\1\1\2\3\4\1\xbb", "\5\0\0\1\0\0\0\0\0\0")};
    const struct line wrong[] = {LINE("\5\1\2", "\5\2"), LINE("\1\2me\3key", "\1\1")};
    const struct line wanted[] = {LINE("\5\1\0", "\5\xff")};
    expect("socks5://me:key@p:1", "1.2.3.4", 443, good, N(good), TUNNEL_OPEN, NULL);
    expect("socks5://me:key@p:1", "1.2.3.4", 443, wrong, N(wrong), TUNNEL_FAILED, "password");
    expect("socks5://p:1", "1.2.3.4", 443, wanted, N(wanted), TUNNEL_FAILED, "password");
}

static void socks_that_fails_says_why(void **state)
{
    (void)state;
    const struct line refused[] = {LINE("\5\1\0", "\5\0"),
                                   LINE("\5\1\0\1\1\2\3\4\1\xbb", "\5\5\0\1\0\0\0\0\0\0")};
    const struct line strange[] = {LINE("\5\1\0", "\5\0"),
                                   LINE("\5\1\0\1\1\2\3\4\1\xbb", "\5\xee\0\1\0\0\0\0\0\0")};
    const struct line http[] = {LINE("\5\1\0", "HTTP/1.1 400 Bad Request\r\n\r\n")};
    expect("socks5://p:1", "1.2.3.4", 443, refused, N(refused), TUNNEL_FAILED, "refused");
    expect("socks5://p:1", "1.2.3.4", 443, strange, N(strange), TUNNEL_FAILED, "failed");
    expect("socks5://p:1", "1.2.3.4", 443, http, N(http), TUNNEL_FAILED, "SOCKS5");
}

static void http_connects(void **state)
{
    (void)state;
    const struct line plain[] = {LINE("CONNECT 1.2.3.4:443 HTTP/1.1\r\nHost: 1.2.3.4:443\r\n\r\n",
                                      "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n")};
    const struct line with[] = {
        LINE("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n"
             "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n", /* RFC 7617 */
             "HTTP/1.1 200\r\n\r\n")};
    const struct line wanted[] = {
        LINE("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", "HTTP/1.1 407 Who are you\r\n\r\n")};
    const struct line refused[] = {
        LINE("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", "HTTP/1.1 502 No\r\n\r\n")};
    const struct line noise[] = {
        LINE("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", "SSH-2.0-x\r\n")};
    expect("http://p:1", "1.2.3.4", 443, plain, N(plain), TUNNEL_OPEN, NULL);
    expect("http://Aladdin:open%20sesame@p:1", "::1", 80, with, N(with), TUNNEL_OPEN, NULL);
    expect("http://p:1", "h", 1, wanted, N(wanted), TUNNEL_FAILED, "wants");
    expect("http://p:1", "h", 1, refused, N(refused), TUNNEL_FAILED, "reach");
    expect("http://p:1", "h", 1, noise, N(noise), TUNNEL_FAILED, "HTTP");
}

static void http_answers_are_bounded(void **state)
{
    (void)state;
    struct proxy p = parse("http://p:1");
    struct dc_address target = {.host = "h", .port = 1};
    struct tunnel t;
    struct buf in, out;
    enum tunnel_status status = TUNNEL_MORE;
    buf_init(&in, 0);
    buf_init(&out, 0);
    tunnel_begin(&t, &p, &target, &out);
    buf_append_str(&in, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10000 && status == TUNNEL_MORE; i++) {
        buf_append_str(&in, "X: y\r\n");
        status = tunnel_input(&t, &in, &out);
    }
    assert_int_equal(status, TUNNEL_FAILED);
    buf_free(&in);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(bad_urls_are_refused_without_showing_secrets),
        cmocka_unit_test(socks_without_a_password),
        cmocka_unit_test(socks_with_a_password),
        cmocka_unit_test(socks_that_fails_says_why),
        cmocka_unit_test(http_connects),
        cmocka_unit_test(http_answers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
