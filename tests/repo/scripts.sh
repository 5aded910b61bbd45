#!/bin/sh
# SPDX-License-Identifier: MIT
# Every shell script parses, is executable and says under which licence; so does every source.
set -eu
status=0
for script in scripts/*.sh tests/*/*.sh .ci/run; do
	sh -n "$script" || status=1
	[ -x "$script" ] || { echo "$script: not executable"; status=1; }
done
for file in $(git ls-files '*.c' '*.h' '*.sh' Makefile .ci/run); do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' || { echo "$file: no SPDX-License-Identifier"; status=1; }
done
exit $status
