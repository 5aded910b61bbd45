// SPDX-License-Identifier: MIT
/*
 * The address space as bars, one for each mapped stretch, and below it how full the tables are. A bar is as long as the
 * logarithm of what it spans; within it the scale is linear, and the colours stack up to what is mapped.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/inspect/svg.h"
#include "cli/out.h"

enum {
	WIDTH = 1200,
	MARGIN = 28,
	HEAD = 96,
	BAR_X = 372,
	BAR_ROOM = 500,
	BAR_HEIGHT = 20,
	ROW = 32,
	GAP_ROW = 20,
	TREE_ROW = 34,
	NOTE_X = BAR_X + BAR_ROOM + 20,
	PANEL = 210,
	CARD_GAP = 20,
};

#define LEAST_LG2 12.0

/* Browsers choose by the reader's theme; what knows no media queries shows the light one. */
static const char style[] =
	"<style>\n"
	"text{font-family:ui-sans-serif,system-ui,'Segoe UI','DejaVu Sans',Helvetica,Arial,sans-serif;font-size:13px;"
	"fill:#1c2430}\n"
	".mono{font-family:ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',Consolas,monospace;font-size:12px}\n"
	".title{font-size:20px;font-weight:600}\n"
	".head{font-size:14px;font-weight:600}\n"
	".dim{fill:#5b6675}\n"
	".small{font-size:11px}\n"
	".end{text-anchor:end}\n"
	".mid{text-anchor:middle}\n"
	".page{fill:#ffffff}\n"
	".bar{fill:#eef1f5;stroke:#c9d1db;stroke-width:1}\n"
	".grid{stroke:#e3e7ed;stroke-width:1}\n"
	".gap{stroke:#b9c2cd;stroke-width:1.5;stroke-dasharray:2 4;fill:none}\n"
	".card{fill:#f7f8fa;stroke:#dde2e9;stroke-width:1}\n"
	".full{fill:#7d8896}\n"
	".s0{fill:#2f7ed8}.s1{fill:#1aa59a}.s2{fill:#f0a830}.s3{fill:#e2662e}.s4{fill:#c33c54}.s5{fill:#8d4fb0}"
	".s6{fill:#6b7a2a}.s7{fill:#5a4a42}\n"
	"@media (prefers-color-scheme: dark){\n"
	"text{fill:#e4e8ee}.dim{fill:#9aa5b3}.page{fill:#12161c}.bar{fill:#1d232c;stroke:#38424f}.grid{stroke:#252c36}"
	".gap{stroke:#4a5563}.card{fill:#181d25;stroke:#2c3542}.full{fill:#8b97a6}\n"
	".s0{fill:#4c97ec}.s1{fill:#2cc0b3}.s2{fill:#f5b84a}.s3{fill:#f07f4b}.s4{fill:#e05a70}.s5{fill:#ab72cc}"
	".s6{fill:#93a548}.s7{fill:#a08d82}\n"
	"}\n"
	"</style>\n";

/* Text from outside: markup is quoted, and what XML does not allow is left out. */
static void put_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", to);
		else if (c == '>')
			fputs("&gt;", to);
		else if (c == '&')
			fputs("&amp;", to);
		else if (c == '"')
			fputs("&quot;", to);
		else if (c < 0x20 || c > 0x7e)
			fputc('?', to);
		else
			fputc(c, to);
	}
}

/* The same size has the same colour in every picture; two that would have one differ by taking the next. */
static unsigned colour(const struct picture *p, unsigned size)
{
	static const uint8_t below[PICTURE_SIZES] = {13, 17, 22, 27, 32, 42, 52, 64};
	unsigned next = 0;

	for (unsigned i = 0; i <= size; i++) {
		unsigned c = 0;

		while (c + 1 < PICTURE_SIZES && p->size_lg2[i] >= below[c])
			c++;
		next = (c > next ? c : next) + (i < size);
	}
	return next % PICTURE_SIZES;
}

static double bar_length(const struct picture *p, uint64_t bytes)
{
	double most = 24;

	for (unsigned i = 0; i < p->stretches; i++)
		most = fmax(most, log2((double)p->stretch[i].bytes));
	return fmax(6, BAR_ROOM * (log2((double)bytes) - LEAST_LG2 + 1) / (most - LEAST_LG2 + 1));
}

unsigned svg_bins(uint64_t bytes)
{
	const double pages = (double)bytes / 4096;

	return pages >= PICTURE_BINS ? PICTURE_BINS : pages < 1 ? 1 : (unsigned)pages;
}

static uint64_t total(const uint64_t *of_size)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PICTURE_SIZES; i++)
		sum += of_size[i];
	return sum;
}

static uint64_t mapped_of(const struct picture *p, unsigned size)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < p->stretches; i++)
		sum += p->stretch[i].mapped[size];
	return sum;
}

static void put_legend(FILE *to, const struct picture *p)
{
	double x = MARGIN;

	for (unsigned i = 0; i < p->sizes; i++) {
		const struct out_text size = out_size(COP_LG2(p->size_lg2[i])), mapped = out_size(mapped_of(p, i));

		fprintf(to, "<rect class=\"s%u\" x=\"%.1f\" y=\"62\" width=\"14\" height=\"14\" rx=\"3\"/>\n",
			colour(p, i), x);
		fprintf(to, "<text x=\"%.1f\" y=\"73.5\">%s <tspan class=\"dim\">leaves map %s</tspan></text>\n",
			x + 20, size.s, mapped.s);
		x += 48 + 7.4 * (double)(strlen(size.s) + strlen(mapped.s) + 11);
	}
}

/* The length that stands for so many bytes. */
static void put_axis(FILE *to, const struct picture *p, double y, double bottom)
{
	const unsigned step = bar_length(p, COP_LG2(32)) > BAR_ROOM ? 4 : 8;

	for (unsigned lg2 = 16; lg2 <= 60; lg2 += step) {
		const double length = bar_length(p, COP_LG2(lg2));

		if (length > BAR_ROOM + 1)
			break;
		fprintf(to, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>\n", BAR_X + length, y + 6, bottom);
		fprintf(to, "<text class=\"dim small mid\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", BAR_X + length, y,
			out_size(COP_LG2(lg2)).s);
	}
	fprintf(to, "<text class=\"dim small end\" x=\"%d\" y=\"%.1f\">spanned, log scale</text>\n", BAR_X - 4, y);
}

static bool same_bin(const float *a, const float *b)
{
	for (unsigned i = 0; i < PICTURE_SIZES; i++)
		if (a[i] < b[i] || a[i] > b[i])
			return false;
	return true;
}

/* What little is mapped is still to be seen. */
static double visible(float share)
{
	return share <= 0 ? 0 : fmax(1.5, fmin(1, share) * BAR_HEIGHT);
}

static void put_bins(FILE *to, const struct picture *p, const struct picture_stretch *s, double y, double length)
{
	const double width = length / s->bins;

	for (unsigned i = 0; i < s->bins;) {
		double bottom = y + BAR_HEIGHT;
		unsigned n = 1;

		while (i + n < s->bins && same_bin(s->bin[i], s->bin[i + n]))
			n++;
		for (unsigned size = 0; size < p->sizes; size++) {
			const double height = fmin(visible(s->bin[i][size]), bottom - y);

			if (height <= 0)
				continue;
			bottom -= height;
			fprintf(to, "<rect class=\"s%u\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
				colour(p, size), BAR_X + i * width, bottom, n * width, height);
		}
		i += n;
	}
}

static void leaves_text(const struct picture *p, const struct picture_stretch *s, char *text, size_t room)
{
	int n = snprintf(text, room, "%s of %s", out_size(total(s->mapped)).s, out_size(s->bytes).s);

	if (total(s->mapped) == s->bytes)
		n = snprintf(text, room, "%s", out_size(s->bytes).s);
	for (unsigned i = p->sizes; i-- > 0 && n > 0 && (size_t)n < room;)
		if (s->mapped[i])
			n += snprintf(text + n, room - (size_t)n, ", %s \xc3\x97 %s",
				      out_count(s->mapped[i] >> p->size_lg2[i] ? s->mapped[i] >> p->size_lg2[i]
									       : s->leaves[i])
					      .s,
				      out_size(COP_LG2(p->size_lg2[i])).s);
}

static void put_stretch(FILE *to, const struct picture *p, const struct picture_stretch *s, const char *region,
			double y)
{
	const double length = bar_length(p, s->bytes);
	char text[256];

	leaves_text(p, s, text, sizeof(text));
	fprintf(to, "<g><title>%016" PRIx64 "-%016" PRIx64 ": %s</title>\n", s->start, s->start + (s->bytes - 1), text);
	if (region) {
		fprintf(to, "<text class=\"head\" x=\"%d\" y=\"%.1f\">", MARGIN, y + 15);
		put_text(to, region);
		fputs("</text>\n", to);
	}
	fprintf(to, "<text class=\"mono dim end\" x=\"%d\" y=\"%.1f\">%016" PRIx64 "</text>\n", BAR_X - 12, y + 14.5,
		s->start);
	fprintf(to, "<rect class=\"bar\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n", BAR_X, y, length,
		BAR_HEIGHT);
	put_bins(to, p, s, y, length);
	fprintf(to, "<text class=\"small\" x=\"%d\" y=\"%.1f\">%s</text>\n</g>\n", NOTE_X, y + 14, text);
}

static void put_hole(FILE *to, const struct picture_stretch *a, const struct picture_stretch *b, double y)
{
	const uint64_t hole = b->start - (a->start + a->bytes);

	fprintf(to, "<path class=\"gap\" d=\"M%d %.1fV%.1f\"/>\n", BAR_X + 3, y - 9, y + 8);
	if (!(a->start >> 63) && b->start >> 63)
		fprintf(to, "<text class=\"dim small\" x=\"%d\" y=\"%.1f\">between the halves</text>\n", BAR_X + 14,
			y + 4);
	else
		fprintf(to, "<text class=\"dim small\" x=\"%d\" y=\"%.1f\">%s not mapped</text>\n", BAR_X + 14, y + 4,
			out_size(hole).s);
}

static bool new_tree(const struct picture *p, unsigned i)
{
	return *p->stretch[i].tree->name && (i == 0 || p->stretch[i].tree != p->stretch[i - 1].tree);
}

static bool has_hole(const struct picture *p, unsigned i)
{
	return i && p->stretch[i].tree == p->stretch[i - 1].tree &&
	       p->stretch[i].start != p->stretch[i - 1].start + p->stretch[i - 1].bytes;
}

static double rows_height(const struct picture *p)
{
	double y = 0;

	for (unsigned i = 0; i < p->stretches; i++)
		y += ROW + (new_tree(p, i) ? TREE_ROW : 0) + (has_hole(p, i) ? GAP_ROW : 0);
	return y;
}

static void put_rows(FILE *to, const struct picture *p, double y)
{
	for (unsigned i = 0; i < p->stretches; i++) {
		const struct picture_stretch *s = &p->stretch[i];
		const bool named = i == 0 || new_tree(p, i) || s->region != p->stretch[i - 1].region;

		if (new_tree(p, i)) {
			fprintf(to, "<text class=\"head dim\" x=\"%d\" y=\"%.1f\">Tree: ", MARGIN, y + 16);
			put_text(to, s->tree->name);
			fprintf(to, "</text>\n<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", MARGIN, y + 23,
				WIDTH - MARGIN);
			y += TREE_ROW;
		}
		if (has_hole(p, i)) {
			put_hole(to, s - 1, s, y - 1);
			y += GAP_ROW;
		}
		put_stretch(to, p, s, named ? s->region : NULL, y);
		y += ROW;
	}
}

/* Heights are logarithms too: one table of a kind is to be seen beside ten thousand. */
static void put_fullness(FILE *to, const struct picture_level *l, double x, double y, double width, double height)
{
	const double column = width / PICTURE_FULLNESS;
	double most = 1;

	for (unsigned i = 0; i < PICTURE_FULLNESS; i++)
		most = fmax(most, log2(1 + (double)l->fullness[i]));
	fprintf(to, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", x, y + height, x + width);
	for (unsigned i = 0; i < PICTURE_FULLNESS; i++) {
		const double h = height * log2(1 + (double)l->fullness[i]) / most;

		if (l->fullness[i] == 0)
			continue;
		fprintf(to,
			"<rect class=\"full\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s tables "
			"with "
			"%u to %u %% of their entries in use</title></rect>\n",
			x + i * column + 1, y + height - h, column - 2, h, out_count(l->fullness[i]).s,
			i * 100 / PICTURE_FULLNESS, (i + 1) * 100 / PICTURE_FULLNESS);
	}
	fprintf(to, "<text class=\"dim small\" x=\"%.1f\" y=\"%.1f\">empty</text>\n", x, y + height + 14);
	fprintf(to, "<text class=\"dim small end\" x=\"%.1f\" y=\"%.1f\">full</text>\n", x + width, y + height + 14);
}

static void put_card(FILE *to, const struct picture_level *l, unsigned level, double x, double y, double width)
{
	const double used = l->entries ? 100 * (double)l->used / (double)l->entries : 0;

	fprintf(to, "<g><rect class=\"card\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"8\"/>\n", x, y,
		width, PANEL - 46);
	fprintf(to,
		"<text class=\"head\" x=\"%.1f\" y=\"%.1f\">%s <tspan class=\"dim small\">level %u</tspan></text>\n",
		x + 12, y + 22, l->name ? l->name : "", level);
	fprintf(to, "<text class=\"small\" x=\"%.1f\" y=\"%.1f\">%s table%s, %s</text>\n", x + 12, y + 40,
		out_count(l->tables).s, l->tables == 1 ? "" : "s", out_size(l->bytes).s);
	fprintf(to, "<text class=\"dim small\" x=\"%.1f\" y=\"%.1f\">%.*f %% of entries in use</text>\n", x + 12,
		y + 56, used < 1 ? 2 : 0, used);
	put_fullness(to, l, x + 12, y + 68, width - 24, 62);
	fputs("</g>\n", to);
}

static void put_levels(FILE *to, const struct picture *p, double y)
{
	const unsigned cards = p->levels > 3 ? p->levels : 3;
	const double width = (WIDTH - 2 * MARGIN - (cards - 1.0) * CARD_GAP) / cards;

	fprintf(to, "<text class=\"head\" x=\"%d\" y=\"%.1f\">How full the tables are</text>\n", MARGIN, y + 12);
	fprintf(to,
		"<text class=\"dim small\" x=\"%d\" y=\"%.1f\">tables of each level by the share of their entries in "
		"use; "
		"heights on a log scale</text>\n",
		MARGIN + 190, y + 12);
	for (unsigned i = 0; i < p->levels; i++)
		put_card(to, &p->level[p->levels - 1 - i], p->levels - 1 - i, MARGIN + i * (width + CARD_GAP), y + 26,
			 width);
}

static void put_head(FILE *to, const struct picture *p, const char *title, double height)
{
	uint64_t mapped = 0, tables = 0, bytes = 0;

	for (unsigned i = 0; i < p->sizes; i++)
		mapped += mapped_of(p, i);
	for (unsigned i = 0; i < p->levels; i++) {
		tables += p->level[i].tables;
		bytes += p->level[i].bytes;
	}
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
		"role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">",
		WIDTH, height, WIDTH, height);
	put_text(to, title);
	fprintf(to,
		"</title>\n<desc id=\"desc\">%s mapped in %u stretches of the address space, by %s tables of "
		"%s.</desc>\n",
		out_size(mapped).s, p->stretches, out_count(tables).s, out_size(bytes).s);
	fputs(style, to);
	fprintf(to, "<rect class=\"page\" width=\"%d\" height=\"%.0f\"/>\n<text class=\"title\" x=\"%d\" y=\"40\">",
		WIDTH, height, MARGIN);
	put_text(to, title);
	fprintf(to, "</text>\n<text class=\"dim end\" x=\"%d\" y=\"40\">%s mapped by %s tables of %s</text>\n",
		WIDTH - MARGIN, out_size(mapped).s, out_count(tables).s, out_size(bytes).s);
}

void svg_print(FILE *to, const struct picture *p, const char *title)
{
	const double rows = rows_height(p), levels_y = HEAD + 28 + rows + 10;

	put_head(to, p, title, levels_y + PANEL);
	put_legend(to, p);
	if (p->stretches)
		put_axis(to, p, HEAD + 12, HEAD + 24 + rows - 6);
	put_rows(to, p, HEAD + 28);
	put_levels(to, p, levels_y);
	fputs("</svg>\n", to);
}
