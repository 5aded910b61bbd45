// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/check/stories.h"
#include "cli/cli.h"
#include "cli/out.h"

#define PREFIX "sim_"

static void *must(void *p)
{
	if (!p)
		cli_fail(CLI_HOST, "out of memory");
	return p;
}

/* Beside the tool in a build, below lib when it is installed. */
static DIR *open_dir(char *dir, size_t bytes)
{
	static const char *const places[] = {"stories/bin", "../lib/coppice/stories"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	DIR *found = NULL;
	char *slash;

	exe[n > 0 ? n : 0] = 0;
	slash = strrchr(exe, '/');
	if (slash)
		*slash = 0;
	for (size_t i = 0; slash && !found && i < sizeof(places) / sizeof(*places); i++) {
		if (snprintf(dir, bytes, "%s/%s", exe, places[i]) < (int)bytes)
			found = opendir(dir);
	}
	return found;
}

/* "sim_HR1_free-before-clear" */
static bool parse_name(const char *name, struct story_program *p)
{
	const char *story = name + sizeof(PREFIX) - 1, *variant;

	if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0)
		return false;
	variant = strchr(story, '_');
	if (!variant || (size_t)(variant - story) >= sizeof(p->story) || strlen(variant + 1) >= sizeof(p->variant))
		return false;
	snprintf(p->story, sizeof(p->story), "%.*s", (int)(variant - story), story);
	snprintf(p->variant, sizeof(p->variant), "%s", variant + 1);
	return true;
}

static int by_story(const void *a, const void *b)
{
	const struct story_program *p = a, *q = b;
	const int story = strcmp(p->story, q->story);

	if (story)
		return story;
	if (strcmp(p->variant, "fixed") != 0 && strcmp(q->variant, "fixed") != 0)
		return strcmp(p->variant, q->variant);
	return strcmp(q->variant, "fixed") == 0;
}

struct story_programs stories_look(void)
{
	struct story_programs found = {NULL, 0};
	char dir[PATH_MAX], path[2 * PATH_MAX];
	DIR *d = open_dir(dir, sizeof(dir));
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct story_program p;

		if (!parse_name(entry->d_name, &p))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		p.path = must(strdup(path));
		found.at = must(realloc(found.at, (found.count + 1) * sizeof(*found.at)));
		found.at[found.count++] = p;
	}
	if (d)
		closedir(d);
	if (found.count)
		qsort(found.at, found.count, sizeof(*found.at), by_story);
	return found;
}

struct story_programs stories_find(void)
{
	const struct story_programs found = stories_look();

	if (!found.count)
		cli_fail(CLI_HOST, "no stories; expected their programs in stories/bin beside the tool, or in "
				   "../lib/coppice/stories");
	return found;
}

static void start(struct story_job *job)
{
	int fds[2];

	if (pipe(fds))
		cli_fail(CLI_HOST, "pipe: %s", strerror(errno));
	fflush(NULL);
	job->pid = fork();
	if (job->pid < 0)
		cli_fail(CLI_HOST, "fork: %s", strerror(errno));
	if (!job->pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(job->program->path, job->argv);
		_exit(127);
	}
	close(fds[1]);
	job->fd = fds[0];
}

static void parse(struct story_job *job)
{
	const char *line = job->text;

	job->lines = cJSON_CreateArray();
	while (line && *line) {
		cJSON *one = cJSON_Parse(line);

		if (one)
			cJSON_AddItemToArray(job->lines, one);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	free(job->text);
	job->text = NULL;
}

/* Return: true if it has ended. */
static bool take(struct story_job *job)
{
	char buffer[4096];
	const ssize_t n = read(job->fd, buffer, sizeof(buffer));

	if (n > 0) {
		job->text = must(realloc(job->text, job->bytes + (size_t)n + 1));
		memcpy(job->text + job->bytes, buffer, (size_t)n);
		job->bytes += (size_t)n;
		job->text[job->bytes] = 0;
		return false;
	}
	if (n < 0 && errno == EINTR)
		return false;
	close(job->fd);
	waitpid(job->pid, &job->status, 0);
	parse(job);
	return true;
}

/* The most costly one that has not begun. */
static struct story_job *next_job(struct story_job *jobs, size_t count)
{
	struct story_job *next = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!jobs[i].begun && (!next || jobs[i].cost > next->cost))
			next = &jobs[i];
	}
	if (next)
		next->begun = true;
	return next;
}

#define TICK 250 /* milliseconds */

void stories_run(struct story_job *jobs, size_t count, unsigned parallel,
		 void (*tick)(size_t, const struct story_job *, void *), void *arg)
{
	struct pollfd *fds = must(calloc(parallel, sizeof(*fds)));
	struct story_job **running = must(calloc(parallel, sizeof(struct story_job *)));
	size_t ended = 0;

	while (ended < count) {
		for (unsigned i = 0; i < parallel; i++) {
			if (!running[i]) {
				running[i] = next_job(jobs, count);
				if (running[i])
					start(running[i]);
			}
			fds[i] = (struct pollfd){.fd = running[i] ? running[i]->fd : -1, .events = POLLIN};
		}
		if (poll(fds, parallel, tick ? TICK : -1) < 0 && errno != EINTR)
			cli_fail(CLI_HOST, "poll: %s", strerror(errno));
		for (unsigned i = 0; i < parallel && tick; i++) {
			if (running[i]) {
				tick(ended, running[i], arg);
				break;
			}
		}
		for (unsigned i = 0; i < parallel; i++) {
			if (!running[i] || !fds[i].revents || !take(running[i]))
				continue;
			running[i] = NULL;
			ended++;
		}
	}
	free(fds);
	free(running);
}

cJSON *stories_info(const struct story_programs *programs)
{
	static char name[] = "list", info[] = "--info";
	static char *const args[] = {name, info, NULL};
	cJSON *stories = cJSON_CreateArray();

	for (size_t i = 0; i < programs->count; i++) {
		struct story_job job = {.program = &programs->at[i], .argv = args};

		if (strcmp(programs->at[i].variant, "fixed") != 0)
			continue;
		stories_run(&job, 1, 1, NULL, NULL);
		cJSON_AddItemToArray(stories, cJSON_DetachItemFromArray(job.lines, 0));
		cJSON_Delete(job.lines);
	}
	return stories;
}

/* Characters of a line of the terminal; else what COLUMNS says, else 140. */
static unsigned line_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long width = columns ? strtoul(columns, NULL, 10) : 0;

	if (!width && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		width = size.ws_col;
	return width < 80 || width > 1000 ? 140 : (unsigned)width;
}

void stories_replay(const struct story_program *p, char *schedule, bool json, char *chrome)
{
	static char replay[] = "--replay", as_json[] = "--json", out[] = "--trace-out", colour[] = "--colour",
		    wide[] = "--width";
	char width[16], *args[12] = {p->path, replay, schedule};
	unsigned n = 3;

	snprintf(width, sizeof(width), "%u", line_width());
	args[n++] = wide;
	args[n++] = width;
	if (json)
		args[n++] = as_json;
	if (*out_style(stdout, OUT_BOLD))
		args[n++] = colour;
	if (chrome) {
		args[n++] = out;
		args[n++] = chrome;
	}
	execv(p->path, args);
}

void stories_trace(const struct story_program *p, char *schedule)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		cli_fail(CLI_HOST, "fork: %s", strerror(errno));
	if (!pid) {
		stories_replay(p, schedule, false, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		cli_fail(CLI_HOST, "waitpid: %s", strerror(errno));
}
