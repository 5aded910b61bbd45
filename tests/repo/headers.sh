#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles by itself, from C and from C++.
set -eu
cxx=${CXX:-g++}
command -v "$cxx" >/dev/null || exit 77
for header in include/coppice/*.h; do
	[ -e "$header" ] || { echo "no public headers here"; exit 1; }
	for language in "${CC:-cc} -std=c11" "$cxx -std=c++17"; do
		echo "#include \"$header\"" |
			$language -x "$(case $language in *c++*) echo c++ ;; *) echo c ;; esac)" -fsyntax-only \
				-Wall -Wextra -Werror -DCOP_PORT_HOST -Iinclude -I. - ||
			{ echo "$header: not by $language"; exit 1; }
	done
done
