/* SPDX-License-Identifier: MIT
 * The machine part of a coroutine switch: saves what a C call must preserve, swaps stacks. */
#ifndef TGREST_BASE_CORO_SWITCH_H
#define TGREST_BASE_CORO_SWITCH_H

#include <stdint.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#define CORO_USES_UCONTEXT 1
#include <ucontext.h>
#endif

/* Where a suspended side goes on. */
struct coro_context {
#ifdef CORO_USES_UCONTEXT
    ucontext_t ucontext;
#else
    void *stack_pointer;
#endif
};

/* Prepares `to` so that the first switch to it calls entry(arg) on the stack below stack_top
 * (16-byte aligned). entry never returns. */
void coro_context_make(struct coro_context *to, uint8_t *stack_low, uint8_t *stack_top,
                       void (*entry)(void *arg), void *arg);
/* Saves the running side in `from` and goes on at `to`; returns when somebody switches back. */
void coro_context_switch(struct coro_context *from, struct coro_context *to);

#endif
