#!/bin/sh
# SPDX-License-Identifier: MIT
# Sourced by scripts that look at the tool from outside; they set status=0 before and exit with it.

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

# one CODE PATTERN COMMAND...: the same, and there is no second line.
one() {
	expect "$@"
	[ "$(printf '%s\n' "$out" | wc -l)" = 1 ] || { printf 'expected one line:\n%s\n' "$out"; status=1; }
}
