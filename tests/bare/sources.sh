#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: sources.sh ARCH: images link the amalgamation as it comes, and bare.sh would notice if they did not. Needs bare.sh build
# ARCH.
set -eu
arch=$1
build=${BUILD:-build}
[ -d "$build/bare/$arch/amalgamation" ] || { echo "skipped: bare.$arch is not built"; exit 77; }
scripts/bare.sh sources "$arch"

# What images are made from, once with a line too many, once with a source of the library beside it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bare/$arch"
cp -r "$build/bare/$arch/amalgamation" "$work/bare/$arch"
mkdir "$work/bare/$arch/objects"
touch "$work/bare/$arch/objects/none.d"
BUILD=$work scripts/bare.sh sources "$arch" || { echo "refused though nothing is wrong"; exit 1; }
echo "x.o: $PWD/tests/x.c $PWD/tables/map.h" >"$work/bare/$arch/objects/x.d"
! BUILD=$work scripts/bare.sh sources "$arch" 2>"$work/said" || { echo "tables/map.h beside the amalgamation: not noticed"; exit 1; }
grep -q 'tables/map.h' "$work/said" || { cat "$work/said"; exit 1; }
rm "$work/bare/$arch/objects/x.d"
for file in "$work/bare/$arch"/amalgamation/*/coppice.c; do
	echo '/* more */' >>"$file"
done
! BUILD=$work scripts/bare.sh sources "$arch" 2>"$work/said" || { echo "a changed amalgamation: not noticed"; exit 1; }
grep -q 'not what the tree amalgamates to: .*coppice.c' "$work/said" || { cat "$work/said"; exit 1; }
