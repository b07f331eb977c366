/* SPDX-License-Identifier: MIT
 * One TCP connection of a client, and the port it came in by. */
#ifndef TGREST_SANDBOX_CONNECTION_H
#define TGREST_SANDBOX_CONNECTION_H

#include <uv.h>

#include "mtproto/handshake.h"
#include "mtproto/transport.h"
#include "sandbox/session.h"

enum {
    CONNECTIONS_MAX = 200000,
    READ_BYTES = 256 * 1024,            /* the sandbox's one read buffer */
    WRITE_QUEUE_MAX = 32 * 1024 * 1024, /* a client that reads nothing is cut off */
    HANDSHAKE_TIMEOUT_MS = 60 * 1000,   /* a connection without any good frame */
    BAD_FRAMES_MAX = 8,                 /* frames that do not decrypt before the link is cut */
};

struct listener {
    uv_tcp_t tcp;
    struct sandbox *sandbox;
    int32_t dc; /* 1 … */
    bool open;  /* false: only told of */
    bool media_only;
    uint16_t port;
    struct sockaddr_storage address;
};

struct connection {
    uv_tcp_t tcp;
    uv_timer_t timer; /* ping_delay_disconnect, or the handshake's time limit */
    struct sandbox *sandbox;
    int32_t dc;
    uint64_t serial; /* never reused */
    struct transport transport;
    struct buf in;  /* what no frame was made of yet */
    struct buf out; /* written at the end of the loop's turn */
    struct handshake_server *handshake;
    uv_work_t work;
    bool working; /* the handshake is on a pool thread */
    bool closing;
    bool proven; /* a frame of a known key was good */
    uint32_t bad_frames;
    int handles_open;
    struct session *sessions; /* by next_of_connection */
    char ip[48];

    bool touched; /* linked in sandbox.touched */
    struct connection *next_touched;
    struct connection *prev;
    struct connection *next;
};

/* Accepts one; for uv_listen. */
void connection_accept(uv_stream_t *server, int status);
/* Something waits to be written: at the end of this turn. */
void connection_touch(struct connection *c);
/* Frames what its sessions have to say, and writes. */
void connection_flush(struct connection *c);
/* Closes; its sessions stay, without connection. reset: RST instead of FIN. Safe to call twice; c
 * is freed by a later turn of the loop. */
void connection_close(struct connection *c, bool reset);
/* A transport error (-404 …), then close. */
void connection_refuse(struct connection *c, int32_t code);
/* A frame of random bytes. */
void connection_send_garbage(struct connection *c);
/* The client has closed its end already, though we may not have read that far. */
bool connection_peer_gone(const struct connection *c);
struct connection *connection_by_serial(struct sandbox *s, uint64_t serial);
/* (Re)starts the countdown to closing; 0 stops it. */
void connection_close_in(struct connection *c, uint64_t ms);

#endif
