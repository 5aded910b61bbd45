/* SPDX-License-Identifier: MIT */
#include "formats/s390x.h"
#define WALKS_NAME s390x
#include "bench/walks.h"
