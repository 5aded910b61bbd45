#!/bin/sh
# SPDX-License-Identifier: MIT
# coppice inspect lint, diff and map from outside: exit codes, JSON, files, and one clear line for bad input.
set -eu
tool=$BUILD/coppice
dumps=tests/data/dumps
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# expect CODE PATTERN ARGUMENTS...: of coppice inspect.
expect() {
	code=$1
	pattern=$2
	shift 2
	got=0
	out=$(timeout 60 "$tool" inspect "$@" 2>&1) || got=$?
	if [ "$got" != "$code" ] || ! printf '%s\n' "$out" | grep -qE -- "$pattern"; then
		printf 'coppice inspect %s: exit %s (expected %s), output (expected %s):\n%s\n' "$*" "$got" "$code" "$pattern" "$out"
		status=1
	fi
	if [ "$code" = 2 ] && [ "$(printf '%s\n' "$out" | wc -l)" != 1 ]; then
		printf 'coppice inspect %s: more than one line:\n%s\n' "$*" "$out"
		status=1
	fi
}

amd64="--frames $dumps/amd64-4level/frames.bin.xz --regs $dumps/amd64-4level/regs.txt"
blocks="--frames $dumps/arm64-blocks/frames.bin.xz --regs $dumps/arm64-blocks/regs.txt"
moment() {
	echo "--frames $dumps/amd64-hotplug/$1.frames.bin.xz --regs $dumps/amd64-hotplug/$1.regs.txt"
}
before=$(moment before)
added=$(moment added)
removed=$(moment removed)
# shellcheck disable=SC2086
{
	expect 0 '^0 errors, 0 warnings' lint --map amd64.iomem $amd64
	expect 1 '^6 errors, ' lint $blocks
	expect 1 '^6 errors, 0 warnings, 0 notes' lint --severity error $blocks
	expect 0 '^0 errors, 0 warnings, 2 notes' lint --rule empty-table $blocks
	expect 0 '^0 errors, [1-9] warnings, 2 notes' lint --rule empty-table,alias-type $blocks
	expect 1 'and 5 more of wx-kernel' lint --limit 1 --rule wx-kernel $blocks
	expect 1 '"rule":[[:space:]]*"wx-kernel"' lint --json $blocks
	expect 0 'contiguous or Svnapot' lint --list
	expect 0 '"sections"' lint --list --json
	expect 2 "no-such-rule.*--list" lint --rule no-such-rule $blocks
	expect 2 "--severity: 'bad'; expected note" lint --severity bad $blocks
	expect 2 '--limit' lint --limit many $blocks
	expect 2 '--map' lint --map "$work/none" $blocks
	expect 2 'no input' lint
	expect 2 'none' lint --frames "$work/none"

	expect 0 'no difference' diff $before $before
	expect 1 'appeared 130 entries of 2 M' diff $before $added
	expect 1 'vanished 130 entries of 2 M' diff $added $removed
	expect 0 'no leaf or table left behind' diff --range ff00000000000000-ffffffffffffffff $before $removed
	expect 1 '"entries":[[:space:]]*130' diff --json $before $added
	expect 2 'expected trees of one shape' diff $amd64 $before
	expect 2 'no tree is in both' diff $amd64 $blocks
	expect 2 'no input' diff $before

	expect 0 '' map --svg "$work/map.svg" $blocks
	expect 0 '<svg ' map --svg - --title '<&"' $blocks
	expect 2 '--svg FILE' map $blocks
	expect 3 'No such file' map --svg "$work/none/map.svg" $blocks
	expect 3 '' map --svg "$work" $blocks
}
if [ "$(ls "$work")" != map.svg ]; then
	echo "left behind: $(ls "$work")"
	status=1
fi
exit $status
