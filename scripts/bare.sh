#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: bare.sh list | build ARCH [NAME...] | sources ARCH | run ARCH NAME | table | all [ARCH...]
#
# The library on machines without an operating system: builds images from the amalgamation with cross compilers, runs them
# under QEMU in bounded time, keeps the logs under BUILD/bare/ARCH, prints one table. ports/bare/ARCH/machine.sh says with what.
# BUILD: build directory (build). BARE_SOURCE: another tree to build from. BARE_DEFINES: e.g. -DBARE_PROBES=10000000.
# BARE_CFLAGS: more for the compiler. BARE_AGAIN: only the formats have changed since the last build.
# BARE_SECONDS: a machine that runs longer has failed (240). BARE_BYTES: so has one that prints more (4,000,000).
set -eu
root=$(CDPATH='' cd -- "${BARE_SOURCE:-$(dirname -- "$0")/..}" && pwd)
out=${BUILD:-build}
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)/bare
cd "$root"

# The variables of one architecture:
#   compiler, emulator   commands; package: where Debian has them
#   name                 as the amalgamation calls it
#   cflags, link         for every file; for linking
#   runs                 lines: NAME | TEST | DEFINES | EMULATOR'S ARGUMENTS. TEST is a file of tests/bare, or a directory of examples
load() {
	[ -e "ports/bare/$1/machine.sh" ] || { echo "bare: no architecture '$1'; expected one of:" $(arches) >&2; exit 2; }
	. "ports/bare/$1/machine.sh"
	# Machines that go wrong (tests/bare/broken.sh): built with the others, not among the names.
	defines=$(column tiny-kernel 3)
	arguments=$(column tiny-kernel 4)
	number=0
	for kind in $broken; do
		runs="$runs
$kind | broken | $defines -Wl,--defsym=bare_broken_value=$number | $arguments"
		number=$((number + 1))
	done
}
broken="broken-hang broken-reset broken-flood broken-store broken-hole broken-panic" # as enum broken in tests/bare/broken.c

arches() {
	for file in ports/bare/*/machine.sh; do
		[ -e "$file" ] && basename "$(dirname "$file")"
	done
}

names() {
	printf '%s\n' "$runs" | awk -F'|' 'NF == 4 {gsub(/ /, "", $1); if ($1 !~ /^broken-/) print $1}'
}

# column NAME N
column() {
	printf '%s\n' "$runs" | awk -F'|' -v name="$1" -v n="$2" \
		'{key = $1; gsub(/[ \t]/, "", key)} NF == 4 && key == name {gsub(/^[ \t]+|[ \t]+$/, "", $n); print $n}'
}

# need ARCH NAME...: exit 77 if that is skipped. Says each, and what is missing; what earlier runs said is no longer so.
need() {
	for tool in "$compiler" "$emulator"; do
		command -v "$tool" >/dev/null && continue
		arch=$1
		shift
		for run in "$@"; do
			rm -f "$out/$arch/$run.log"
			echo "skipped: bare.$arch.$run: no $tool ($package)"
		done
		exit 77
	done
}

warnings="-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror"
common="-std=gnu11 -O2 -g -ffreestanding -fno-strict-aliasing -fno-stack-protector -fno-pic -fno-asynchronous-unwind-tables"

# image ARCH NAME: link what build_arch compiled.
image() {
	test=$(column "$2" 2)
	defines=$(column "$2" 3)
	# What is compiled differs by -D alone; -Wl,--defsym and the like are the linker's.
	key=$(printf '%s\n' "$defines" | tr ' ' '\n' | grep '^-D' | tr -c 'A-Za-z0-9=' _)
	dir=$out/$1/objects$key
	flags="$common $cflags $warnings -I $out/$1/amalgamation/$name -I $root/include -I $root $defines ${BARE_DEFINES:-} ${BARE_CFLAGS:-}"
	mkdir -p "$dir"
	port="-DCOP_PORT_HEADER=\"ports/bare/$1/port.h\""
	# The library is taken as it is.
	library=$dir/coppice.o
	# shellcheck disable=SC2086
	[ -e "$library" ] || "$compiler" $flags "$port" -MMD -c "$out/$1/amalgamation/$name/coppice.c" -o "$library"
	for file in ports/bare/common/*.c ports/bare/"$1"/*.[cS] tests/bare/common/*.c tests/bare/"$1"/*.[cS]; do
		object=$dir/$(printf '%s' "${file%.*}" | tr / _).o
		[ -e "$file" ] || continue
		# shellcheck disable=SC2086
		[ -e "$object" ] || "$compiler" $flags "$port" -MMD -c "$file" -o "$object"
	done
	file=tests/bare/$test.c
	[ -e "$file" ] || file=examples/$test/kernel.c
	object=$dir/$2.main.o
	# shellcheck disable=SC2086
	[ -n "${BARE_AGAIN:-}" ] && [ -e "$object" ] || "$compiler" $flags "$port" -MMD -DBARE_NAME="\"$1 $2\"" -c "$file" -o "$object"
	# A linker drops what an image does not use.
	# shellcheck disable=SC2086
	"$compiler" $flags -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 $link \
		-Wl,-T,ports/bare/"$1"/link.ld "$dir"/*_*.o "$library" "$object" -lgcc -o "$out/$1/$2.elf"
}

# No other source of the library than the amalgamation is in any image. (What a format does that the library does not export,
# tests take from the format's header.)
only_amalgamated() {
	for file in "$out/$1"/objects*/*.d; do
		[ -e "$file" ] || { echo "bare: $1 is not built: bare.sh build $1" >&2; return 2; }
		break
	done
	awk -v root="$root/" '
	FILENAME ~ /\/tests_bare_[^\/]*_format\.d$/ {next}
	{
		for (i = 1; i <= NF; i++) {
			name = index($i, root) == 1 ? substr($i, length(root) + 1) : $i
			if (name ~ /^(formats|tables|memory|spaces|hotplug|include)\//) {
				print "bare: " FILENAME ": compiled from " name ", beside the amalgamation"
				bad = 1
			}
		}
	}
	END {exit bad}' "$out/$1"/objects*/*.d >&2
}

# The images' library is the amalgamation, as it comes: compiled from what the tree amalgamates to, and from nothing else.
sources() {
	fresh=$(mktemp -d)
	scripts/amalgamate.sh "$fresh" >/dev/null
	bad=
	for file in coppice.c coppice.h; do
		cmp -s "$fresh/$name/$file" "$out/$1/amalgamation/$name/$file" ||
			bad="$bad $out/$1/amalgamation/$name/$file"
	done
	rm -rf "$fresh"
	[ -z "$bad" ] || { echo "bare: not what the tree amalgamates to:$bad" >&2; return 1; }
	only_amalgamated "$1"
}

build() {
	# shellcheck disable=SC2046
	need "$1" $(names)
	if [ -n "${BARE_AGAIN:-}" ]; then
		rm -f "$out/$1"/*/coppice.o "$out/$1"/*/*_format.o "$out/$1"/*.elf
	else
		rm -rf "${out:?}/$1"
	fi
	mkdir -p "$out/$1"
	scripts/amalgamate.sh "$out/$1/amalgamation" >/dev/null
	arch=$1
	shift
	for run in ${*:-$(names) $broken}; do
		image "$arch" "$run"
	done
	only_amalgamated "$arch"
}

# A log is good if it has a plan, that many results and no failure, and came to its end.
judge() {
	awk -v log_="$1" '
	/^1\.\.[0-9]+$/ {plan = substr($0, 4) + 0}
	/^ok / {done++}
	/^not ok / {done++; bad = bad $0 "\n"}
	/^Bail out!/ {bad = bad $0 "\n"}
	/^# end:/ {end = 1}
	END {
		if (!plan) bad = bad "no plan\n"
		else if (plan != done) bad = bad "planned " plan " results, got " done + 0 "\n"
		if (!end) bad = bad "did not come to its end\n"
		if (bad != "") {printf "%s", bad; exit 1}
	}' "$1"
}

run() {
	need "$1" "$2"
	log=$out/$1/$2.log
	arguments=$(column "$2" 4)
	[ -n "$arguments" ] || { echo "bare: $1 has no run '$2'; expected one of:" $(names) >&2; exit 2; }
	[ -e "$out/$1/$2.elf" ] || { echo "bare: $out/$1/$2.elf is not built: bare.sh build $1" >&2; exit 2; }
	# An emulator goes on when its pipe is closed, and may hang so that it does not end when it is told to.
	rm -f "$log" "$log.pipe"
	mkfifo "$log.pipe"
	# shellcheck disable=SC2086
	timeout -k 5 "${BARE_SECONDS:-240}" "$emulator" $arguments -nographic -monitor none -serial stdio -no-reboot \
		-kernel "$out/$1/$2.elf" </dev/null >"$log.pipe" 2>&1 &
	head -c "${BARE_BYTES:-4000000}" <"$log.pipe" | tr -d '\r' >"$log"
	kill $! 2>/dev/null || true
	wait $! || true
	rm -f "$log.pipe"
	if ! verdict=$(judge "$log"); then
		echo "FAILED: bare.$1.$2: $(printf '%s' "$verdict" | tr '\n' ';') log: $log"
		grep -av '^ok ' "$log" | grep -av '^# row' | tail -n 60
		return 1
	fi
	echo "bare.$1.$2: $(grep -ac '^ok ' "$log") results, $(grep -ac 'SKIP' "$log" || true) of them skipped"
}

table() {
	cat "$out"/*/*.log 2>/dev/null | awk -F'|' '
	BEGIN {printf "%-8s %-40s %12s %10s %9s\n", "machine", "geometry", "probes", "scenarios", "seconds"}
	/^# row\|/ {
		printf "%-8s %-40s %12d %10d %9.1f\n", $2, $3, $4, $5, $6 / 1000
		probes += $4; scenarios += $5; ms += $6
	}
	END {printf "%-8s %-40s %12d %10d %9.1f\n", "all", "", probes, scenarios, ms / 1000}'
	grep -ah '^# count|' "$out"/*/*.log 2>/dev/null | awk -F'|' '
	NR == 1 {printf "\n%-8s %-40s %12s %12s %7s\n", "machine", "instructions", "library", "by hand", "ratio"}
	{printf "%-8s %-40s %12.1f %12.1f %7.2f\n", $2, $3, $4 / 100, $5 / 100, $4 / $5}' || true
}

all() {
	failed=0
	for arch in ${*:-$(arches)}; do
		code=0
		(load "$arch" && build "$arch") || code=$?
		[ "$code" = 77 ] && continue
		[ "$code" = 0 ] || { failed=1; continue; }
		(load "$arch" && names) | xargs -P "$(nproc)" -n 1 "$0" run "$arch" || failed=1
	done
	table
	return $failed
}

command=${1:-all}
[ $# = 0 ] || shift
case $command in
list) for arch in $(arches); do (load "$arch" && names | sed "s/^/$arch /"); done ;;
build) load "$1" && build "$@" ;;
sources) load "$1" && sources "$1" ;;
run) load "$1" && run "$1" "$2" ;;
table) table ;;
all) all "$@" ;;
*) echo "bare: no command '$command'; expected list, build, sources, run, table or all" >&2; exit 2 ;;
esac
