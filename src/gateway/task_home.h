/* SPDX-License-Identifier: MIT
 * The side of a call that belongs to its HTTP connection. */
#ifndef TGREST_GATEWAY_TASK_HOME_H
#define TGREST_GATEWAY_TASK_HOME_H

#include "gateway/task.h"

/* Answers the client and frees the task (or keeps it until its gone_mail is back). At home. */
void task_answer(struct task *t);
/* The same, as mail from the owner. */
void task_deliver_answer(struct mail *mail, void *worker);

#endif
