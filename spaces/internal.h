/* SPDX-License-Identifier: MIT */
/* Shared by the files of spaces/. */
#ifndef COPPICE_SPACES_INTERNAL_H
#define COPPICE_SPACES_INTERNAL_H

#include <coppice/spaces.h>

#endif
