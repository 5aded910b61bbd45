/* SPDX-License-Identifier: MIT */
/* What a run tells, to people and as JSON. */
#ifndef CLI_RUN_REPORT_H
#define CLI_RUN_REPORT_H

#include "cli/out.h"
#include "cli/run/account.h"
#include "cli/run/cycle.h"
#include "cli/run/gup.h"
#include "cli/run/readers.h"

void report_plan(const struct run_plan *, const struct run_options *, FILE *);
void report_plan_json(const struct run_plan *, cJSON *);

void report_layout(const struct run_machine *, FILE *);
void report_layout_json(const struct run_machine *, cJSON *);

void report_steps(const struct cycle *, FILE *);
void report_steps_json(const struct cycle *, cJSON *);

void report_cpus(const struct cycle *, FILE *);
void report_cpus_json(const struct cycle *, cJSON *);

void report_readers(const struct reader_result *, FILE *);
void report_readers_json(const struct reader_result *, cJSON *);

void report_gup(const struct gup_result *, const struct run_options *, FILE *);
void report_gup_json(const struct gup_result *, cJSON *);

#endif
