#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual page is well formed, and names every option that --help does.
set -eu
command -v mandoc >/dev/null || exit 77
mandoc -T lint -W warning docs/coppice.1
for command in run check replay list explain maps bench inspect/ranges inspect/export inspect/lint inspect/diff inspect/map; do
	# shellcheck disable=SC2086 # two words
	"$BUILD/coppice" ${command%/*} $(echo "$command" | sed -n 's,.*/,,p') --help 2>/dev/null | grep -oE -- ' --[a-z-]+' | sort -u | while read -r option; do
		name=${option#--}
		case $name in help | usage | version) continue ;; esac
		grep -qF -- "Fl -$name" docs/coppice.1 || { echo "docs/coppice.1 lacks $option of coppice $command"; exit 1; }
	done
done
