#!/bin/sh
# SPDX-License-Identifier: MIT
# coppice inspect from outside: equal to the oracles byte for byte, exit codes, one clear line for what is wrong, JSON that parses.
set -eu
tool="$BUILD/coppice inspect"
dumps=tests/data/dumps
status=0

complain() {
	echo "$*"
	status=1
}

for set in amd64-4level:x86-64 arm64-blocks:arm64 arm64-default:arm64 riscv64-sv39:riscv64 s390x:s390x; do
	dir=$dumps/${set%:*}
	input="--frames $dir/frames.bin.xz --regs $dir/regs.txt --arch ${set#*:}"
	xz -dc "$dir/leaves.txt.xz" >"$BUILD/inspect.leaves"
	$tool leaves $input | cmp -s - "$BUILD/inspect.leaves" || complain "$set: leaves differ"
	lines=$(wc -l <"$BUILD/inspect.leaves")
	[ "$($tool leaves --json $input | grep -c '"virtual"')" = "$lines" ] || complain "$set: leaves --json"
	for view in info ranges stats leaves export "walk 0x1000" "who 0"; do
		$tool $view --json $input >"$BUILD/inspect.json" || [ $? = 1 ] || complain "$set: $view --json"
		if command -v python3 >/dev/null; then
			python3 -m json.tool "$BUILD/inspect.json" >/dev/null || complain "$set: $view: no JSON"
		fi
	done
	# Rows of what is exported hold every leaf.
	bytes=$($tool export $input | awk -F, 'NR > 1 { n += $4 / $5 } END { printf "%d", n }')
	[ "$bytes" = "$lines" ] || complain "$set: export has $bytes leaves, expected $lines"
done

# one CODE PATTERN ARG...: exit code, and one line on stderr that matches.
one() {
	code=$1
	pattern=$2
	shift 2
	got=0
	out=$($tool "$@" 2>&1 >/dev/null) || got=$?
	if [ "$got" != "$code" ] || [ "$(printf '%s\n' "$out" | wc -l)" != 1 ] || ! printf '%s\n' "$out" | grep -qE -- "$pattern"; then
		complain "inspect $*: exit $got (expected $code), expected $pattern: $out"
	fi
}

a64=$dumps/arm64-blocks
good="--frames $a64/frames.bin.xz --regs $a64/regs.txt"
one 2 "no view 'frobnicate'; expected" frobnicate
one 2 'no input; expected' leaves
one 2 'too few words; expected VA' walk
one 2 'No such file' leaves nowhere
one 2 "unexpected argument 'b'; expected" leaves a b
one 2 "^coppice inspect leaves: unrecognized option '--nix'" leaves --nix
one 2 "VA: 'xyz'; expected an address" walk xyz $good
one 2 "VA: '11112222333344445'; expected an address" walk 11112222333344445 $good
one 2 "attr: 'shiny'; expected" leaves --attr w,shiny $good
one 2 "size: '3K'; expected" leaves --size 3K $good
one 2 "range: '5-4'; expected an end" leaves --range 5-4 $good
one 2 "tree: 'none'; expected" leaves --tree none $good
one 2 "style: 'qemu-tlb'; arm64 has none" ranges --style qemu-tlb $good
one 2 "format: 'xml'; expected csv or json" export --format xml $good
one 2 'given 2 times; expected it once' leaves $good --frames x
one 2 'levels and --va-bits' leaves --levels 4 --va-bits 48 $good
one 2 'expected' leaves --frames README.md --regs $a64/regs.txt
got=0
$tool walk 12345678 $good >/dev/null || got=$?
[ $got = 1 ] || complain "walk of a hole: exit $got, expected 1"
$tool walk ffff000000201234 $good | grep -q -- '-> 0x40201234' || complain "walk: not 0x40201234"
$tool who 40201000 $good | grep -q '^2 mappings$' || complain "who: not two mappings"
got=0
$tool leaves $good >/dev/full 2>/dev/null || got=$?
[ $got = 3 ] || complain "a full disk: exit $got, expected 3"
rm -f "$BUILD/inspect.leaves" "$BUILD/inspect.json"
exit $status
