/* SPDX-License-Identifier: MIT */
#include "formats/x86_64.h"
#define WALKS_NAME x86_64
#include "bench/walks.h"
