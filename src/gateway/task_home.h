/* SPDX-License-Identifier: MIT
 * The side of a call that belongs to its HTTP connection. */
#ifndef TGREST_GATEWAY_TASK_HOME_H
#define TGREST_GATEWAY_TASK_HOME_H

#include "gateway/task.h"

/* Answers the client and frees the task (or keeps it until its gone_mail is back). At home. */
void task_answer(struct task *t);
/* The same, as mail from the owner. */
void task_deliver_answer(struct mail *mail, void *worker);

/* Headers of the answer; room for CALL_HEADERS_MAX + 3. Returns how many. */
size_t task_headers(const struct task *t, struct http_header *headers);
/* Takes no more of a streamed body until call_body_read wants it. */
void task_hold_body(struct task *t);
/* Takes the task's connection to the worker that owns its session, where the request is read anew;
 * the task ends. */
void task_move(struct task *t);
/* Frees a task whose exchange has ended (or keeps it until its gone_mail is back). */
void task_leave(struct task *t);

#endif
