#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: lint.sh BUILD_DIR [format|tidy]: the sources' layout, then clang-tidy over all that is compiled in BUILD_DIR.
set -eu
build=$1
what=${2:-all}

if [ "$what" != tidy ]; then
	git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror
fi
if [ "$what" != format ]; then
	# What gcc alone understands in the compile commands must not stop clang-tidy.
	# Patched copies, which are broken on purpose, are not sources; assembly is not C.
	awk -F'"' '/"file":/ && $4 !~ /\/stories\/.*\/(formats|tables|memory|spaces|hotplug)\/|\/broken\/.*\/checker\/|[.]S$/ {print $4}' \
		"$build/compile_commands.json" | sort -u |
		xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option 2>/dev/null
fi
