/* SPDX-License-Identifier: MIT */
/* Does a story's registration make sense? Whoever writes one is told where, what, and what was expected. */
#include "stories/stage_format.h"
#include "stories/stage_sim.h"
#include "checker/rules.h"

#include <stdarg.h>
#include <string.h>

#define SLOTS 64 /* of a list whose end is not found */

__attribute__((format(printf, 1, 2))) static bool bad(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", cop_story.at.file ? cop_story.at.file : "story", cop_story.at.line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

static bool is_name(const char *s, size_t room)
{
	return s && *s && strlen(s) < room &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(s);
}

static bool head_is_valid(void)
{
	const struct cop_story *s = &cop_story;

	if (!is_name(s->id, 32))
		return bad("the story's .id; expected up to 31 letters, digits, - and _");
	if (!s->title || !s->origin)
		return bad("story %s without .title or .origin; expected both", s->id);
	if (!s->formats || (s->formats & ~(uint32_t)COP_ON_ALL))
		return bad("story %s: .formats %#x; expected some of enum cop_stage_format", s->id, s->formats);
	if (!s->world || !s->world_bytes)
		return bad("story %s without .world or .world_bytes; expected its state, which every execution starts "
			   "from",
			   s->id);
	if (!s->setup || !s->check)
		return bad("story %s without .setup or .check; expected both", s->id);
	return true;
}

static bool actors_are_valid(const struct cop_actor *a)
{
	if (!a || !a->name)
		return bad("story %s without .actors; expected one to %d, and {.name = NULL} after them", cop_story.id,
			   SIM_CPUS);
	for (unsigned i = 0; a[i].name; i++) {
		if (i == SIM_CPUS)
			return bad("story %s: more than %d actors, or no {.name = NULL} after them", cop_story.id,
				   SIM_CPUS);
		if (!a[i].run)
			return bad("story %s: actor %u without .run; expected a function", cop_story.id, i);
		if (a[i].cpu >= SIM_CPUS)
			return bad("story %s: actor '%s' on CPU %u; expected 0 to %d", cop_story.id, a[i].name,
				   a[i].cpu, SIM_CPUS - 1);
	}
	return true;
}

static uint32_t formats_of(const struct cop_variant *v)
{
	return v->formats ? v->formats : cop_story.formats;
}

static bool variant_is_valid(const struct cop_variant *v)
{
	const char *id = cop_story.id;

	if (!is_name(v->name, 64))
		return bad("story %s: a variant's .name; expected up to 63 letters, digits, - and _", id);
	if (v->formats & ~(uint32_t)COP_ON_ALL)
		return bad("story %s, variant '%s': .formats %#x; expected some of enum cop_stage_format", id, v->name,
			   v->formats);
	if (v->outcome != COP_EXHAUSTED && v->outcome != COP_FAILS)
		return bad("story %s, variant '%s': .outcome %d; expected COP_EXHAUSTED or COP_FAILS", id, v->name,
			   (int)v->outcome);
	if (v->outcome == COP_FAILS && (!v->rule || !checker_rule(v->rule)))
		return bad("story %s, variant '%s': .rule '%s'; expected one of those that `coppice explain` lists", id,
			   v->name, v->rule ? v->rule : "");
	if (v->actors && !actors_are_valid(v->actors))
		return false;
	for (const struct cop_variant *o = cop_story.variants; o < v; o++) {
		if (!strcmp(o->name, v->name) && (formats_of(o) & formats_of(v)))
			return bad("story %s: variant '%s' twice for one format; expected each once", id, v->name);
	}
	return true;
}

static bool variants_are_valid(void)
{
	const struct cop_variant *v = cop_story.variants;
	bool fixed = false;

	if (!v || !v->name)
		return bad("story %s without .variants; expected one called 'fixed', and {.name = NULL} at the end",
			   cop_story.id);
	for (; v->name; v++) {
		if (v - cop_story.variants == SLOTS)
			return bad("story %s: more than %d variants, or no {.name = NULL} after them", cop_story.id,
				   SLOTS);
		if (!variant_is_valid(v))
			return false;
		fixed |= !strcmp(v->name, "fixed");
	}
	return fixed || bad("story %s without a variant 'fixed'; expected one: the library as it is", cop_story.id);
}

bool stage_valid(void)
{
	return head_is_valid() && actors_are_valid(cop_story.actors) && variants_are_valid();
}
