/* SPDX-License-Identifier: MIT */
/* A second CPU that does something while the first one does what is timed. */
#ifndef COPPICE_BENCH_PAIR_H
#define COPPICE_BENCH_PAIR_H

#include "bench/suite.h"

#include <pthread.h>

/**
 * struct pair - the second CPU
 * @go, @done: rounds asked for and finished; marked
 */
struct pair {
	struct bench *b;
	pthread_t thread;
	void (*work)(void *);
	void *ctx;
	uint32_t go, done;
	bool stop, started, refused;
};

/* Return: false if there is no second CPU, said why on stderr. @p: zeroed. */
bool pair_begin(struct pair *, struct bench *);
/* The second CPU does it once, from now on. */
void pair_go(struct pair *, void (*work)(void *), void *ctx);
/* It has. */
void pair_wait(struct pair *);
void pair_end(struct pair *);

#endif
