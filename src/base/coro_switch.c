/* SPDX-License-Identifier: MIT */
#include "base/coro_switch.h"

#include <stddef.h>

#ifndef CORO_USES_UCONTEXT
void coro_switch_stacks(void **save, void *go_on);
void coro_first_call(void);
#endif

#if defined(__x86_64__)

/* System V ABI: rbx, rbp, r12-r15, and the control words of SSE and x87 survive a call. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl coro_switch_stacks\n"
        ".hidden coro_switch_stacks\n"
        ".type coro_switch_stacks, @function\n"
        "coro_switch_stacks:\n" /* rdi: where to save our rsp; rsi: the rsp to go on with */
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  subq $8, %rsp\n"
        "  stmxcsr (%rsp)\n"
        "  fnstcw 4(%rsp)\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  ldmxcsr (%rsp)\n"
        "  fldcw 4(%rsp)\n"
        "  addq $8, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size coro_switch_stacks, .-coro_switch_stacks\n"
        /* The first switch returns here: entry and its argument wait in saved registers. */
        ".hidden coro_first_call\n"
        ".type coro_first_call, @function\n"
        "coro_first_call:\n"
        "  movq %r12, %rdi\n"
        "  call *%r13\n"
        "  ud2\n"
        ".size coro_first_call, .-coro_first_call\n");

/* What coro_switch_stacks pops, lowest address first. */
struct saved_registers {
    uint32_t mxcsr;
    uint16_t x87_control;
    uint16_t unused;
    uint64_t r15;
    uint64_t r14;
    void (*r13_entry)(void *arg);
    void *r12_arg;
    uint64_t rbx;
    uint64_t rbp;
    void (*return_address)(void);
};

static void fill_registers(struct saved_registers *r, void (*entry)(void *arg), void *arg)
{
    *r = (struct saved_registers){
        .mxcsr = 0x1f80, /* the ABI's defaults: all exceptions masked, round to nearest */
        .x87_control = 0x037f,
        .r13_entry = entry,
        .r12_arg = arg,
        .return_address = coro_first_call,
    };
}

#elif defined(__aarch64__)

/* AAPCS64: x19-x30, d8-d15 survive a call. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl coro_switch_stacks\n"
        ".hidden coro_switch_stacks\n"
        ".type coro_switch_stacks, %function\n"
        "coro_switch_stacks:\n"
        "  sub sp, sp, #176\n"
        "  stp d8, d9, [sp, #0]\n"
        "  stp d10, d11, [sp, #16]\n"
        "  stp d12, d13, [sp, #32]\n"
        "  stp d14, d15, [sp, #48]\n"
        "  stp x19, x20, [sp, #64]\n"
        "  stp x21, x22, [sp, #80]\n"
        "  stp x23, x24, [sp, #96]\n"
        "  stp x25, x26, [sp, #112]\n"
        "  stp x27, x28, [sp, #128]\n"
        "  stp x29, x30, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp d8, d9, [sp, #0]\n"
        "  ldp d10, d11, [sp, #16]\n"
        "  ldp d12, d13, [sp, #32]\n"
        "  ldp d14, d15, [sp, #48]\n"
        "  ldp x19, x20, [sp, #64]\n"
        "  ldp x21, x22, [sp, #80]\n"
        "  ldp x23, x24, [sp, #96]\n"
        "  ldp x25, x26, [sp, #112]\n"
        "  ldp x27, x28, [sp, #128]\n"
        "  ldp x29, x30, [sp, #144]\n"
        "  add sp, sp, #176\n"
        "  ret\n"
        ".size coro_switch_stacks, .-coro_switch_stacks\n"
        ".hidden coro_first_call\n"
        ".type coro_first_call, %function\n"
        "coro_first_call:\n"
        "  mov x0, x19\n"
        "  blr x20\n"
        "  brk #0\n"
        ".size coro_first_call, .-coro_first_call\n");

struct saved_registers {
    uint64_t d8_to_d15[8];
    void *x19_arg;
    void (*x20_entry)(void *arg);
    uint64_t x21_to_x28[8];
    uint64_t frame_pointer;
    void (*return_address)(void);
    uint64_t unused[2];
};

static void fill_registers(struct saved_registers *r, void (*entry)(void *arg), void *arg)
{
    *r = (struct saved_registers){
        .x19_arg = arg, .x20_entry = entry, .return_address = coro_first_call};
}

#endif

#ifdef CORO_USES_UCONTEXT

/* makecontext passes ints only: a pointer travels as two halves. */
struct first_call {
    void (*entry)(void *arg);
    void *arg;
};

static void first_call(unsigned high, unsigned low)
{
    struct first_call *f = (struct first_call *)(uintptr_t)((uint64_t)high << 32 | low);
    f->entry(f->arg);
}

void coro_context_make(struct coro_context *to, uint8_t *stack_low, uint8_t *stack_top,
                       void (*entry)(void *arg), void *arg)
{
    struct first_call *f = (struct first_call *)(void *)stack_top - 1;
    *f = (struct first_call){entry, arg};
    getcontext(&to->ucontext);
    to->ucontext.uc_stack.ss_sp = stack_low;
    to->ucontext.uc_stack.ss_size = (size_t)((uint8_t *)f - stack_low);
    to->ucontext.uc_link = NULL;
    uint64_t address = (uintptr_t)f;
    makecontext(&to->ucontext, (void (*)(void))first_call, 2, (unsigned)(address >> 32),
                (unsigned)address);
}

void coro_context_switch(struct coro_context *from, struct coro_context *to)
{
    swapcontext(&from->ucontext, &to->ucontext);
}

#else

void coro_context_make(struct coro_context *to, uint8_t *stack_low, uint8_t *stack_top,
                       void (*entry)(void *arg), void *arg)
{
    (void)stack_low;
    struct saved_registers *r = (struct saved_registers *)(void *)stack_top - 1;
    fill_registers(r, entry, arg);
    to->stack_pointer = r;
}

void coro_context_switch(struct coro_context *from, struct coro_context *to)
{
    coro_switch_stacks(&from->stack_pointer, to->stack_pointer);
}

#endif
