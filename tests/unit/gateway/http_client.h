/* SPDX-License-Identifier: MIT
 * A blocking HTTP/1.1 client, just enough for tests. */
#ifndef TGREST_TESTS_GATEWAY_HTTP_CLIENT_H
#define TGREST_TESTS_GATEWAY_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

enum { CLIENT_TIMEOUT_S = 120 };

struct http_answer {
    int status; /* 0: the connection ended without an answer */
    char head[8192];
    char body[65536];
};

static inline int client_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline void client_send(int fd, const char *method, const char *path, const char *session,
                               const char *headers, const char *body)
{
    char request[16384];
    int n = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s", method,
                     path, session ? "X-Session-String: " : "", session ? session : "",
                     session ? "\r\n" : "", headers, strlen(body), body);
    for (int sent = 0; sent < n;) {
        ssize_t m = send(fd, request + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (m <= 0)
            return;
        sent += (int)m;
    }
}

/* One answer, which has a Content-Length. */
static inline void client_receive(int fd, struct http_answer *a)
{
    static const char length_name[] = "Content-Length: ";
    char all[sizeof a->head + sizeof a->body];
    size_t len = 0;
    *a = (struct http_answer){0};
    for (;;) {
        all[len] = '\0';
        char *end = strstr(all, "\r\n\r\n");
        char *length = end ? strstr(all, length_name) : NULL;
        size_t head = end ? (size_t)(end + 4 - all) : 0;
        size_t body = length ? (size_t)atoi(length + sizeof length_name - 1) : 0;
        if (end && len >= head + body) {
            snprintf(a->head, sizeof a->head, "%.*s", (int)head, all);
            snprintf(a->body, sizeof a->body, "%.*s", (int)body, all + head);
            a->status = atoi(a->head + 9);
            return;
        }
        ssize_t n = len + 1 < sizeof all ? recv(fd, all + len, sizeof all - 1 - len, 0) : 0;
        if (n <= 0)
            return;
        len += (size_t)n;
    }
}

/* A whole exchange on a connection of its own. */
static inline void client_call(int port, const char *method, const char *path, const char *session,
                               const char *headers, const char *body, struct http_answer *a)
{
    int fd = client_connect(port);
    *a = (struct http_answer){0};
    if (fd < 0)
        return;
    client_send(fd, method, path, session, headers, body);
    client_receive(fd, a);
    close(fd);
}

#endif
