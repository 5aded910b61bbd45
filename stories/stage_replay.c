/* SPDX-License-Identifier: MIT */
/*
 * One execution of the story again: what `coppice replay` runs.
 *
 *	PROGRAM --replay STRING [--json] [--trace-out FILE] [--colour] [--width CHARACTERS]
 */
#include "stories/stage_format.h"
#include "stories/stage_sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *string, *chrome;
	bool json;
	struct checker_show show;
	enum sim_memory_order order;
};

const struct cop_variant *stage_variant(const char *name, uint32_t format)
{
	for (const struct cop_variant *v = cop_story.variants; v->name; v++) {
		if (!strcmp(v->name, name) && ((v->formats ? v->formats : cop_story.formats) & format))
			return v;
	}
	return NULL;
}

char *stage_schedule(const struct cop_variant *variant, uint32_t format, const struct checker_verdict *v)
{
	struct schedule_name name = {.story = ""};

	if (v->result != CHECKER_FAILS || !v->replays)
		return NULL;
	snprintf(name.story, sizeof(name.story), "%s", cop_story.id);
	snprintf(name.variant, sizeof(name.variant), "%s", variant->name);
	snprintf(name.format, sizeof(name.format), "%s", stage_format_name(format));
	snprintf(name.order, sizeof(name.order), "%s", checker_order_name(v->order));
	snprintf(name.version, sizeof(name.version), "%s", stage_version);
	return schedule_print(&name, &v->schedule);
}

/* As all that goes wrong before anything runs. */
__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("coppice replay: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return 2;
}

static int run(const struct options *o, const struct schedule *schedule, uint32_t format)
{
	struct checker_replay r;

	if (!o->json)
		printf("%s %s, %s: %s\n\n", o->show.story, o->show.variant, o->show.arch, cop_story.title);
	r = stage_replay(format, o->order, schedule, &o->show, o->json ? NULL : stdout);
	if (r.lost)
		return refuse(
			"at step %u nobody can go on as the string says; expected one that `coppice check` printed",
			r.lost);
	if (r.report.rule)
		return 1;
	puts(o->json ? "{}" : "nothing is broken");
	return 0;
}

static int run_with_files(struct options *o, const struct schedule *schedule, uint32_t format)
{
	int code;

	if (o->chrome) {
		o->show.chrome = fopen(o->chrome, "w");
		if (!o->show.chrome)
			return refuse("--trace-out: %s: %s", o->chrome, strerror(errno));
	}
	o->show.json = o->json ? stdout : NULL;
	code = run(o, schedule, format);
	if (o->show.chrome && fclose(o->show.chrome))
		code = refuse("--trace-out: %s: %s", o->chrome, strerror(errno));
	return code;
}

static bool is_order(enum sim_memory_order order, const char *name)
{
	return !strcmp(checker_order_name(order), name);
}

static int replay(struct options *o, const struct schedule_string *s)
{
	const uint32_t format = stage_format_bits(s->name.format);
	const char *arch = stage_format_name(format);
	const struct cop_variant *variant = arch ? stage_variant(s->name.variant, format) : NULL;

	o->order = arch && !is_order(SIM_ORDER_SC, s->name.order) ? stage_order(format) : SIM_ORDER_SC;
	if (strcmp(s->name.story, cop_story.id) != 0 || !variant || !is_order(o->order, s->name.order))
		return refuse(
			"the string is for another story, variant, architecture or memory order; expected one for %s",
			cop_story.id);
	if (strcmp(s->name.version, stage_version) != 0)
		return refuse(
			"the string is for other sources of story, library or checker (%s); expected one for these "
			"(%s)",
			s->name.version, stage_version);
	o->show.story = cop_story.id;
	o->show.variant = variant->name;
	stage_choose(variant);
	o->show.arch = arch;
	o->show.origin = cop_story.origin;
	return run_with_files(o, &s->schedule, format);
}

static bool parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--replay") && more)
			o->string = argv[++i];
		else if (!strcmp(argv[i], "--trace-out") && more)
			o->chrome = argv[++i];
		else if (!strcmp(argv[i], "--width") && more)
			o->show.width = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--colour"))
			o->show.colour = true;
		else
			return false;
	}
	return o->string;
}

int stage_replay_main(int argc, char **argv)
{
	struct options o = {.json = false};
	struct schedule_string s;
	int code;

	if (!parse(&o, argc, argv))
		return refuse("expected --replay STRING [--json] [--trace-out FILE] [--colour] [--width CHARACTERS]");
	s = schedule_parse(o.string);
	if (s.error)
		return refuse("%s; expected a string that `coppice check` printed", s.error);
	code = replay(&o, &s);
	schedule_free(&s.schedule);
	return code;
}
