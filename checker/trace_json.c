/* SPDX-License-Identifier: MIT */
/* A trace for programs: as JSON, and as trace events that Chrome's tracing and Perfetto show. */
#include "checker/rules.h"
#include "checker/trace.h"

static void string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; s && *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			fprintf(f, "\\u%04x", *s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

static void member(FILE *f, const char *name, const char *s, const char *after)
{
	fprintf(f, "\"%s\":", name);
	string(f, s);
	fputs(after, f);
}

static void place(FILE *f, const struct sim_at *at)
{
	member(f, "file", at->file, ",");
	fprintf(f, "\"line\":%d", at->line);
}

static void print_event(FILE *f, const struct trace *t, const struct trace_line *l)
{
	fprintf(f, "{\"n\":%zu,", l->number);
	member(f, "cpu", t->column[l->column], ",");
	member(f, "actor", trace_actor(l->actor) ? trace_actor(l->actor)->name : sim.cpu[l->actor].name, ",");
	if (l->folded) {
		fprintf(f, "\"folded\":%u}", l->folded);
		return;
	}
	member(f, "op", trace_op(l->event), ",");
	member(f, "text", l->text, ",");
	place(f, &l->event->at);
	if (l->more)
		fprintf(f, ",\"more\":%u", l->more);
	fprintf(f, ",\"old\":\"%#llx\",\"value\":\"%#llx\"", (unsigned long long)l->event->old,
		(unsigned long long)l->event->value);
	if (l->event->tree != SIM_NO_TREE) {
		const struct sim_tree *tree = &sim.tree[l->event->tree];

		fputs(",\"level\":", f);
		string(f, tree->format->level_name(&tree->geom, l->event->level));
	}
	fputc('}', f);
}

static void head(FILE *f, const struct trace *t, const struct checker_show *show)
{
	member(f, "story", show->story, ",");
	member(f, "variant", show->variant, ",");
	member(f, "arch", show->arch, ",");
	member(f, "origin", show->origin, ",");
	member(f, "rule", t->report->rule, ",");
	member(f, "meaning", t->rule ? t->rule->meaning : "", ",");
	member(f, "manual", t->manual, ",");
	member(f, "who", t->who, ",");
	member(f, "text", t->report->text, ",");
}

void trace_print_json(const struct trace *t, const struct checker_show *show, FILE *f)
{
	fputc('{', f);
	head(f, t, show);
	fputs("\"cpus\":[", f);
	for (unsigned i = 0; i < t->columns; i++) {
		fputs(i ? "," : "", f);
		string(f, t->column[i]);
	}
	fputs("],\"events\":[", f);
	for (size_t i = 0; i < t->lines; i++) {
		fputs(i ? ",\n" : "\n", f);
		print_event(f, t, &t->line[i]);
	}
	fputs("],\n\"then\":[", f);
	for (unsigned i = 0; i < t->holds; i++) {
		fputs(i ? "," : "", f);
		string(f, t->hold[i]);
	}
	fprintf(f, "],\"left_out\":%zu}\n", t->left_out);
}

/* Google, "Trace Event Format": complete events, a microsecond each, one thread per CPU. */
void trace_print_chrome(const struct trace *t, const struct checker_show *show, FILE *f)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{", f);
	head(f, t, show);
	fputs("\"tool\":\"coppice\"},\"traceEvents\":[\n", f);
	for (unsigned i = 0; i < t->columns; i++) {
		fprintf(f, "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\",\"args\":{", i);
		member(f, "name", t->column[i], "}},\n");
	}
	for (size_t i = 0; i < t->lines; i++) {
		const struct trace_line *l = &t->line[i];

		fprintf(f, "{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%zu,\"dur\":%u,", l->column, l->number,
			l->folded ? l->folded : 1);
		member(f, "name", l->text, ",\"args\":{");
		if (l->event)
			place(f, &l->event->at);
		fprintf(f, "}}%s\n", i + 1 < t->lines ? "," : "");
	}
	fputs("]}\n", f);
}
