#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: broken.sh ARCH: a machine that hangs, resets, prints without end or takes a fault that nobody expected is none that has
# passed, is over in bounded time, and its log says what there is to know. Needs bare.sh build ARCH.
set -eu
arch=$1
logs=${BUILD:-build}/bare/$arch
verdict=$(mktemp)
trap 'rm -f "$verdict"' EXIT
status=0

fail() {
	echo "$arch, $*"
	status=1
}

# run KIND: within bounds, not passed, and the log is there.
run() {
	kind=$1
	began=$(date +%s)
	code=0
	BARE_SECONDS=$limit scripts/bare.sh run "$arch" "broken-$kind" >"$verdict" || code=$?
	[ "$code" != 77 ] || { cat "$verdict"; exit 77; }
	[ "$code" = 1 ] || fail "$kind: expected exit code 1, got $code: $(head -n 1 "$verdict")"
	[ $(($(date +%s) - began)) -le $((limit + 20)) ] || fail "$kind: took $(($(date +%s) - began)) s"
	says "^ok 1 the machine maps itself" "how far it came"
	grep -q "^FAILED: bare.$arch.broken-$kind: .*log: .*/$arch/broken-$kind.log" "$verdict" ||
		fail "$kind: expected what failed, and where the log is, got: $(head -n 1 "$verdict")"
}

# says PATTERN WHAT: in the log of what has run.
says() {
	grep -aqE -- "$1" "$logs/broken-$kind.log" ||
		fail "$kind: expected $2 in $logs/broken-$kind.log: $1"
}

verdict_is() {
	grep -q "$1" "$verdict" || fail "$kind: expected '$1', got: $(head -n 1 "$verdict")"
}

# walk_ends_at VA LEVEL: the walk of that address, level by level from the root, down to that one.
walk_ends_at() {
	level=$2
	says "^# walk of $(printf '%016x' "0x$1") by .*, [0-9]+ levels, [0-9]+ bits, root [0-9a-f]+\$" "the walk"
	walked=$(grep -a '^#   level ' "$logs/broken-$kind.log" | awk '{print $3}' | tr '\n' ' ')
	levels=$(sed -n 's/^# walk of .*, \([0-9]*\) levels.*/\1/p' "$logs/broken-$kind.log")
	[ -n "$levels" ] || return 0
	[ "$walked" = "$(seq -s ' ' $((levels - 1)) -1 "$level") " ] ||
		fail "$kind: expected the entries of levels $((levels - 1)) to $level, got: $walked"
	says "^#   level $((levels - 1)) .* [0-9a-f]{16} table: .*=" "the root's entry, decoded"
}

limit=10
run hang
verdict_is 'planned 2 results, got 1;did not come to its end'
limit=60
run reset
verdict_is 'did not come to its end'
# It is not begun again.
[ "$(grep -ac '^ok 1 ' "$logs/broken-reset.log")" = 1 ] || fail "reset: expected one run"
limit=60
export BARE_BYTES=65536
run flood
unset BARE_BYTES
bytes=$(wc -c <"$logs/broken-flood.log")
[ "$bytes" -le 65536 ] || fail "flood: a log of $bytes bytes"
[ $(($(date +%s) - began)) -lt $limit ] || fail "flood: ended by the clock and not by the log's size"

run store
said=$(sed -n 's/^# \([0-9a-f]*\) is mapped to \([0-9a-f]*\), read-only; nothing is at \([0-9a-f]*\)$/\1 \2 \3/p' "$logs/broken-store.log")
va=${said%% *}
hole=${said##* }
pa=${said#* }
pa=${pa% *}
registers='^# .*[a-z0-9]+ +[0-9a-f]{16}( +[a-z0-9]+ +[0-9a-f]{16}){3}'
says "^Bail out! cpu 0: unexpected .* at pc [0-9a-f]+, address $va\$" "the fault"
says "$registers" "registers"
walk_ends_at "$va" 0
# Among the decoded fields of the leaf is the number of the frame that it leads to.
says "^#   level 0 .* [0-9a-f]{16} leaf: .*=${pa%000}( |\$)" "the leaf, decoded"

run hole
says "^Bail out! cpu 0: unexpected .* at pc [0-9a-f]+, address $hole\$" "the fault"
says "$registers" "registers"
walk_ends_at "$hole" 0
says "^#   level 0 .* [0-9a-f]{16} empty:" "the empty entry"

run panic
says "^Bail out! cpu 0: panic: broken on purpose at $va\$" "the rule"
walk_ends_at "$va" 0
exit $status
