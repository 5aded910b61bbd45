/* SPDX-License-Identifier: MIT */
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include "cli/run/plan.h"

/* Exits with a message on a bad option. */
struct run_options options_parse(int argc, char **argv);

#endif
