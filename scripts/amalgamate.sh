#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: amalgamate.sh OUT: the library as OUT/<arch>/coppice.c and coppice.h, one pair per architecture, for kernels.
#
# An architecture with several page sizes is compiled for one of them: COPPICE_PAGE_LG2, its smallest where not given.
set -eu
out=$1
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

arches="arm64 x86_64 riscv64 s390x"
pattern=$(echo "$arches" | tr ' ' '|')

# inline KEEP FILE...: see amalgamate.awk.
inline() {
	keep=$1
	shift
	awk -v root="$root" -v keep="$keep" -v headers="$(echo formats/*.h tables/*.h memory/*.h spaces/*.h hotplug/*.h)" \
		-f scripts/amalgamate.awk "$@"
}

# The name that the tables' and formats' symbols end in, from a file of formats/: arm64_4k.
stems() {
	for file in formats/"$1"*.c; do
		[ -e "$file" ] || return 0
		basename "$file" .c
	done
}

page_lg2() {
	case $1 in *_16k) echo 14 ;; *_64k) echo 16 ;; *) echo 12 ;; esac
}

header() {
	printf '/* SPDX-License-Identifier: MIT */\n/* coppice %s for %s, amalgamated. %s */\n' "$version" "$1" "$2"
}

# In what all formats have in common: entries of other formats go, the others depend on the page size.
select_formats() {
	script=
	for stem in $(stems ''); do
		case $stem in registry) continue ;; esac
		case " $mine " in
		*" $stem "*)
			script="$script
s/&cop_\\(tables\\|gup\\)_$stem\\([^A-Za-z0-9_]\\|\$\\)/COP_ONLY_$stem(\&cop_\\1_$stem)\\2/
/{&cop_format_$stem,/{
i\\
#if COPPICE_PAGE_LG2 == $(page_lg2 "$stem")
a\\
#endif
}" ;;
		*)
			script="$script
/{&cop_format_$stem,/d
s/&cop_\\(tables\\|gup\\)_$stem\\([^A-Za-z0-9_]\\|\$\\)/NULL\\2/" ;;
		esac
	done
	sed "$script"
}

version=$(sed -n 's/^project(coppice VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
common=$(ls formats/*.c tables/*.c memory/*.c spaces/*.c hotplug/*.c | grep -vE "/($pattern)[a-z0-9_]*\.c$")
for arch in $arches; do
	mine=$(stems "$arch" | sort -t_ -k2 | tr '\n' ' ')
	mine=${mine% }
	[ -n "$mine" ] || continue
	name=$(echo "$arch" | tr _ -)
	mkdir -p "$out/$name"
	{
		header "$name" "Include this; see the port's part below."
		inline 0 include/coppice/*.h
	} >"$out/$name/coppice.h"
	{
		header "$name" "Compile with -DCOP_PORT_HEADER='\"your-port.h\"'."
		printf '#include "coppice.h"\n\n/* A format has more helpers than the library calls. */\n#pragma GCC diagnostic ignored "-Wunused-function"\n\n#ifndef COPPICE_PAGE_LG2\n#define COPPICE_PAGE_LG2 12\n#endif\n'
		for stem in $mine; do
			printf '\n#if COPPICE_PAGE_LG2 == %s\n#define COP_ONLY_%s(x) x\n' "$(page_lg2 "$stem")" "$stem"
			inline 1 "formats/$stem.c" "tables/$stem.c" "spaces/$stem.c"
			printf '\n#else\n#define COP_ONLY_%s(x) NULL\n#endif\n' "$stem"
		done
		# shellcheck disable=SC2086
		inline 1 $common | select_formats
	} >"$out/$name/coppice.c"
	echo "$out/$name/coppice.c"
done
