/* SPDX-License-Identifier: MIT */
/*
 * Coroutines whose stacks stay at one address, so that a stack can be put back by copying it.
 *
 * Everything that a suspended coroutine is made of lies between its stack pointer and the top of its stack.
 */
#ifndef COPPICE_CHECKER_COROUTINE_H
#define COPPICE_CHECKER_COROUTINE_H

#include <stddef.h>
#include <stdint.h>

#define COROUTINE_STACK_BYTES (256UL << 10)

/**
 * struct coroutine - one stack
 * @sp: lowest byte in use while suspended
 * @top: end of the stack
 */
struct coroutine {
	void *sp;
	uint8_t *top;
};

/* Stacks for @count coroutines, with guard pages; aborts without memory. */
void coroutine_stacks(struct coroutine *, unsigned count);
void coroutine_stacks_free(struct coroutine *, unsigned count);
/* The next switch to it calls @entry, which must not return. */
void coroutine_start(struct coroutine *, void (*entry)(void));
/* Suspends the running one in *@from and resumes the one suspended in @to. */
void coroutine_switch(void **from, void *to);

#endif
