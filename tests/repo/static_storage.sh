#!/bin/sh
# SPDX-License-Identifier: MIT
# Library rooms have no mutable static storage: no symbol in .data, .bss or common. Arguments: their objects.
set -eu
[ $# -gt 0 ]
bad=$(nm -A --defined-only "$@" | awk '$(NF-1) ~ /^[bBcCdDgGsS]$/' || true)
# Tables of pointers are constant, but need relocation where code is position independent.
bad=$(printf '%s\n' "$bad" | while read -r line; do
	[ -n "$line" ] || continue
	object=${line%%:*}
	symbol=${line##* }
	section=$(objdump -t "$object" | awk -v s="$symbol" '$NF == s {for (i = 1; i <= NF; i++) if ($i ~ /^\./) {print $i; exit}}')
	case $section in
	.data.rel.ro*) ;;
	*) echo "$object: $symbol in $section" ;;
	esac
done)
[ -z "$bad" ] || { echo "mutable static storage:"; echo "$bad"; exit 1; }
