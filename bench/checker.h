/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_BENCH_CHECKER_H
#define COPPICE_BENCH_CHECKER_H

#include <stdbool.h>

#include <cjson/cJSON.h>

/* Prints what the checker's engine does in a second. Return: figures that are wrong or miss their target. */
unsigned bench_checker(bool json);
/* ... and on the simulated machine: a part of that; adds to the array. */
unsigned bench_checker_machine(cJSON *all, bool json);

#endif
