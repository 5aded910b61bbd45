#!/bin/sh
# SPDX-License-Identifier: MIT
# broken.sh TOOL CODE PATTERN: coppice run --gup over a library that is broken in one place, or only slowed down there. What is
# broken shows in a few seconds on a quiet machine; one that is busy gets three minutes.
set -eu
tool=$1
code=$2
pattern=$3
map=$(dirname "$0")/../../maps/cloud-24g.iomem
try=0
while [ $try -lt 3 ]; do
	try=$((try + 1))
	rounds=100000
	[ "$code" != 0 ] || rounds=1
	got=0
	out=$(timeout --preserve-status -s INT 60 "$tool" run --map "$map" --limit 128M --arch arm64 --gup 4 --cpus 1 \
		--readers 0 --rounds $rounds 2>&1) || got=$?
	if [ "$got" = "$code" ] && printf '%s\n' "$out" | grep -qE -- "$pattern"; then
		exit 0
	fi
	# Nothing was seen until it was stopped.
	[ "$got" = 130 ] || break
done
printf '%s: exit %s (expected %s), output (expected %s):\n%s\n' "$tool" "$got" "$code" "$pattern" "$out"
exit 1
