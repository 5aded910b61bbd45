/* SPDX-License-Identifier: MIT */
#ifndef CLI_INSPECT_SVG_H
#define CLI_INSPECT_SVG_H

#include <stdio.h>

#include "inspect/picture.h"

/* Into how many bins a bar of that many bytes is divided. */
unsigned svg_bins(uint64_t bytes);

/* A picture for browsers and papers, light or dark as the reader likes it; @title is text, not markup. */
void svg_print(FILE *, const struct picture *, const char *title);

#endif
