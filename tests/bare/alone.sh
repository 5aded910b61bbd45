#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: alone.sh ARCH: what examples/tiny-kernel/README.md says under "Alone" does it, word for word, away from here.
set -eu
arch=$1
. "ports/bare/$arch/machine.sh"
for tool in "$compiler" "$emulator"; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool ($package)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r CMakeLists.txt include formats tables memory spaces hotplug ports examples scripts "$work"

# The first block, which is all architectures', and the one that builds this one.
awk -v arch="$arch" '
/^## / {inside = $0 == "## Alone"}
/^```$/ {if (block != "" && (n++ == 0 || block ~ "(^|\n)build " arch " ")) printf "%s", block; block = ""; code = 0}
code {block = block $0 "\n"}
/^```sh$/ {code = inside}' examples/tiny-kernel/README.md >"$work/commands"
grep -q "^build $arch " "$work/commands" || { echo "the README does not say how to build for $arch"; exit 1; }

cd "$work"
timeout -k 5 200 sh -eu commands </dev/null >log 2>&1 || true # an x86-64 machine turns itself off with 1
tr -d '\r' <log | grep -q '^# end: 4 planned, 4 done, 0 failed$' || { tail -n 40 log; exit 1; }
