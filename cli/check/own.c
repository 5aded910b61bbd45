// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check/diff.h"
#include "cli/check/kit.h"
#include "cli/check/own.h"
#include "cli/cli.h"

#define WORDS 512

/* A command, word by word. */
struct words {
	char *at[WORDS];
	unsigned n;
};

/* One program that is wanted. */
struct wanted {
	const struct kit *kit;
	const char *source;
	const char *patch; /* NULL: the library as it is */
	struct diff diff;
	struct kit_hash hash;
	char *dir; /* where it is kept */
	char *tmp; /* where it is made */
};

bool own_is_file(const char *name)
{
	const size_t n = strlen(name);

	return strchr(name, '/') || (n > 2 && !strcmp(name + n - 2, ".c"));
}

static void word(struct words *w, char *text)
{
	if (w->n == WORDS - 1)
		cli_fail(CLI_HOST, "more than %d words in a command", WORDS);
	w->at[w->n++] = text;
	w->at[w->n] = NULL;
}

static void words_free(struct words *w)
{
	for (unsigned i = 0; i < w->n; i++)
		free(w->at[i]);
	w->n = 0;
}

/* Compiler names and flags come with blanks. */
static void split(struct words *w, const char *text)
{
	while (*text) {
		const size_t n = strcspn(text, " ");

		if (n)
			word(w, kit_format("%.*s", (int)n, text));
		text += n + (text[n] == ' ');
	}
}

static void begin_compile(struct words *w, const struct wanted *p)
{
	w->n = 0;
	split(w, p->kit->cc);
	split(w, "-std=gnu11 -O1 -g -w -fno-strict-aliasing -fstack-clash-protection "
		 "-DCOP_PORT_HEADER=\"ports/sim/port.h\"");
	split(w, p->kit->flags);
	if (p->tmp) {
		word(w, kit_format("-fmacro-prefix-map=%s/src/=", p->tmp));
		word(w, kit_format("-I%s/src", p->tmp));
	}
	word(w, kit_format("-fmacro-prefix-map=%s/=", p->kit->src));
	word(w, kit_format("-I%s/include", p->kit->src));
	word(w, kit_format("-I%s", p->kit->src));
}

static char *line_of(char *said, char *at)
{
	while (at > said && at[-1] != '\n')
		at--;
	return at;
}

/* "FILE:LINE:COLUMN" of the story, where the error is in a macro that it uses. NULL: it is in the story, or nowhere near. */
static char *place_in(const char *source, const char *error)
{
	const size_t n = strlen(source);
	const char *at = error;

	if (!strncmp(error, source, n))
		return NULL;
	while ((at = strchr(at, '\n'))) {
		at++;
		if (!strncmp(at, source, n) && at[n] == ':' && at[n + 1] >= '0' && at[n + 1] <= '9')
			return kit_format("%.*s", (int)(n + 1 + strspn(at + n + 1, "0123456789:") - 1), at);
	}
	return NULL;
}

/* The first line of what a compiler said that names what is wrong, to be freed. */
static char *complaint(const char *source, char *said)
{
	static const char *const marks[] = {"fatal error:", "undefined reference", "multiple definition",
					    "duplicate symbol", "error:"};
	char *found = NULL, *place, *line;

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks) && !found; i++)
		found = strstr(said, marks[i]);
	line = found ? line_of(said, found) : said;
	place = found ? place_in(source, line) : NULL;
	line[strcspn(line, "\n")] = 0;
	line = place ? kit_format("%s: %s", place, found) : kit_format("%s", line);
	free(place);
	return line;
}

/* Errors in a patched copy are errors of the patch. */
static const char *without(const char *text, const char *prefix)
{
	const size_t n = prefix ? strlen(prefix) : 0;

	return n && !strncmp(text, prefix, n) ? text + n : text;
}

static void must_compile(struct words *w, const struct wanted *p)
{
	const bool terminal = isatty(STDERR_FILENO);
	char *prefix = p->tmp ? kit_format("%s/src/", p->tmp) : NULL;
	struct kit_run run;
	char *why;

	/* With a change to the library that is half a minute. */
	if (terminal)
		fprintf(stderr, "compiling %s%s ...", p->source, p->patch ? " and the library as changed" : "");
	run = kit_run(w->at, NULL);
	if (terminal)
		fputs("\r\033[K", stderr);

	if (run.code < 0)
		cli_fail(CLI_HOST, "%s: cannot be run; expected a C compiler in $CC or PATH", w->at[0]);
	if (run.code) {
		why = complaint(p->source, run.said);
		if (strstr(why, "cop_story"))
			cli_fail(CLI_USAGE, "%s: registers no story; expected COP_STORY(...)", p->source);
		cli_fail(CLI_USAGE, "%s", without(why, prefix));
	}
	free(prefix);
	free(run.said);
}

/* What is hashed. */

/* The story and what it includes beside system headers: names in a make rule. */
static void hash_source(struct wanted *p)
{
	struct words w;
	struct kit_run run;

	begin_compile(&w, p);
	word(&w, kit_format("-MM"));
	word(&w, kit_format("%s", p->source));
	run = kit_run(w.at, NULL);
	if (run.code < 0)
		cli_fail(CLI_HOST, "%s: cannot be run; expected a C compiler in $CC or PATH", w.at[0]);
	if (run.code)
		cli_fail(CLI_USAGE, "%s", complaint(p->source, run.said));
	kit_hash_bytes(&p->hash, run.said, strlen(run.said));
	for (char *name = strtok(run.said, " \\\n"); name; name = strtok(NULL, " \\\n")) {
		if (name[strlen(name) - 1] != ':')
			kit_hash_file(&p->hash, name);
	}
	free(run.said);
	words_free(&w);
}

static void hash_room(struct kit_hash *h, const char *dir)
{
	struct dirent **entry;
	const int n = scandir(dir, &entry, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = kit_format("%s/%s", dir, entry[i]->d_name);

		kit_hash_bytes(h, entry[i]->d_name, strlen(entry[i]->d_name));
		if (entry[i]->d_name[0] != '.')
			kit_hash_file(h, path);
		free(path);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

static void hash_all(struct wanted *p)
{
	static const char *const libraries[] = {"libcoppice_stories.a", "libcoppice_checker.a", "libcoppice_engine.a"};

	p->hash = kit_hash_begin();
	kit_hash_bytes(&p->hash, p->kit->cc, strlen(p->kit->cc));
	kit_hash_bytes(&p->hash, p->kit->flags, strlen(p->kit->flags));
	hash_source(p);
	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
		char *path = kit_format("%s/%s", p->kit->lib, libraries[i]);

		if (!kit_hash_file(&p->hash, path))
			cli_fail(CLI_HOST, "%s: %s; expected what `make install` installs", path, strerror(errno));
		free(path);
	}
	if (!p->patch)
		return;
	if (!kit_hash_file(&p->hash, p->patch))
		cli_fail(CLI_USAGE, "--patch: %s: %s; expected a unified diff", p->patch, strerror(errno));
	for (unsigned i = 0; kit_rooms[i]; i++) {
		char *dir = kit_format("%s/%s", p->kit->src, kit_rooms[i]);

		hash_room(&p->hash, dir);
		free(dir);
	}
}

/* Directories. */

static void make_dirs(const char *path)
{
	char *copy = kit_format("%s", path);

	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		mkdir(copy, 0755);
		*p = '/';
	}
	if (mkdir(copy, 0755) && errno != EEXIST)
		cli_fail(CLI_HOST, "%s: %s; expected room for compiled stories there, see XDG_CACHE_HOME", path,
			 strerror(errno));
	free(copy);
}

static char *cache_dir(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache == '/')
		return kit_format("%s/coppice", cache);
	if (home && *home)
		return kit_format("%s/.cache/coppice", home);
	return kit_format("/tmp/coppice-%u", (unsigned)getuid());
}

static void remove_tree(const char *path)
{
	char *const argv[] = {"rm", "-rf", (char *)(uintptr_t)path, NULL};
	struct kit_run run = kit_run(argv, NULL);

	free(run.said);
}

/* What is half made goes when the tool does. */
static char *half_made;

static void remove_half_made(void)
{
	if (half_made)
		remove_tree(half_made);
}

static void make_tmp(struct wanted *p, const char *cache)
{
	static bool registered;

	p->tmp = kit_format("%s/tmp.XXXXXX", cache);
	if (!mkdtemp(p->tmp))
		cli_fail(CLI_HOST, "%s: %s; expected room for compiled stories there", p->tmp, strerror(errno));
	half_made = p->tmp;
	if (!registered)
		atexit(remove_half_made);
	registered = true;
}

/* Compiling. */

static void copy_rooms(const struct wanted *p)
{
	char *src = kit_format("%s/src", p->tmp);

	make_dirs(src);
	for (unsigned i = 0; kit_rooms[i]; i++) {
		char *room = kit_format("%s/%s", p->kit->src, kit_rooms[i]);
		char *const argv[] = {"cp", "-R", room, src, NULL};
		struct kit_run run = kit_run(argv, NULL);

		if (run.code)
			cli_fail(CLI_HOST, "%s: cannot be copied to %s", room, src);
		free(run.said);
		free(room);
	}
	diff_apply(p->patch, src);
	free(src);
}

/* A header is part of whatever includes it, maybe of everything. */
static bool changes_headers(const struct diff *d)
{
	for (unsigned i = 0; i < d->files; i++) {
		if (d->file[i][strlen(d->file[i]) - 1] == 'h')
			return true;
	}
	return false;
}

static void add_room(struct words *w, const struct wanted *p, const char *room)
{
	char *dir = kit_format("%s/src/%s", p->tmp, room);
	struct dirent **entry;
	const int n = scandir(dir, &entry, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const size_t length = strlen(entry[i]->d_name);

		if (length > 2 && !strcmp(entry[i]->d_name + length - 2, ".c"))
			word(w, kit_format("%s/%s", dir, entry[i]->d_name));
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	free(dir);
}

static void add_changed(struct words *w, const struct wanted *p)
{
	if (changes_headers(&p->diff)) {
		for (unsigned i = 0; kit_rooms[i]; i++)
			add_room(w, p, kit_rooms[i]);
		return;
	}
	for (unsigned i = 0; i < p->diff.files; i++) {
		char *path = kit_format("%s/src/%s", p->tmp, p->diff.file[i]);

		/* Or the patch has removed it. */
		if (!access(path, R_OK))
			word(w, path);
		else
			free(path);
	}
}

static char *write_version(const struct wanted *p)
{
	char *path = kit_format("%s/version.c", p->tmp);
	FILE *f = fopen(path, "w");

	if (!f)
		cli_fail(CLI_HOST, "%s: %s", path, strerror(errno));
	fprintf(f, "#include \"stories/stage_sim.h\"\nconst char stage_version[] = \"%012llx\";\n",
		(unsigned long long)(p->hash.a ^ p->hash.b) >> 16);
	if (fclose(f))
		cli_fail(CLI_HOST, "%s: %s", path, strerror(errno));
	return path;
}

static void compile(struct wanted *p)
{
	struct words w;

	if (p->patch)
		copy_rooms(p);
	begin_compile(&w, p);
	word(&w, kit_format("%s", p->source));
	word(&w, write_version(p));
	if (p->patch)
		add_changed(&w, p);
	/* What was changed comes first: nobody asks for the same of the library as it is. */
	word(&w, kit_format("%s/libcoppice_stories.a", p->kit->lib));
	word(&w, kit_format("%s/libcoppice_checker.a", p->kit->lib));
	word(&w, kit_format("%s/libcoppice_engine.a", p->kit->lib));
	word(&w, kit_format("-o"));
	word(&w, kit_format("%s/program", p->tmp));
	must_compile(&w, p);
	words_free(&w);
}

/* The path of the program, made if it is not kept yet. */
static char *program_of(struct wanted *p)
{
	char *cache = cache_dir(), *path, *made;

	if (p->patch)
		p->diff = diff_read(p->patch);
	hash_all(p);
	p->dir = kit_format("%s/%016llx%016llx", cache, (unsigned long long)p->hash.a, (unsigned long long)p->hash.b);
	path = kit_format("%s/program", p->dir);
	if (access(path, X_OK)) {
		make_dirs(p->dir);
		make_tmp(p, cache);
		compile(p);
		made = kit_format("%s/program", p->tmp);
		if (rename(made, path))
			cli_fail(CLI_HOST, "%s: %s", path, strerror(errno));
		free(made);
		remove_half_made();
		half_made = NULL;
		free(p->tmp);
		p->tmp = NULL;
	}
	free(p->dir);
	free(cache);
	return path;
}

/* Variants. */

static cJSON *info_of(const char *source, char *program)
{
	static char info[] = "--info";
	char *const argv[] = {program, info, NULL};
	struct kit_run run = kit_run(argv, NULL);
	cJSON *json = run.code ? NULL : cJSON_Parse(run.said);

	run.said[strcspn(run.said, "\n")] = 0;
	if (run.code == CLI_USAGE)
		cli_fail(CLI_USAGE, "%s", run.said);
	if (!json)
		cli_fail(CLI_USAGE,
			 "%s: its program ends before it says what story it is; expected one whose "
			 "registration is constant",
			 source);
	free(run.said);
	return json;
}

static void add_program(struct story_programs *all, const char *story, const char *variant, char *path)
{
	struct story_program *p;

	all->at = realloc(all->at, (all->count + 1) * sizeof(*all->at));
	if (!all->at)
		cli_fail(CLI_HOST, "out of memory");
	p = &all->at[all->count++];
	memset(p, 0, sizeof(*p));
	snprintf(p->story, sizeof(p->story), "%s", story);
	snprintf(p->variant, sizeof(p->variant), "%s", variant);
	p->path = path;
}

static bool is_known(const struct story_programs *all, const char *variant)
{
	for (size_t i = 0; i < all->count; i++) {
		if (!strcmp(all->at[i].variant, variant))
			return true;
	}
	return false;
}

static char *beside(const char *source, const char *story, const char *variant)
{
	const char *slash = strrchr(source, '/');

	return kit_format("%.*s%s-%s.patch", slash ? (int)(slash - source + 1) : 0, source, story, variant);
}

/* What a patch breaks is a program of its own; what has other actors is not. */
static char *variant_program(const struct kit *kit, const char *source, const char *story, const cJSON *variant,
			     const char *fixed)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(variant, "variant"));
	struct wanted p = {.kit = kit, .source = source};
	char *patch, *program;

	if (cJSON_IsTrue(cJSON_GetObjectItem(variant, "actors")))
		return kit_format("%s", fixed);
	patch = beside(source, story, name);
	if (access(patch, R_OK))
		cli_fail(CLI_USAGE, "%s: variant '%s' has no patch; expected %s", source, name, patch);
	p.patch = patch;
	program = program_of(&p);
	free(patch);
	return program;
}

static void add_variants(struct story_programs *all, const struct kit *kit, const char *source, const cJSON *info)
{
	const char *story = cJSON_GetStringValue(cJSON_GetObjectItem(info, "story"));
	const cJSON *variant;

	cJSON_ArrayForEach(variant, cJSON_GetObjectItem(info, "variants"))
	{
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(variant, "variant"));

		if (name && !is_known(all, name))
			add_program(all, story, name, variant_program(kit, source, story, variant, all->at[0].path));
	}
}

struct story_programs own_compile(const char *source, const char *patch)
{
	struct kit kit = kit_find();
	struct wanted p = {.kit = &kit, .source = source, .patch = patch};
	struct story_programs all = {NULL, 0};
	const char *story;
	char *program;
	cJSON *info;

	if (access(source, R_OK))
		cli_fail(CLI_USAGE, "%s: %s; expected the C file of a story", source, strerror(errno));
	program = program_of(&p);
	info = info_of(source, program);
	story = cJSON_GetStringValue(cJSON_GetObjectItem(info, "story"));
	add_program(&all, story ? story : "?", "fixed", program);
	if (!patch)
		add_variants(&all, &kit, source, info);
	cJSON_Delete(info);
	kit_free(&kit);
	return all;
}

char *own_shipped(const char *id)
{
	struct kit kit = kit_find();
	char *path = kit_format("%s/stories/%s.c", kit.src, id);

	kit_free(&kit);
	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}
