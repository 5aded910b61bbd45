/* SPDX-License-Identifier: MIT */
#include "checker/engine/coroutine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_BYTES (64UL << 10)

void coroutine_stacks(struct coroutine *c, unsigned count)
{
	const size_t each = COROUTINE_STACK_BYTES + GUARD_BYTES;
	uint8_t *all =
		mmap(NULL, count * each, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (all == MAP_FAILED) {
		perror("checker: stacks");
		abort();
	}
	for (unsigned i = 0; i < count; i++) {
		if (mprotect(all + i * each, GUARD_BYTES, PROT_NONE)) {
			perror("checker: stacks");
			abort();
		}
		c[i].top = all + (i + 1) * each;
		c[i].sp = c[i].top;
	}
}

void coroutine_stacks_free(struct coroutine *c, unsigned count)
{
	const size_t each = COROUTINE_STACK_BYTES + GUARD_BYTES;

	if (count)
		munmap(c[0].top - each, count * each);
}

#if defined(__x86_64__)

/* As coroutine_switch() leaves it; the ABI wants 16 bytes' alignment before the call that never was. */
void coroutine_start(struct coroutine *c, void (*entry)(void))
{
	uint64_t *sp = (uint64_t *)(void *)(c->top - 8);

	*sp = 0;
	*--sp = (uint64_t)(uintptr_t)entry;
	sp -= 6;
	memset(sp, 0, 6 * sizeof(*sp));
	c->sp = sp;
}

#elif defined(__aarch64__)

void coroutine_start(struct coroutine *c, void (*entry)(void))
{
	uint64_t *sp = (uint64_t *)(void *)(c->top - 160);

	memset(sp, 0, 160);
	sp[1] = (uint64_t)(uintptr_t)entry;
	c->sp = sp;
}

#else /* ucontext: an own switch is some 50 times faster */

#include <ucontext.h>

/* The context lies on the coroutine's own stack; the frame that it is in does not reach further down than this. */
#define FRAME_BYTES 512

void coroutine_start(struct coroutine *c, void (*entry)(void))
{
	uintptr_t at = ((uintptr_t)c->top - sizeof(ucontext_t)) & ~(uintptr_t)63;
	ucontext_t *context = (ucontext_t *)at;

	memset(context, 0, sizeof(*context));
	getcontext(context);
	context->uc_stack.ss_sp = c->top - COROUTINE_STACK_BYTES;
	context->uc_stack.ss_size = (size_t)(at - FRAME_BYTES - (uintptr_t)context->uc_stack.ss_sp);
	context->uc_link = NULL;
	makecontext(context, entry, 0);
	c->sp = (uint8_t *)context - FRAME_BYTES;
}

void coroutine_switch(void **from, void *to)
{
	ucontext_t here;

	*from = (uint8_t *)&here - FRAME_BYTES;
	swapcontext(&here, (ucontext_t *)(void *)((uint8_t *)to + FRAME_BYTES));
}

#endif
