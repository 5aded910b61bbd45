/* SPDX-License-Identifier: MIT */
/*
 * Schedules: one execution, in a short string.
 *
 *	cop1.STORY.VARIANT.FORMAT.ORDER.VERSION.STEPS
 *
 * VERSION is a hash of all sources that decide what the steps mean. STEPS is base64url (RFC 4648, section 5, no padding) of
 *
 *	varint  runs; of each: varint actor + 16 * (steps - 1)
 *	varint  choices other than the first way; of each: varint steps since the last one, byte which in that step, byte way
 *	varint  runs of answers, the first "not shared"; of each: varint length
 *	4 bytes CRC-32 of STORY.VARIANT.FORMAT.ORDER.VERSION. and of the bytes before
 *
 * with varints of 7 bits a byte, low ones first.
 */
#ifndef COPPICE_CHECKER_SCHEDULE_H
#define COPPICE_CHECKER_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_STEPS  32000
#define SCHEDULE_ASKED  65536
#define SCHEDULE_ACTORS 16

struct schedule_choice {
	uint32_t pass; /* after so many steps */
	uint8_t nth, way;
};

/**
 * struct schedule - who went on at each step
 * @actor: of each of @steps
 * @choice: what was chosen, where that was not the first way; in order of @pass
 * @shared: answers to whether a location is shared, where memory order makes a difference
 */
struct schedule {
	uint8_t *actor;
	uint32_t steps;
	struct schedule_choice *choice;
	uint32_t choices;
	uint8_t *shared;
	uint32_t asked;
};

struct schedule_name {
	char story[32], variant[64], format[16], order[8], version[24];
};

struct schedule_string {
	struct schedule_name name;
	struct schedule schedule;
	const char *error; /* what is wrong with it; NULL: nothing. Then schedule_free() */
};

struct schedule_string schedule_parse(const char *text);
/* NULL: out of memory. free() */
char *schedule_print(const struct schedule_name *, const struct schedule *);
/* A copy; all NULL when out of memory. */
struct schedule schedule_copy(const struct schedule *);
void schedule_free(struct schedule *);

#endif
