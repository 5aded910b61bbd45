#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool from outside: exit codes, one clear line for what is wrong, JSON that parses, nothing but text in a pipe.
set -eu
tool=$BUILD/coppice
status=0

# shellcheck source=tests/repo/expect.sh
. "$(dirname "$0")/expect.sh"

expect 0 '^coppice [0-9]+\.[0-9]+\.[0-9]+$' "$tool" version
expect 0 '^  maps ' "$tool" help
expect 0 '^Manual$' "$tool" explain break-before-make
expect 0 '^Right$' "$tool" explain break-before-make
expect 0 '^  coppice check HR3 --variant no-grace-period' "$tool" explain struct-page-unmapped
expect 0 '"shown_by"' "$tool" explain struct-page-unmapped --json
expect 0 '"rule":[[:space:]]+"lost-update"' "$tool" explain --json
one 2 "^coppice explain: no rule 'frobnicate'; expected" "$tool" explain frobnicate
one 2 "^coppice check: no story 'XX1'; expected" "$tool" check XX1
one 2 "^coppice check: --arch: 'vax'; expected arm64, " "$tool" check --arch vax
one 2 "^coppice check: --jobs: '0'; expected a number" "$tool" check --jobs 0
one 2 "^coppice check: no variant 'frob' for s390x of these stories; expected" "$tool" check HR1 --variant frob --arch s390x
one 2 "^coppice check: --preemptions: '-1'; expected a number from 0 to 999" "$tool" check --preemptions -1
expect 0 '^  HR1 ' "$tool" list
expect 0 '^  HR1 +fixed +riscv64 +[a-z]+ +exhausted +yes ' "$tool" check HR1 --variant fixed --arch riscv64
expect 0 '"verdict":[[:space:]]+"fails"' "$tool" check HR1 --variant free-before-clear --json
# A failure runs again from its string, and from no other.
string=$("$tool" check HR1 --variant free-before-clear --arch x86-64 | grep -o 'cop1\.[^ ]*')
expect 1 '^  rule    freed-while-mapped: ' "$tool" replay "$string"
expect 1 '^ +[0-9]+  +free section .* stage_sim\.c:[0-9]+$' "$tool" replay "$string"
expect 1 '"rule":"freed-while-mapped"' "$tool" replay "$string" --json
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT
expect 1 . "$tool" replay "$string" --trace-out "$trace"
python3 -c "import json, sys; t = json.load(open(sys.argv[1]))['traceEvents']; assert [e for e in t if e['ph'] == 'X']" \
	"$trace" || status=1
expect 0 '^  rule    freed-while-mapped: ' "$tool" check HR1 --variant free-before-clear --arch x86-64 --trace
one 2 '^coppice replay: --trace-out: /nowhere/x: No such file' "$tool" replay "$string" --trace-out /nowhere/x
one 2 "^coppice replay: 'cop1\.HR1\..*': it is not whole: .*; expected a string" "$tool" replay "${string%?}"
one 2 "^coppice replay: 'frobnicate': it does not begin as .*; expected a string" "$tool" replay frobnicate
one 2 '^coppice replay: no STRING; expected' "$tool" replay
one 2 '^coppice replay: unexpected argument' "$tool" replay "$string" more
one 2 '^coppice replay: the string is for other sources .*; expected' "$BUILD/stories/bin/sim_HR1_block-not-invalidated" \
	--replay "$string"
expect 0 'Examples:' "$tool" help maps
expect 0 'Examples:' "$tool" maps --help
expect 2 '^Usage: coppice' "$tool"
expect 2 "^coppice: no command 'frobnicate'; expected" "$tool" frobnicate
one 2 "^coppice maps: unrecognized option '--frobnicate'; expected" "$tool" maps --frobnicate
one 2 "^coppice run: unrecognized option '-jX'; expected" "$tool" run -jX
one 2 "^coppice run: unrecognized option '--l'; expected" "$tool" run --l 4
one 2 '^coppice run: --arch: no value; expected NAME' "$tool" run --arch
one 2 '^coppice run: --limit: no value; expected SIZE' "$tool" run --rounds 1 -L
one 2 "^coppice run: --altmap: 'yes'; expected no value" "$tool" run --altmap=yes
expect 0 '^  cloud-24g.iomem +/proc/iomem text +24 G$' "$tool" maps
expect 0 '^  000840000000 .* 1 +memory@840000000$' "$tool" maps arm64-virt-2numa-64g.dtb
expect 0 '"node":[[:space:]]+1' sh -c "cat maps/arm64-virt-2numa-64g.dtb | $tool maps --json -"
expect 2 '^coppice maps: nowhere: No such file' "$tool" maps nowhere
expect 2 '^coppice maps: stdin: empty; expected' sh -c "printf '' | $tool maps -"
one 2 '^coppice maps: maps: cannot read: Is a directory; expected' "$tool" maps maps
one 2 "^coppice maps: '': No such file" "$tool" maps ''
one 2 'reaches the last 64-bit address; expected' sh -c "printf '0-ffffffffffffffff : System RAM\n' | $tool maps -"
one 2 'ends before it starts; expected' sh -c "printf 'fffffffffffff000-fff : System RAM\n' | $tool maps -"
one 2 'overlaps the line before it; expected' sh -c "printf '0-ffff : System RAM\n8000-1ffff : System RAM\n' | $tool maps -"
expect 2 'all|every address is 0' sh -c "printf '00000000-00000000 : System RAM\n' | $tool maps -"
one 3 '^coppice maps: standard output: .*; expected' sh -c "$tool maps >/dev/full"
if "$tool" maps | grep -q "$(printf '\033')"; then
	echo "colours in a pipe"
	status=1
fi
exit $status
