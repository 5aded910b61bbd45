#!/bin/sh
# SPDX-License-Identifier: MIT
# Every allocation of coppice inspect fails once, each index in turn: one clear line and exit 3, or all as usual where a
# library does without; never a crash.
set -eu
command -v "$CC" >/dev/null || exit 77
tool=$BUILD/coppice
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$CC" -shared -fPIC -O1 -o "$work/fail.so" tests/repo/preload/fail_alloc.c
status=0
dumps=tests/data/dumps
input="--frames $dumps/amd64-4level/frames.bin.xz --regs $dumps/amd64-4level/regs.txt"

# each ARGUMENTS...: of coppice inspect.
each() {
	n=1
	usual=0
	"$tool" inspect "$@" >"$work/usual" || usual=$?
	while :; do
		rm -f "$work/report" "$work/map.svg"
		got=0
		FAIL_ALLOC=$n FAIL_ALLOC_REPORT=$work/report LD_PRELOAD=$work/fail.so "$tool" inspect "$@" \
			>"$work/out" 2>"$work/err" || got=$?
		[ -e "$work/report" ] || break
		case $got in
		"$usual") cmp -s "$work/out" "$work/usual" || { echo "inspect $*: allocation $n: other output"; status=1; } ;;
		2 | 3) [ "$(wc -l <"$work/err")" = 1 ] || { echo "inspect $*: allocation $n: not one line:"; cat "$work/err"; status=1; } ;;
		*) echo "inspect $*: allocation $n: exit $got"; cat "$work/err"; status=1 ;;
		esac
		n=$((n + 1))
	done
	[ "$n" -gt 5 ] || { echo "inspect $*: only $n allocations"; status=1; }
	echo "inspect $*: $((n - 1)) allocations"
}

# shellcheck disable=SC2086
{
	each info $input
	each ranges $input
	each stats $input --json
	each walk ffff8cfa00098000 $input
	each who 5660000 $input
	each lint $input
	each map --svg "$work/map.svg" $input
}
exit $status
