/* SPDX-License-Identifier: MIT */
/* QEMU's monitor: QMP (one JSON object a line) with human-monitor-command, and HMP (text up to a prompt). */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/live.h"

#define WAIT_MS 10000
#define PROMPT  "(qemu) "

/* One line of QMP is in l->in; its size with the newline. */
static int qmp_line(struct live *l, size_t *size)
{
	const char *end;

	while (!l->in_size || !(end = memchr(l->in, '\n', l->in_size))) {
		const int err = live_receive(l, WAIT_MS);

		if (err)
			return err;
	}
	*size = (size_t)(end - l->in) + 1;
	return 0;
}

/* Events may come at any time, in between. */
static int qmp_reply(struct live *l, size_t *size)
{
	int err = qmp_line(l, size);

	while (!err && strncmp(l->in, "{\"return\"", 9) != 0 && strncmp(l->in, "{\"error\"", 8) != 0) {
		live_drop(l, *size);
		err = qmp_line(l, size);
	}
	return err;
}

static int qmp_command(struct live *l, const char *json, size_t *size)
{
	const int err = live_send(l, json, strlen(json));

	return err ? err : qmp_reply(l, size);
}

static int qmp_start(struct live *l)
{
	size_t size;
	int err = qmp_line(l, &size);

	if (!err && strncmp(l->in, "{\"QMP\"", 6) != 0)
		err = input_fail(l->error, EPROTO, "%s: '%.40s'; expected QMP's greeting", l->path, l->in);
	if (err)
		return err;
	live_drop(l, size);
	err = qmp_command(l, "{\"execute\": \"qmp_capabilities\"}\n", &size);
	if (!err)
		live_drop(l, size);
	return err;
}

static char *qmp_monitor(struct live *l, const char *command)
{
	char json[256], *text;
	size_t size;

	(void)snprintf(json, sizeof(json),
		       "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"%s\"}}\n",
		       command);
	if (qmp_command(l, json, &size) != 0)
		return NULL;
	text = live_parse_qmp(l->in, size);
	if (!text)
		(void)input_fail(l->error, EPROTO, "%s: '%s' was answered with '%.80s'", l->path, command, l->in);
	live_drop(l, size);
	return text;
}

static int hmp_prompt(struct live *l, char **end)
{
	while (!l->in_size || !(*end = strstr(l->in, PROMPT))) {
		const int err = live_receive(l, WAIT_MS);

		if (err)
			return err;
		/* Zeroes would hide the prompt. */
		for (size_t i = 0; i < l->in_size; i++)
			if (!l->in[i])
				l->in[i] = ' ';
	}
	return 0;
}

static int hmp_start(struct live *l)
{
	char *end;
	const int err = hmp_prompt(l, &end);

	if (!err)
		live_drop(l, (size_t)(end - l->in) + strlen(PROMPT));
	return err;
}

/* The first line is the echo of the command. */
static char *hmp_monitor(struct live *l, const char *command)
{
	char line[128], *end, *start, *text;

	(void)snprintf(line, sizeof(line), "%s\n", command);
	if (live_send(l, line, strlen(line)) != 0 || hmp_prompt(l, &end) != 0)
		return NULL;
	*end = 0;
	start = strchr(l->in, '\n');
	text = strdup(start ? start + 1 : "");
	if (!text)
		(void)input_fail(l->error, ENOMEM, "%s: no memory for a reply", l->path);
	live_drop(l, (size_t)(end - l->in) + strlen(PROMPT));
	return text;
}

static bool monitor_read(struct live *l, cop_pa pa, unsigned char page[LIVE_PAGE])
{
	char command[64], *text;
	bool whole;

	(void)snprintf(command, sizeof(command), "xp /%ugx 0x%" PRIx64, LIVE_PAGE / 8, pa);
	text = l->ops->monitor(l, command);
	whole = text && live_parse_xp(text, l->arch == COP_S390X, page);
	free(text);
	return whole;
}

const struct live_ops live_qmp = {"QMP monitor", qmp_start, qmp_monitor, monitor_read, NULL, NULL};
const struct live_ops live_hmp = {"HMP monitor", hmp_start, hmp_monitor, monitor_read, NULL, NULL};
