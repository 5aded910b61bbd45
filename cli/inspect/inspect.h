/* SPDX-License-Identifier: MIT */
/* coppice inspect: what its views share. */
#ifndef CLI_INSPECT_INSPECT_H
#define CLI_INSPECT_INSPECT_H

#include <argp.h>

#include "inspect/views/pass.h"

#define INSPECT_INPUTS 2
#define INSPECT_WORDS  2

/**
 * struct inspect - the command line of a view, and what it opened
 * @word: what precedes the inputs: an address, ...
 * @source: of each input; @inputs counts them
 * @machine: valid once inspect_open() returned
 * @tree: name of the one tree that is wanted; NULL: all
 * @filter: the leaves that are wanted; views that are not of leaves look at its virtual addresses only
 */
struct inspect {
	const char *word[INSPECT_WORDS];
	struct insp_source source[INSPECT_INPUTS];
	unsigned inputs;
	struct insp_machine machine[INSPECT_INPUTS];
	const char *tree;
	struct insp_filter filter;
	bool json, verbose;
	const char *export_frames; /* of the first input, to this file */
};

/**
 * struct inspect_spec - what a view takes on its command line, beside what all of them take
 * @args: as in "Usage: coppice inspect NAME", "VA [FILE]"
 * @doc: argp's text: what it does, \v, examples
 * @options: its own, ended by an empty one; NULL: none. Keys from 1024 up, or a letter that no common option has
 * @parse: one of them, into @own; NULL: none
 * @words: how many words precede the inputs
 * @inputs: how many there are: 1, or 2 to compare
 */
struct inspect_spec {
	const char *args, *doc;
	const struct argp_option *options;
	void (*parse)(int key, char *arg, void *own);
	void *own;
	unsigned words, inputs;
};

/* A view: NAME's words and options in, an exit status out. */
int inspect_info(int argc, char **argv);
int inspect_diff(int argc, char **argv);
int inspect_leaves(int argc, char **argv);
int inspect_lint(int argc, char **argv);
int inspect_map(int argc, char **argv);
int inspect_ranges(int argc, char **argv);
int inspect_walk(int argc, char **argv);
int inspect_who(int argc, char **argv);
int inspect_stats(int argc, char **argv);
int inspect_export(int argc, char **argv);

/* Reads the command line, or fails with one line. */
void inspect_args(const struct inspect_spec *, int argc, char **argv, struct inspect *);

/* Opens input @i, or fails with one line; says what was found out if wanted. */
void inspect_open(struct inspect *, unsigned i);
void inspect_close(struct inspect *);

/* Whether --tree wants it; inspect_open() refuses a name that no tree has. */
bool inspect_wants(const struct inspect *, const struct insp_tree *);

/*
 * A pass over one tree of input @i: with progress if it takes long, and with a line on stderr about what was skipped.
 * @on_tree of inspect_pass_all(), if not NULL, is called before each.
 */
void inspect_pass(struct inspect *, unsigned i, const struct insp_tree *, const struct insp_pass *, void *context);
void inspect_pass_all(struct inspect *, unsigned i, const struct insp_pass *,
		      void (*on_tree)(void *, const struct insp_tree *), void *context);

/* The same, of a scan. */
struct insp_scanned inspect_scan(struct inspect *, unsigned i, const struct insp_tree *, const struct insp_visitor *,
				 void *context);

/* "leaves: 3 tables skipped: ..." on stderr if anything was. */
void inspect_skipped(const struct insp_tree *, const struct insp_scanned *);

/* An address: hexadecimal with or without 0x, or a size such as 1G. */
uint64_t inspect_address(const char *option, const char *text);

/* Addresses [start, last]. */
struct inspect_span {
	uint64_t start, last;
};

/* "START-LAST" (inclusive), "START+SIZE", or one address. */
struct inspect_span inspect_span(const char *option, const char *text);

#endif
