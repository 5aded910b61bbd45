/* SPDX-License-Identifier: MIT */
/* Who may write and execute what: writable and executable at once, and the user in the kernel's half. */
#include "inspect/lint/lint.h"

/* A leaf that grants what no one may have at one privilege. */
static bool kernel_wx(uint32_t attrs)
{
	if (!(attrs & COP_USER))
		return (attrs & (COP_WRITE | COP_EXEC)) == (COP_WRITE | COP_EXEC);
	/* Executable only to the user (arm64): to the kernel it is an ordinary page. */
	return (attrs & (COP_KEXEC | COP_WRITE | COP_READ)) == (COP_KEXEC | COP_WRITE);
}

static bool user_wx(uint32_t attrs)
{
	const uint32_t wx = COP_USER | COP_READ | COP_WRITE | COP_EXEC;

	return (attrs & wx) == wx;
}

/* Where execution cannot be forbidden, all that is writable is executable and none of it a finding. */
static bool can_forbid_exec(const struct insp_tree *tree)
{
	const uint32_t features = tree->geom.features;

	if (tree->format->arch == COP_X86_64)
		return features & COP_F_NX;
	return tree->format->arch != COP_S390X || (features & COP_F_IEP);
}

/* Linux makes exactly that page so (arch/s390/mm/vmem.c). */
static bool is_lowcore(const struct insp_tree *tree, const struct insp_run *run)
{
	return tree->format->arch == COP_S390X && run->va == 0 && run->count == 1 && run->level == 0;
}

static void report_wx(struct lint *l, const struct insp_run *run, bool (*wx)(uint32_t), const char *who)
{
	uint32_t attrs;
	struct insp_finding f;

	if (run->kind != COP_LEAF || !lint_valid(l->tree, run->entry, run->level) || !can_forbid_exec(l->tree))
		return;
	attrs = insp_attrs(l->tree, run);
	if (!wx(attrs))
		return;
	f = lint_of_run(l, run);
	if (is_lowcore(l->tree, run)) {
		f.severity = INSP_NOTE;
		lint_report(l, &f, "The lowcore is executable: without BEAR-enhancement LPSWE runs from it");
		return;
	}
	lint_report(l, &f, "The %s may both write and execute this memory", who);
}

static void run_kernel(struct lint *l, void *state, const struct insp_run *run)
{
	(void)state;
	report_wx(l, run, kernel_wx, "kernel");
}

static void run_user(struct lint *l, void *state, const struct insp_run *run)
{
	(void)state;
	report_wx(l, run, user_wx, "user");
}

#define ACCESS                                                                                                         \
	{                                                                                                              \
		[COP_ARM64] = "DDI 0487 D8.4", [COP_X86_64] = "SDM 3A 4.6",                                            \
		[COP_RISCV64] = "RISC-V Privileged, Sv32: Addressing and Memory Protection",                           \
		[COP_S390X] = "SA22-7832 chapter 3, Instruction-Execution Protection"                                  \
	}

const struct lint_rule lint_wx_kernel = {
	.rule = {"wx-kernel", "the kernel may write and execute the same memory", INSP_ERROR, ACCESS},
	.run = run_kernel,
};

const struct lint_rule lint_wx_user = {
	.rule = {"wx-user", "a user may write and execute the same memory", INSP_WARNING, ACCESS},
	.run = run_user,
};

/* The one page that Linux shows to users at the top of the kernel's half. */
#define X86_VSYSCALL 0xffffffffff600000ULL

static void run_user_in_kernel(struct lint *l, void *state, const struct insp_run *run)
{
	uint32_t attrs;
	struct insp_finding f;

	(void)state;
	if (run->kind != COP_LEAF || !lint_high_half(l->tree, run->va))
		return;
	attrs = insp_attrs(l->tree, run);
	if (!(attrs & COP_USER) || !lint_valid(l->tree, run->entry, run->level))
		return;
	f = lint_of_run(l, run);
	if (l->tree->format->arch == COP_X86_64 && run->va == X86_VSYSCALL && run->count == 1 && run->level == 0) {
		f.severity = INSP_NOTE;
		lint_report(l, &f, "The vsyscall page is the user's (%s)", lint_access(attrs));
		return;
	}
	lint_report(l, &f, "The user has access to the kernel's half (%s)", lint_access(attrs));
}

const struct lint_rule lint_user_in_kernel = {
	.rule = {"user-in-kernel",
		 "a user has access to the kernel's half of the address space",
		 INSP_ERROR,
		 {[COP_ARM64] = "DDI 0487 D8.4",
		  [COP_X86_64] = "SDM 3A 4.6",
		  [COP_RISCV64] = "RISC-V Privileged, Sv32: Addressing and Memory Protection"}},
	.run = run_user_in_kernel,
};
