#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: rules.sh: docs/rules.md has every rule of the checker with its meaning and its cases, and no other.
set -eu
page=docs/rules.md
bad=0
"$BUILD/coppice" explain | tail -n +2 | sed 's/^ *//' >"$BUILD/rules"
[ -s "$BUILD/rules" ] || { echo "rules: no rules"; exit 1; }
say() {
	echo "$page: $1"
	bad=1
}
while read -r rule meaning; do
	cases=
	for file in tests/checker/rules_*.c; do
		n=$(grep -c "\.rule = \"$rule\"" "$file" || true)
		[ "$n" -eq 0 ] || cases="$cases${cases:+, }$n in $(basename "$file")"
	done
	grep -qF "| \`$rule\` | $meaning | $cases |" "$page" || say "no line '| \`$rule\` | $meaning | $cases |'"
done <"$BUILD/rules"
for rule in $(grep -o '`[a-z][a-z0-9]*\(-[a-z0-9]*\)\{1,\}`' "$page" | tr -d '`' | sort -u); do
	grep -q "^$rule " "$BUILD/rules" || say "no such rule: $rule"
done
exit $bad
