/* SPDX-License-Identifier: MIT */
/* From what the user says to a machine: which reader, which architecture, which trees. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"

static const char *const arch_names[] = {"arm64", "x86-64", "riscv64", "s390x"};

static int read_memory(struct input *in, struct input_bytes *bytes)
{
	static const struct {
		const char *kind;
		int (*open)(struct input *, struct input_bytes *);
		bool (*is)(const struct input_bytes *);
	} readers[] = {
		{"elf", input_elf, input_is_elf},
		{"kdump", input_kdump, input_is_kdump},
		{"frames", input_frames, input_is_frames},
		{"raw", input_raw, NULL},
	};
	const char *kind = in->source->kind;

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (kind ? strcmp(kind, readers[i].kind) == 0 : !readers[i].is || readers[i].is(bytes))
			return readers[i].open(in, bytes);
	return input_fail(in->error, EINVAL, "%s: kind '%s'; expected elf, kdump, raw, frames, kcore, qmp, hmp or gdb",
			  in->source->path, kind);
}

/* Who is asked: the user, the file, the registers. They have to agree. */
static int settle_arch(struct input *in)
{
	const int regs = input_regs_arch(&in->regs);
	const bool s390x_regs = regs == COP_S390X;

	if (in->source->arch >= 0) {
		if (in->arch >= 0 && in->arch != in->source->arch)
			return input_fail(in->error, EINVAL, "%s: told %s, but %s says %s", in->source->path,
					  arch_names[in->source->arch], in->arch_from, arch_names[in->arch]);
		in->arch = in->source->arch;
		in->arch_from = "as told";
	}
	if (in->arch < 0 && regs >= 0) {
		in->arch = regs;
		in->arch_from = in->regs.from;
	}
	if (in->arch < 0 && input_info_arch(in) >= 0) {
		in->arch = input_info_arch(in);
		in->arch_from = "VMCOREINFO";
	}
	/* The names of s390x's control registers include those of x86-64. */
	if (regs >= 0 && regs != in->arch && !(in->arch == COP_X86_64 && s390x_regs))
		return input_fail(in->error, EINVAL, "%s: registers of %s, but %s says %s", in->regs.from,
				  arch_names[regs], in->arch_from, arch_names[in->arch]);
	if (in->arch >= 0)
		input_found(in, "architecture: %s (%s)", arch_names[in->arch], in->arch_from);
	return 0;
}

static int read_regs(struct input *in)
{
	struct input_bytes text;
	int err;

	if (!in->source->regs)
		return 0;
	err = input_load(in->source->regs, &text, in->error);
	if (err)
		return err;
	err = input_regs_parse(&in->regs, in->source->regs, (const char *)text.data, text.size, in->error);
	input_free(&text);
	return err;
}

/* From the file that the user names, the note, or memory itself where nothing else leads to a root. */
static int read_info(struct input *in)
{
	struct input_bytes text;
	int err = 0;

	if (in->source->vmcoreinfo) {
		free(in->vmcoreinfo);
		in->vmcoreinfo = NULL;
		err = input_load(in->source->vmcoreinfo, &text, in->error);
		if (err)
			return err;
		err = input_info_set(in, (const char *)text.data, text.size, in->source->vmcoreinfo);
		input_free(&text);
	}
	if (!err && !in->vmcoreinfo && in->machine->memory->ram && !in->regs.count && !in->source->has_root)
		input_info_scan(in);
	if (!err)
		input_info_kernel(in);
	return err;
}

/* A tree whose root the input does not have is worth a line, not a refusal, as long as another one is there. */
static int keep_present(struct input *in)
{
	struct insp_machine *m = in->machine;
	const struct insp_tree gone = m->tree[0];
	unsigned kept = 0;
	void *buffer = aligned_alloc(64, 65536);

	if (!buffer)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	for (unsigned i = 0; i < m->trees; i++) {
		const struct insp_tree *t = &m->tree[i];
		const unsigned lg2 = t->format->index_bits(&t->geom, t->geom.levels - 1U) + 3;

		if (COP_IS_ALIGNED(t->root, COP_LG2(lg2)) &&
		    insp_frame(m->memory, t->root, t->root_entries ? 4096 : (size_t)1 << lg2, buffer))
			m->tree[kept++] = *t;
		else
			input_found(in, "tree%s%s: left out, its root %#" PRIx64 " is not in the input",
				    *t->name ? " " : "", t->name, t->root);
	}
	free(buffer);
	m->trees = kept;
	if (kept == 0)
		return input_fail(in->error, ENOENT, "%s: the root at %#" PRIx64 " (%s) is not in the input",
				  in->source->path, gone.root, in->regs.count ? in->regs.from : "as told");
	return 0;
}

static int make_trees(struct input *in)
{
	int err;

	if (in->source->has_root) {
		if (in->arch >= 0)
			return input_trees_root(in);
		return input_fail(in->error, EINVAL, "%s: nothing says which architecture; expected --arch",
				  in->source->path);
	}
	if (in->regs.count && in->arch < 0)
		return input_fail(in->error, EINVAL, "%s: nothing says which architecture; expected --arch",
				  in->regs.from);
	if (in->regs.count)
		return input_trees_regs(in);
	err = in->arch >= 0 ? input_trees_info(in) : 0;
	return err || in->machine->trees ? err : input_trees_guess(in);
}

/* What leads from memory to a machine, in this order: each step may use what the ones before found. */
static int make_machine(struct input *in)
{
	static int (*const steps[])(struct input *) = {read_regs,  read_info,    settle_arch,
						       make_trees, keep_present, input_regions};
	int err = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = steps[i](in);
	return err;
}

int input_open_bytes(struct input *in, struct input_bytes *bytes)
{
	const int err = read_memory(in, bytes);

	return err ? err : make_machine(in);
}

static bool is_socket(const struct insp_source *s)
{
	if (s->kind)
		return strcmp(s->kind, "qmp") == 0 || strcmp(s->kind, "hmp") == 0 || strcmp(s->kind, "gdb") == 0;
	return strncmp(s->path, "unix:", 5) == 0 || strncmp(s->path, "tcp:", 4) == 0;
}

/* Files are looked at; what is no file is named. */
static int open_source(struct input *in, struct input_bytes *bytes)
{
	const struct insp_source *s = in->source;
	int err;

	if (s->kind ? strcmp(s->kind, "kcore") == 0 : strcmp(s->path, "/proc/kcore") == 0) {
		err = input_kcore(in, s->path);
		return err ? err : make_machine(in);
	}
	if (is_socket(s)) {
		err = input_live(in);
		return err ? err : make_machine(in);
	}
	err = input_load(s->path, bytes, in->error);
	if (!err)
		err = input_plain(bytes, s->path, in->error);
	return err ? err : input_open_bytes(in, bytes);
}

int input_finish(struct input *in, struct input_bytes *bytes, int err)
{
	free(in->vmcoreinfo);
	in->vmcoreinfo = NULL;
	if (!err && in->found_lost)
		err = input_fail(in->error, ENOMEM, "%s: no memory to say what was found", in->source->path);
	if (!err)
		return 0;
	if (!in->machine->memory)
		input_free(bytes);
	insp_close(in->machine);
	return err;
}

int insp_open(const struct insp_source *source, struct insp_machine *machine, struct insp_error *error)
{
	struct input in = {.source = source, .machine = machine, .error = error, .arch = -1};
	struct input_bytes bytes = {0};

	*machine = (struct insp_machine){0};
	error->text[0] = 0;
	return input_finish(&in, &bytes, open_source(&in, &bytes));
}

void insp_close(struct insp_machine *machine)
{
	if (machine->memory)
		machine->memory->ops->close(machine->memory);
	free(machine->regions);
	free(machine->found);
	*machine = (struct insp_machine){0};
}
