/* SPDX-License-Identifier: MIT */
#include "internal.h"

bool cop_pfn_valid(const struct cop_mem *mem, cop_pfn pfn)
{
	const struct cop_section *section = cop_pfn_section(mem, pfn);

	if (!section)
		return false;
	/* Pairs with the release when the section became valid: its memmap is mapped and clear. */
	switch (cop_load(&section->state, acquire)) {
	case COP_BLOCK_OFFLINE:
	case COP_BLOCK_GOING_ONLINE:
	case COP_BLOCK_ONLINE:
	case COP_BLOCK_GOING_OFFLINE:
	case COP_BLOCK_REMOVING:
		return true;
	default:
		return false;
	}
}

cop_pfn cop_page_head(const struct cop_mem *mem, cop_pfn pfn)
{
	const unsigned lg2 = cop_load(&cop_page(mem, pfn)->tail_lg2, relaxed);

	return pfn >> lg2 << lg2;
}

bool cop_page_try_get(const struct cop_mem *mem, cop_pfn head)
{
	return cop_page_try_get_many(cop_page(mem, head), 1);
}

static bool is_large(struct cop_page *head)
{
	return cop_load(&head->flags, relaxed) & COP_PG_HEAD;
}

bool cop_page_try_pin(struct cop_mem *mem, cop_pfn pfn, uint32_t n)
{
	struct cop_page *head = cop_page(mem, pfn);
	const bool large = is_large(head);
	const uint32_t refs = large ? n : n * COP_PAGE_PIN_BIAS;

	if (!cop_page_try_get_many(head, refs))
		return false;
	/* What it is cannot change while there is a reference; what it was when we looked is another matter. */
	if (COP_UNLIKELY(is_large(head) != large)) {
		cop_page_put_many(mem, pfn, refs);
		return false;
	}
	if (large)
		(void)cop_fetch_add(&head->pincount, n, relaxed);
	return true;
}

void cop_page_unpin(struct cop_mem *mem, cop_pfn pfn, uint32_t n)
{
	struct cop_page *head = cop_page(mem, pfn);

	if (!is_large(head)) {
		cop_page_put_many(mem, pfn, n * COP_PAGE_PIN_BIAS);
		return;
	}
	/* Release: who finds it unpinned finds what the holder wrote; pairs with cop_page_maybe_pinned(). */
	if (cop_fetch_add(&head->pincount, -n, release) < n)
		cop_panic("pincount-underflow", head);
	cop_page_put_many(mem, pfn, n);
}

bool cop_page_maybe_pinned(const struct cop_mem *mem, cop_pfn pfn)
{
	struct cop_page *head = cop_page(mem, pfn);

	if (is_large(head))
		return cop_load(&head->pincount, acquire);
	return cop_load(&head->refcount, acquire) >= COP_PAGE_PIN_BIAS;
}
