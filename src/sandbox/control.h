/* SPDX-License-Identifier: MIT
 * The control port: a line in, lines out, the last of them "ok" or "error WHY". For tests and
 * curious people; `help` lists the commands. */
#ifndef TGREST_SANDBOX_CONTROL_H
#define TGREST_SANDBOX_CONTROL_H

#include <uv.h>

#include "base/bytes.h"

struct sandbox;
struct control;

/* Listens: 0, or a libuv error (then *out may be set all the same, to be stopped and freed). */
int control_start(struct sandbox *s, const struct sockaddr *address, struct control **out);
void control_stop(struct control *c);
/* After its handles are closed; accepts NULL. */
void control_free(struct control *c);
uint16_t control_port(const struct control *c);

/* Runs one command and appends what it answers. */
void control_run(struct sandbox *s, struct slice line, struct buf *out);

#endif
