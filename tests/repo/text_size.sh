#!/bin/sh
# SPDX-License-Identifier: MIT
# tables/ and one format, compiled for a kernel: under 32 KB of text, for each format.
set -eu
limit=32768
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
flags="-std=gnu11 -O2 -ffreestanding -fno-strict-aliasing -fno-asynchronous-unwind-tables -I include -I . "
case $(uname -m) in x86_64 | aarch64) flags="$flags -mgeneral-regs-only" ;; esac

# text FILE: bytes
text() {
	# shellcheck disable=SC2086
	"$CC" $flags -DCOP_PORT_HEADER='"examples/minimal-port/port.h"' -c "$1" -o "$work/object.o"
	size "$work/object.o" | awk 'NR == 2 {print $1}'
}

common=0
for file in tables/*.c; do
	[ -e "formats/$(basename "$file")" ] || common=$((common + $(text "$file")))
done
for file in tables/*.c; do
	name=$(basename "$file" .c)
	[ -e "formats/$name.c" ] || continue
	total=$((common + $(text "$file")))
	echo "$name: $total bytes of text"
	[ "$total" -lt "$limit" ] || { echo "$name: expected under $limit"; status=1; }
done
exit $status
