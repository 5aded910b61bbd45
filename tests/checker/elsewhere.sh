#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: elsewhere.sh arm64|s390x DIR: the engine's random programs on another processor, under QEMU's user emulation. arm64 has a switch
# of stacks of its own; s390x goes through ucontext, and is big-endian. Exits with 77, saying why, where that cannot be had.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
dir=$2
case $1 in
arm64) compiler=aarch64-linux-gnu-gcc emulator=qemu-aarch64 ;;
s390x) compiler=s390x-linux-gnu-gcc emulator=qemu-s390x ;;
*) echo "elsewhere: no processor '$1'; expected arm64 or s390x" >&2; exit 2 ;;
esac
for tool in $compiler $emulator; do
	command -v "$tool" >/dev/null || { echo "skipped: checker.elsewhere.$1: no $tool"; exit 77; }
done
mkdir -p "$dir"
printf '#include <stdio.h>\nint main(void) { return 0; }\n' >"$dir/probe.c"
"$compiler" -static "$dir/probe.c" -o "$dir/probe" 2>/dev/null ||
	{ echo "skipped: checker.elsewhere.$1: no C library for it"; exit 77; }
"$compiler" -std=gnu11 -O2 -static -I "$root/include" -I "$root" "$root/tests/checker/random_engine.c" \
	"$root"/checker/engine/*.c "$root"/checker/engine/*.S -o "$dir/random_engine"
"$emulator" "$dir/random_engine" 300
