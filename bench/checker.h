/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_BENCH_CHECKER_H
#define COPPICE_BENCH_CHECKER_H

#include <stdbool.h>

/* Prints what the checker's engine does in a second. Return: figures that are wrong or miss their target. */
unsigned bench_checker(bool json);

#endif
