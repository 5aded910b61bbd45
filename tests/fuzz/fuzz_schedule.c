// SPDX-License-Identifier: MIT
/* A string for `coppice replay`: refused with one line, or a schedule that is within bounds and says the same when printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checker/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_schedule(const struct schedule *s)
{
	uint32_t pass = 0;

	if (s->steps > SCHEDULE_STEPS || s->asked > SCHEDULE_ASKED)
		abort();
	for (uint32_t i = 0; i < s->steps; i++) {
		if (s->actor[i] >= SCHEDULE_ACTORS)
			abort();
	}
	for (uint32_t i = 0; i < s->choices; i++) {
		if (s->choice[i].pass < pass || s->choice[i].pass > s->steps)
			abort();
		pass = s->choice[i].pass;
	}
}

static void check_again(const struct schedule_string *s)
{
	char *text = schedule_print(&s->name, &s->schedule);
	struct schedule_string again = schedule_parse(text);

	if (again.error || again.schedule.steps != s->schedule.steps || again.schedule.choices != s->schedule.choices ||
	    memcmp(again.schedule.actor, s->schedule.actor, s->schedule.steps) != 0)
		abort();
	schedule_free(&again.schedule);
	free(text);
}

static void check_text(const char *text)
{
	struct schedule_string s = schedule_parse(text);

	if (s.error) {
		if (strchr(s.error, '\n') || s.schedule.actor)
			abort();
		return;
	}
	check_schedule(&s.schedule);
	check_again(&s);
	schedule_free(&s.schedule);
}

/* What the bytes would say if they were steps: past the checksum, which would stop almost everything. */
static void check_steps(const uint8_t *data, size_t bytes)
{
	struct schedule s = {.actor = malloc(bytes + 1), .steps = (uint32_t)(bytes < 1000 ? bytes : 1000)};
	const struct schedule_name name = {"HR1", "fixed", "arm64-4k", "sc", "0"};
	char *text;

	for (uint32_t i = 0; i < s.steps; i++)
		s.actor[i] = data[i] % SCHEDULE_ACTORS;
	text = schedule_print(&name, &s);
	check_text(text);
	if (bytes > 2 && data[0] % 4 == 0)
		text[data[1] % strlen(text)] = (char)data[2];
	check_text(text);
	free(text);
	free(s.actor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text = malloc(bytes + 1);

	memcpy(text, data, bytes);
	text[bytes] = 0;
	check_text(text);
	check_steps(data, bytes);
	free(text);
	return 0;
}
