#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: mutants.sh [-n] [-b BOUND] [-o FILE] BUILD [NAME...]: breaks the library in one place at a time and runs the stories, in
# their fixed variants, of at most BOUND executions each. Prints which story catches which mutant, on which architecture, by
# which rule; -o: adds that to a table. Fails if one survives without a reason in tests/mutants/list, or is caught that has
# one. -n: only sees whether each still finds its lines. BUILD is a build tree; stories that are not built in it are left out.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
list=$root/tests/mutants/list
bound=10000 table='' apply_only=''
usage() {
	echo "usage: mutants.sh [-n] [-b BOUND] [-o FILE] BUILD [NAME...]" >&2
	exit 2
}
while getopts nb:o: option; do
	case $option in
	n) apply_only=1 ;;
	b) bound=$OPTARG ;;
	o) table=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
build=$(CDPATH='' cd -- "$1" && pwd)
shift
objects=$build/CMakeFiles
rooms=$objects/coppice_sim_rooms.dir
CC=${CC:-cc}
work=$build/mutants

ask() {
	awk -v what="$1" -v name="$2" -v root="$root" -f "$root/scripts/mutants.awk" "$list"
}

[ $# -gt 0 ] || {
	# shellcheck disable=SC2046 # names are words
	set -- $(ask names '')
}
if [ -n "$apply_only" ]; then
	bad=0
	for name; do
		ask apply "$name" >/dev/null || bad=1
	done
	exit $bad
fi
if ! [ -f "$build/libcoppice_checker.a" ] || ! [ -d "$rooms" ]; then
	echo "mutants: no stories built in $build" >&2
	exit 2
fi
mkdir -p "$work"

# Sources that have a file in them, as far as an architecture runs them; formats/ is included by tables/ too.
sources_of() {
	case $1 in
	*.c) echo "$1" ;;
	tables/*.h) echo "tables/$2.c" ;;
	formats/*.h) echo "formats/$2.c" "tables/$2.c" ;;
	*) (cd "$root" && ls "$(dirname "$1")"/*.c) ;;
	esac
}

compile() {
	for source in $2; do
		[ ! -f "$1/o/$source.o" ] || continue
		mkdir -p "$1/o/$(dirname "$source")"
		"$CC" -std=gnu11 -O1 -w '-DCOP_PORT_HEADER="ports/sim/port.h"' -I "$1" -I "$root/include" -I "$root" \
			-c "$1/$source" -o "$1/o/$source.o"
	done
}

# The library with the mutant's objects in place of those they replace, and the stage.
pack() {
	rm -f "$1/library.a"
	find "$rooms" -name '*.o' | while read -r object; do
		new=$1/o/${object#"$rooms/"}
		if [ -f "$new" ]; then
			echo "$new"
		else
			echo "$object"
		fi
	done >"$1/objects"
	find "$objects/coppice_stage_sim.dir" -name '*.o' >>"$1/objects"
	ld -r -o "$1/library.o" @"$1/objects"
}

# Prints the rule if a story catches the mutant on an architecture.
run_story() {
	find "$objects/sim_$2_fixed.dir" -name '*.o' >"$1/story"
	"$CC" -o "$1/run" @"$1/story" "$1/library.o" "$build/libcoppice_checker.a" "$build/libcoppice_engine.a"
	status=0
	timeout 60 "$1/run" fixed --lines --arch "$3" --bound "$bound" >"$1/said" 2>/dev/null || status=$?
	rule=$(sed -n 's/.*"verdict":"fails","rule":"\([^"]*\)".*/\1/p' "$1/said" | head -n 1)
	if [ -n "$rule" ]; then
		echo "$rule"
	elif [ $status -gt 124 ]; then
		echo "(crash)"
	fi
}

caught_on() {
	for story in "$root"/stories/*[0-9].c; do
		id=$(basename "$story" .c)
		[ -f "$objects/sim_${id}_fixed.dir/stories/$id.c.o" ] || continue
		rule=$(run_story "$1" "$id" "$2")
		[ -z "$rule" ] || {
			echo "$id $2 $rule"
			return
		}
	done
}

mutate() {
	dir=$work/$1
	file=$(ask file "$1")
	rm -rf "$dir"
	mkdir -p "$dir"
	for room in formats tables memory spaces hotplug; do
		[ ! -d "$root/$room" ] || cp -r "$root/$room" "$dir"
	done
	ask apply "$1" >"$dir/mutated" || exit 2
	mv "$dir/mutated" "$dir/$file"
	for arch in arm64-4k s390x riscv64 x86-64; do
		compile "$dir" "$(sources_of "$file" "$(echo $arch | tr - _)" | tr '\n' ' ')"
		pack "$dir"
		caught=$(caught_on "$dir" $arch)
		[ -z "$caught" ] || {
			echo "$caught"
			break
		}
	done
	rm -rf "$dir"
}

wrong=0 count=0 survivors=0
for name; do
	caught=$(mutate "$name")
	why=$(ask why "$name")
	count=$((count + 1))
	verdict=$caught
	if [ -z "$caught" ]; then
		survivors=$((survivors + 1))
		verdict=survives
		[ -n "$why" ] || verdict="SURVIVES, and nobody says why" wrong=1
	elif [ -n "$why" ]; then
		verdict="$caught, and was said to survive" wrong=1
	fi
	echo "$name: $verdict"
	[ -z "$table" ] || echo "| $name | $(ask about "$name") | $(ask file "$name") | ${caught:-$why} |" >>"$table"
done
echo "$count mutants, $survivors survive"
exit $wrong
