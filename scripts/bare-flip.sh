#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: bare-flip.sh ARCH [NAME...]: is the oracle awake?
#
# Each line of tests/bare/ARCH/flips.txt makes one bit of one field's definition wrong, in a copy of the sources. The oracle must
# see each of them. Prints a line for each, and exits with 1 if one was missed. BUILD: build directory (build).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
arch=${1:?bare-flip: expected an architecture}
shift
list=$root/tests/bare/$arch/flips.txt
[ -e "$list" ] || { echo "bare-flip: no $list" >&2; exit 2; }
mkdir -p "${BUILD:-build}"
work=$(CDPATH='' cd -- "${BUILD:-build}" && pwd)/bare-flip/$arch
# Few probes: what is wrong shows at once or not at all. Wrong code may have warnings.
export BUILD="$work/build" BARE_DEFINES="-DBARE_PROBES=20000 -DBARE_ONE_FAILURE_DOES" BARE_CFLAGS="-w -O1" BARE_SECONDS=30 BARE_SOURCE="$work/source"

rm -rf "$work"
mkdir -p "$work/source"
(cd "$root" && cp -r CMakeLists.txt include formats tables memory spaces hotplug ports tests examples scripts "$work/source")

caught=0
missed=
while IFS='|' read -r name file change runs; do
	name=$(echo "$name" | tr -d '[:space:]')
	file=$(echo "$file" | tr -d '[:space:]')
	case $name in '' | '#'*) continue ;; esac
	if [ $# -gt 0 ]; then
		case " $* " in *" $name "*) ;; *) continue ;; esac
	fi
	rm -rf "$work/source/formats"
	cp -r "$root/formats" "$work/source"
	sed -i "$change" "$work/source/$file"
	if cmp -s "$root/$file" "$work/source/$file"; then
		echo "$name: the change changes nothing: $change"
		missed="$missed $name"
		continue
	fi
	code=0
	# shellcheck disable=SC2086
	"$root/scripts/bare.sh" build "$arch" $runs >"$work/log" 2>&1 || code=$?
	if [ "$code" != 0 ]; then
		cat "$work/log"
		echo "$name: does not compile"
		[ "$code" = 77 ] && exit 77
		missed="$missed $name"
		continue
	fi
	export BARE_AGAIN=1
	seen=
	for run in $runs; do
		"$root/scripts/bare.sh" run "$arch" "$run" >"$work/log" 2>&1 </dev/null || { seen=$run; break; }
	done
	if [ -n "$seen" ]; then
		caught=$((caught + 1))
		echo "$name: caught by $seen: $(grep -am1 -E 'seed|^not ok|^Bail|terminating' "$work/build/bare/$arch/$seen.log" | cut -c 1-100)"
	else
		missed="$missed $name"
		echo "$name: MISSED"
	fi
done <"$list"
echo "$arch: $caught caught, missed:${missed:- none}"
[ -z "$missed" ]
