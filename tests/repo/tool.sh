#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool from outside: exit codes, one clear line for what is wrong, JSON that parses, nothing but text in a pipe.
set -eu
tool=$BUILD/coppice
status=0

# expect CODE PATTERN COMMAND...: the exit code, and a line of output (both streams) that matches.
expect() {
	code=$1
	pattern=$2
	shift 2
	got=0
	out=$("$@" 2>&1) || got=$?
	if [ "$got" != "$code" ] || ! printf '%s\n' "$out" | grep -qE -- "$pattern"; then
		printf '%s: exit %s (expected %s), output (expected %s):\n%s\n' "$*" "$got" "$code" "$pattern" "$out"
		status=1
	fi
}

expect 0 '^coppice [0-9]+\.[0-9]+\.[0-9]+$' "$tool" version
expect 0 '^  maps ' "$tool" help
expect 0 'Examples:' "$tool" help maps
expect 0 'Examples:' "$tool" maps --help
expect 2 '^Usage: coppice' "$tool"
expect 2 "^coppice: no command 'frobnicate'; expected" "$tool" frobnicate
expect 2 'unrecognized option' "$tool" maps --frobnicate
expect 0 '^  cloud-24g.iomem +/proc/iomem text +24 G$' "$tool" maps
expect 0 '^  000840000000 .* 1 +memory@840000000$' "$tool" maps arm64-virt-2numa-64g.dtb
expect 0 '"node":[[:space:]]+1' sh -c "cat maps/arm64-virt-2numa-64g.dtb | $tool maps --json -"
expect 2 '^coppice maps: nowhere: No such file' "$tool" maps nowhere
expect 2 '^coppice maps: stdin: empty; expected' sh -c "printf '' | $tool maps -"
expect 2 'all|every address is 0' sh -c "printf '00000000-00000000 : System RAM\n' | $tool maps -"
if "$tool" maps | grep -q "$(printf '\033')"; then
	echo "colours in a pipe"
	status=1
fi
exit $status
