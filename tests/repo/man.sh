#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual page is well formed, and names every option that --help does.
set -eu
command -v mandoc >/dev/null || exit 77
mandoc -T lint -W warning docs/coppice.1
for command in run maps bench; do
	"$BUILD/coppice" "$command" --help 2>/dev/null | grep -oE -- ' --[a-z-]+' | sort -u | while read -r option; do
		name=${option#--}
		case $name in help | usage | version) continue ;; esac
		grep -qF -- "Fl -$name" docs/coppice.1 || { echo "docs/coppice.1 lacks $option of coppice $command"; exit 1; }
	done
done
