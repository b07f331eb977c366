/* SPDX-License-Identifier: MIT
 * The sandbox: a small Telegram data centre in memory, on one libuv loop.
 *
 * What handlers need is at the top; what embeds a sandbox (tgrest sandbox, tgrest demo, tests)
 * below. */
#ifndef TGREST_SANDBOX_SANDBOX_H
#define TGREST_SANDBOX_SANDBOX_H

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "sandbox/account.h"
#include "sandbox/handler.h"
#include "sandbox/update.h"

struct uv_loop_s;

/* ---- for handlers ---- */

/* A request without a connection: builds in the newest layer, acts as `self`. For timers and
 * for the demo world. Handlers may be called with it. view->arena is the caller's. */
void sandbox_request_as(struct sandbox *s, struct request *r, struct user *self,
                        struct arena *arena);

/* Heavy work off the loop: a handler returns sandbox_work(…); work(arg) runs on a pool thread and
 * touches nothing but arg (in r->arena); done(r, arg) then runs on the loop and gives the answer.
 * Only for requests that came over a connection. */
struct tl_value sandbox_work(struct request *r, void (*work)(void *arg),
                             struct tl_value (*done)(struct request *r, void *arg), void *arg);

/* ---- for whoever runs one ---- */

enum {
    SANDBOX_DCS_MAX = 5,
    SANDBOX_FAULTS_MAX = 64,
    SANDBOX_FURTHER_MAX = 16, /* addresses besides the first of each data centre */
};

struct sandbox_config {
    const char *listen; /* ADDR:PORT of the first data centre; the others on the next ports (port 0:
                           free ones) */
    const char *const *further; /* DC=ADDR:PORT[,media][,closed]: more of them; closed: only told of
                                   in help.getConfig */
    size_t n_further;           /* up to SANDBOX_FURTHER_MAX */
    const char *control;        /* ADDR:PORT of the control port; NULL = none */
    int32_t dcs;                /* 1 to SANDBOX_DCS_MAX */
    const char *rsa_key_file;   /* PEM, private; NULL = a new key */
    const char *rsa_public_out; /* where the public key goes as PKCS#1 PEM; NULL = nowhere */
    const char *const *schemas; /* files, one for each layer of the clients */
    size_t n_schemas;           /* 0 = the embedded layer */
    bool seeded;                /* seed is given: world and codes replay */
    uint64_t seed;
    const char *const *faults; /* rules, as fault_parse reads them */
    size_t n_faults;
    size_t file_memory; /* bytes of files; 0 = FILE_MEMORY_DEFAULT */
    bool empty_world;   /* no demo world */
    struct log log;
};

/* Listens and is ready when it returns; the loop need not run yet. NULL with `error` filled in. All
 * later calls, and uv_run, on one thread. The config's strings must live as long as the sandbox.
 * The process must ignore SIGPIPE. */
struct sandbox *sandbox_start(struct uv_loop_s *loop, const struct sandbox_config *config,
                              char *error, size_t error_size);
/* Closes all handles; uv_run then returns (if nothing else is on the loop), and sandbox_free frees.
 */
void sandbox_stop(struct sandbox *s);
void sandbox_free(struct sandbox *s);
/* The port of data centre dc (1 …). 0 if there is none. */
uint16_t sandbox_port(const struct sandbox *s, int32_t dc);
/* How many further addresses there are; the line that tells of one of them goes to out. */
size_t sandbox_further(const struct sandbox *s, size_t index, char *out, size_t size);
uint16_t sandbox_control_port(const struct sandbox *s);
/* Its public key, PKCS#1 PEM. */
void sandbox_public_pem(const struct sandbox *s, struct buf *out);

/* `tgrest sandbox …`: argv[0] is the subcommand. The exit status. */
int sandbox_main(int argc, char **argv);

#endif
