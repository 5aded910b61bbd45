#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: mutants.sh [-b BOUND] [-j JOBS] [-o FILE] BUILD [NAME...]: breaks the library in one place at a time and runs the stories, in
# their fixed variants, of at most BOUND executions each. Prints which story catches which mutant, by which rule; -o: as
# a table too. Fails if one survives without a reason in tests/mutants/list, or is caught that has one. BUILD is a build
# tree with the stories built.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
list=$root/tests/mutants/list
bound=20000 jobs=1 table=
usage() {
	echo "usage: mutants.sh [-b BOUND] [-j JOBS] [-o FILE] BUILD [NAME...]" >&2
	exit 2
}
while getopts b:j:o: option; do
	case $option in
	b) bound=$OPTARG ;;
	j) jobs=$OPTARG ;;
	o) table=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
build=$(CDPATH='' cd -- "$1" && pwd)
shift
rooms=$build/CMakeFiles/coppice_sim_rooms.dir
[ -f "$build/libcoppice_checker.a" ] && [ -d "$rooms" ] || {
	echo "mutants: no stories built in $build" >&2
	exit 2
}
CC=${CC:-cc}
work=$build/mutants
mkdir -p "$work"

ask() {
	awk -v what="$1" -v name="$2" -v root="$root" -f "$root/scripts/mutants.awk" "$list"
}

# Sources that include a file: all of its room; formats/ is included by tables/ too. One page size of arm64 stands for all.
sources_of() {
	case $1 in
	*.c) echo "$1" ;;
	tables/*.h) echo tables/arm64_4k.c tables/x86_64.c tables/riscv64.c tables/s390x.c ;;
	*) (cd "$root" && ls "$(dirname "$1")"/*.c) ;;
	esac
}

compile() {
	for source in $2; do
		echo "$source"
	done | xargs -P "$jobs" -I '{}' sh -c 'mkdir -p "$(dirname "$1/o/$2")" && "$3" -std=gnu11 -O1 -w -DCOP_PORT_HEADER="\"ports/sim/port.h\"" \
		-I "$1" -I "$4/include" -I "$4" -c "$1/$2" -o "$1/o/$2.o"' sh "$1" '{}' "$CC" "$root"
}

# Objects of the library, the mutant's in place of those they replace.
objects() {
	find "$rooms" -name '*.o' | while read -r object; do
		name=${object#"$rooms/"}
		if [ -f "$1/o/$name" ]; then
			echo "$1/o/$name"
		else
			echo "$object"
		fi
	done
}

# One story on the mutant. Prints story, architecture and rule if it is caught.
run_story() {
	id=$2
	"$CC" -o "$1/$id" $(find "$build/CMakeFiles/sim_${id}_fixed.dir" -name '*.o') \
		$(find "$build/CMakeFiles/coppice_stage_sim.dir" -name '*.o') $(objects "$1") "$build/libcoppice_checker.a" \
		"$build/libcoppice_engine.a"
	for arch in arm64-4k x86-64 riscv64 s390x; do
		status=0
		timeout 120 "$1/$id" fixed --lines --arch $arch --bound "$bound" >"$1/said" 2>/dev/null || status=$?
		rule=$(sed -n 's/.*"verdict":"fails","rule":"\([^"]*\)".*/\1/p' "$1/said" | head -n 1)
		[ $status -lt 124 ] || [ -n "$rule" ] || rule="(crash $status)"
		[ -z "$rule" ] || {
			echo "$id $arch $rule"
			break
		}
	done
	rm -f "$1/$id"
}

caught_by() {
	for story in "$root"/stories/*[0-9].c; do
		id=$(basename "$story" .c)
		[ -d "$build/CMakeFiles/sim_${id}_fixed.dir" ] || continue
		caught=$(run_story "$1" "$id")
		[ -z "$caught" ] || {
			echo "$caught"
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
	# shellcheck disable=SC2046
	compile "$dir" "$(sources_of "$file" | tr '\n' ' ')"
	caught_by "$dir"
	rm -rf "$dir"
}

[ -z "$table" ] || printf '| mutant | what it does | where | caught by | rule |\n|---|---|---|---|---|\n' >"$table"
wrong=0 count=0 survivors=0
for name in ${*:-$(ask names '')}; do
	caught=$(mutate "$name")
	why=$(ask why "$name")
	count=$((count + 1))
	if [ -z "$caught" ]; then
		survivors=$((survivors + 1))
		verdict=survives
		[ -n "$why" ] || verdict="SURVIVES" wrong=1
	else
		verdict=$caught
		[ -z "$why" ] || verdict="$caught, and was said to survive" wrong=1
	fi
	echo "$name: $verdict"
	[ -z "$table" ] || {
		# shellcheck disable=SC2086
		set -- ${caught:-- - survives}
		echo "| $name | $(ask about "$name") | $(ask file "$name") | $1 $2 | $3 |" >>"$table"
	}
done
echo "$count mutants, $survivors survive"
exit $wrong
