/* SPDX-License-Identifier: MIT
 * What the ways of logging in share: how each begins, goes on to the next step, and ends. */
#ifndef TGREST_GATEWAY_LOGIN_STEPS_H
#define TGREST_GATEWAY_LOGIN_STEPS_H

#include "gateway/call.h"

/* Starts a session from the parameters api_id and api_hash, with a fresh key where logins begin.
 * False: error set. */
bool login_start(struct call *c) __attribute__((warn_unused_result));
/* Is the session at that step (or that one)? Else says which step is next; false: error set. */
bool login_expect(struct call *c, enum session_state state, enum session_state or_state)
    __attribute__((warn_unused_result));

/* Begins the answer {message, next_step, session_string, …}: the caller ends the object. */
struct json_writer *login_step_answer(struct call *c, const char *message, const char *next_step);
/* The answer of a login that is complete: nothing of its steps stays in the session. */
void login_finish(struct call *c, const struct tl_object *authorization, const char *message);
/* After SESSION_PASSWORD_NEEDED: the answer that asks for the password, with its hint. */
void login_ask_password(struct call *c);

#endif
