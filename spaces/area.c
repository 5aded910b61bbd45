/* SPDX-License-Identifier: MIT */
/* The tree of areas: balanced by height (AVL), and in each subtree the bounds and the largest hole. */
#include "internal.h"

static unsigned height(const struct cop_area *a)
{
	return a ? cop_read(&a->height) : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* From its children. */
static void refresh(struct cop_area *a)
{
	const struct cop_area *left = cop_read(&a->left), *right = cop_read(&a->right);
	const unsigned l = height(left), r = height(right);
	uint64_t gap = 0;

	if (left)
		gap = larger(cop_read(&left->gap), cop_read(&a->start) - cop_read(&left->high));
	if (right)
		gap = larger(gap, larger(cop_read(&right->gap), cop_read(&right->low) - cop_read(&a->end)));
	cop_write(&a->height, (uint8_t)((l > r ? l : r) + 1));
	cop_write(&a->low, left ? cop_read(&left->low) : cop_read(&a->start));
	cop_write(&a->high, right ? cop_read(&right->high) : cop_read(&a->end));
	cop_write(&a->gap, gap);
}

static struct cop_area *rotate_right(struct cop_area *a)
{
	struct cop_area *top = cop_read(&a->left);

	cop_write(&a->left, cop_read(&top->right));
	cop_write(&top->right, a);
	refresh(a);
	refresh(top);
	return top;
}

static struct cop_area *rotate_left(struct cop_area *a)
{
	struct cop_area *top = cop_read(&a->right);

	cop_write(&a->right, cop_read(&top->left));
	cop_write(&top->left, a);
	refresh(a);
	refresh(top);
	return top;
}

/* The root of what @a was the root of; its children's heights differ by two at the most. */
static struct cop_area *balance(struct cop_area *a)
{
	struct cop_area *left = cop_read(&a->left), *right = cop_read(&a->right);

	if (height(left) > height(right) + 1) {
		if (height(cop_read(&left->left)) < height(cop_read(&left->right)))
			cop_write(&a->left, rotate_left(left));
		return rotate_right(a);
	}
	if (height(right) > height(left) + 1) {
		if (height(cop_read(&right->right)) < height(cop_read(&right->left)))
			cop_write(&a->right, rotate_right(right));
		return rotate_left(a);
	}
	refresh(a);
	return a;
}

static struct cop_area *insert(struct cop_area *root, struct cop_area *a)
{
	if (!root)
		return a;
	if (cop_read(&a->start) < cop_read(&root->start))
		cop_write(&root->left, insert(cop_read(&root->left), a));
	else
		cop_write(&root->right, insert(cop_read(&root->right), a));
	return balance(root);
}

/* Return: the rest; *first is what was its lowest. */
static struct cop_area *remove_first(struct cop_area *root, struct cop_area **first)
{
	struct cop_area *left = cop_read(&root->left);

	if (!left) {
		*first = root;
		return cop_read(&root->right);
	}
	cop_write(&root->left, remove_first(left, first));
	return balance(root);
}

static struct cop_area *remove(struct cop_area *root, const struct cop_area *a)
{
	struct cop_area *left = cop_read(&root->left), *right = cop_read(&root->right), *first;

	if (cop_read(&a->start) < cop_read(&root->start)) {
		cop_write(&root->left, remove(left, a));
		return balance(root);
	}
	if (root != a) {
		cop_write(&root->right, remove(right, a));
		return balance(root);
	}
	if (!left || !right)
		return left ? left : right;
	right = remove_first(right, &first);
	cop_write(&first->right, right);
	cop_write(&first->left, left);
	return balance(first);
}

struct cop_area *cop_area_from(const struct cop_space *space, cop_va va)
{
	struct cop_area *a = cop_read(&space->areas), *found = NULL;

	while (a) {
		if (cop_read(&a->end) <= va) {
			a = cop_read(&a->right);
		} else {
			found = a;
			a = cop_read(&a->left);
		}
	}
	return found;
}

struct cop_area *cop_area_at(const struct cop_space *space, cop_va va)
{
	struct cop_area *a = cop_area_from(space, va);

	return a && cop_read(&a->start) <= va ? a : NULL;
}

void cop_area_insert(struct cop_space *space, struct cop_area *area)
{
	cop_write(&area->left, NULL);
	cop_write(&area->right, NULL);
	refresh(area);
	cop_write(&space->areas, insert(cop_read(&space->areas), area));
	cop_write(&space->area_count, cop_read(&space->area_count) + 1);
	cop_write(&space->area_bytes, cop_read(&space->area_bytes) + (cop_read(&area->end) - cop_read(&area->start)));
}

void cop_area_remove(struct cop_space *space, struct cop_area *area)
{
	cop_write(&space->areas, remove(cop_read(&space->areas), area));
	cop_write(&space->area_count, cop_read(&space->area_count) - 1);
	cop_write(&space->area_bytes, cop_read(&space->area_bytes) - (cop_read(&area->end) - cop_read(&area->start)));
}

/* ---- holes ---- */

struct hole {
	cop_va from;
	uint64_t bytes;
};

/* Does [start, end) hold it? */
static bool hole_fits(const struct hole *h, cop_va start, cop_va end)
{
	const cop_va at = start > h->from ? start : h->from;

	return at < end && end - at >= h->bytes;
}

/* Lowest in a subtree, between its areas; 0. Goes down where a hole is large enough, and at most once past one that is too low. */
static cop_va hole_in(const struct cop_area *a, const struct hole *h)
{
	const struct cop_area *left, *right;
	cop_va found = 0;

	if (!a || cop_read(&a->gap) < h->bytes || cop_read(&a->high) <= h->from)
		return 0;
	left = cop_read(&a->left);
	right = cop_read(&a->right);
	if (left) {
		found = hole_in(left, h);
		if (!found && hole_fits(h, cop_read(&left->high), cop_read(&a->start)))
			found = larger(cop_read(&left->high), h->from);
	}
	if (!found && right) {
		if (hole_fits(h, cop_read(&a->end), cop_read(&right->low)))
			return larger(cop_read(&a->end), h->from);
		found = hole_in(right, h);
	}
	return found;
}

cop_va cop_area_gap(const struct cop_space *space, cop_va from, uint64_t bytes)
{
	const struct cop_area *root = cop_read(&space->areas);
	struct hole h = {larger(from, space->first), bytes};
	cop_va found;

	if (!root)
		return hole_fits(&h, space->first, space->end) ? h.from : 0;
	if (hole_fits(&h, space->first, cop_read(&root->low)))
		return h.from;
	found = hole_in(root, &h);
	if (!found && hole_fits(&h, cop_read(&root->high), space->end))
		found = larger(cop_read(&root->high), h.from);
	return found;
}

/* ---- stock ---- */

int cop_stock_areas(struct cop_space *space, struct area_stock *stock, unsigned count)
{
	for (stock->count = 0; stock->count < count; stock->count++) {
		const cop_pa pa = cop_object_alloc(space->spaces);
		struct cop_area *area;

		if (pa == COP_PA_NONE) {
			cop_unstock_areas(space, stock);
			return -COP_ENOMEM;
		}
		area = (struct cop_area *)cop_phys(pa);
		cop_write(&area->pa, pa);
		cop_write(&area->space, space);
		stock->area[stock->count] = area;
	}
	return 0;
}

void cop_unstock_areas(struct cop_space *space, struct area_stock *stock)
{
	while (stock->count) {
		const struct cop_area *area = stock->area[--stock->count];

		cop_object_free(space->spaces, cop_read(&area->pa));
	}
}
