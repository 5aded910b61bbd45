/* SPDX-License-Identifier: MIT */
#include "bench/pair.h"

#include "ports/host/machine.h"

/* A TLB shootdown may wait for this CPU: it polls for interrupts while it waits for work. */
static void await_go(struct pair *p, uint32_t seen)
{
	while (cop_load(&p->go, acquire) == seen)
		cop_host_poll();
}

static void *second_cpu(void *arg)
{
	struct pair *p = arg;

	p->refused = measure_pin(p->b->cpu[1]) || cop_host_thread_start(1);
	cop_store(&p->started, true, release);
	if (p->refused)
		return NULL;
	for (uint32_t seen = 0;; seen++) {
		await_go(p, seen);
		if (p->stop)
			break;
		p->work(p->ctx);
		cop_store(&p->done, seen + 1, release); /* pairs with pair_wait() */
	}
	cop_host_thread_stop();
	return NULL;
}

bool pair_begin(struct pair *p, struct bench *b)
{
	bool started;

	p->b = b;
	if (b->cpu[1] < 0)
		return bench_failed(b, "this process may use one CPU only");
	if (pthread_create(&p->thread, NULL, second_cpu, p))
		return bench_failed(b, "no thread for the second CPU");
	cop_await(&p->started, started, started);
	if (!p->refused)
		return true;
	pthread_join(p->thread, NULL);
	return bench_failed(b, "no second CPU");
}

void pair_go(struct pair *p, void (*work)(void *), void *ctx)
{
	p->work = work;
	p->ctx = ctx;
	cop_store(&p->go, p->go + 1, release); /* pairs with await_go() */
}

void pair_wait(struct pair *p)
{
	uint32_t done;

	cop_await(&p->done, done, done == p->go);
}

void pair_end(struct pair *p)
{
	p->stop = true;
	cop_store(&p->go, p->go + 1, release);
	pthread_join(p->thread, NULL);
}
