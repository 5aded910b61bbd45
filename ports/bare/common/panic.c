/* SPDX-License-Identifier: MIT */
/* The end of a run that went wrong: what, where, the walk level by level, every field of the entries by name. */
#include "ports/bare/common/bare.h"

const struct cop_tree *bare_tree;

bool bare_adopt(void)
{
	static const struct cop_tree *adopted;

	if (!bare_tree || !bare_tree->root || adopted == bare_tree)
		return false;
	adopted = bare_tree;
	bare_tree_use(bare_tree);
	return true;
}

static const char *const kinds[] = {
	[COP_EMPTY] = "empty", [COP_TABLE] = "table",   [COP_LEAF] = "leaf",
	[COP_SWAP] = "swap",   [COP_MARKER] = "marker", [COP_BAD] = "reserved",
};

void bare_print_entry(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	const struct cop_format *format = cop_format_for(geom->arch, geom->page_lg2);
	unsigned count = 0;
	const struct cop_field *fields = format->fields(geom, entry, level, &count);

	bare_printf("#   level %u %s %016lx %s:", level, format->level_name(geom, level), (unsigned long)entry,
		    kinds[format->kind(geom, entry, level)]);
	for (unsigned i = 0; i < count; i++) {
		const uint64_t mask = fields[i].width == 64 ? ~0ULL : COP_LG2(fields[i].width) - 1;
		const uint64_t value = entry >> fields[i].shift & mask;

		if (value)
			bare_printf(" %s=%lx", fields[i].name, (unsigned long)value);
	}
	bare_printf("\n");
}

static bool in_ram(cop_pa pa)
{
	return pa >= bare_ram_start && pa < bare_ram_end;
}

void bare_print_walk(const struct cop_geom *geom, cop_pa root, cop_va va)
{
	const struct cop_format *format = cop_format_for(geom->arch, geom->page_lg2);
	cop_pa table = root;

	bare_printf("# walk of %016lx by %s, %u levels, %u bits, root %lx\n", (unsigned long)va, format->name,
		    geom->levels, geom->va_bits, (unsigned long)root);
	for (unsigned l = geom->levels; l-- > 0;) {
		const uint64_t slots = COP_LG2(format->index_bits(geom, l));
		uint64_t entry;

		if (!in_ram(table)) {
			bare_printf("#   level %u: the table at %lx is not in memory\n", l, (unsigned long)table);
			return;
		}
		entry = ((const uint64_t *)cop_phys(table))[va >> format->shift(l) & (slots - 1)];
		bare_print_entry(geom, entry, l);
		if (format->kind(geom, entry, l) != COP_TABLE)
			return;
		table = format->table_pa(geom, entry, l);
	}
}

/* A second fault while this is printed says so and ends it. */
static void only_once(void)
{
	static uint32_t dying;

	if (cop_xchg(&dying, 1U, acquire)) {
		for (const char *s = "\n# a fault while a fault was printed\n"; *s; s++)
			bare_putc(*s);
		bare_off();
	}
	bare_console_unlock();
}

void bare_trapped(const struct bare_trap *trap)
{
	only_once();
	bare_printf("\nBail out! cpu %u: unexpected %s at pc %lx, address %lx\n", cop_cpu(), trap->what,
		    (unsigned long)trap->pc, (unsigned long)trap->va);
	for (unsigned i = 0; i < trap->count; i++)
		bare_printf("%s%6s %016lx%s", i % 4 ? " " : "# ", trap->names[i], (unsigned long)trap->values[i],
			    i % 4 == 3 || i + 1 == trap->count ? "\n" : "");
	if (trap->translated && bare_tree)
		bare_print_walk(&bare_tree->geom, bare_tree->root, trap->va);
	bare_off();
}

void cop_panic(const char *rule, const void *where)
{
	only_once();
	bare_printf("\nBail out! cpu %u: panic: %s at %p\n", cop_cpu(), rule, where);
	if (where && bare_tree)
		bare_print_walk(&bare_tree->geom, bare_tree->root, (cop_va)(uintptr_t)where);
	bare_off();
}
