// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/run/plan.h"

/* One number out of a file's line that begins with a word; 0: not there. */
static uint64_t number_after(const char *path, const char *word)
{
	char line[256];
	uint64_t value = 0;
	FILE *file = fopen(path, "re");

	while (file && !value && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, strlen(word)))
			(void)sscanf(line + strlen(word), "%" SCNu64, &value); // NOLINT(cert-err34-c): 0 is "unknown"
	if (file)
		fclose(file);
	return value;
}

uint64_t host_available(void)
{
	uint64_t bytes = number_after("/proc/meminfo", "MemAvailable:") << 10;
	const uint64_t group = number_after("/sys/fs/cgroup/memory.max", "");
	const uint64_t used = number_after("/sys/fs/cgroup/memory.current", "");

	if (group && (!bytes || group - (used < group ? used : group) < bytes))
		bytes = group - (used < group ? used : group);
	return bytes;
}
