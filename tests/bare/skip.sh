#!/bin/sh
# SPDX-License-Identifier: MIT
# Where an emulator or a cross compiler is missing, what would run is skipped by name, and never said to have passed: not by a run,
# not by a build, not by the table, which an earlier log could fill.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# Everything that there is to run but one.
mkdir "$work/bin"
IFS=:
for dir in $PATH; do
	ln -s "$dir"/* "$work/bin" 2>/dev/null || true # the first of a name counts
done
unset IFS

fail() {
	echo "$*"
	status=1
}

# without TOOL ARCH
without() {
	[ -e "$work/bin/$1" ] || { echo "skipped: no $1 to do without"; exit 77; }
	mv "$work/bin/$1" "$work/aside"
	rm -rf "$work/build"
	mkdir -p "$work/build/bare/$2"
	for run in tiny-kernel count; do
		printf '1..1\nok 1 it was\n# row|%s|earlier|1|1|1\n# count|%s|earlier|1|1\n# end: 1\n' "$2" "$2" >"$work/build/bare/$2/$run.log"
	done
	for command in "build $2" "run $2 tiny-kernel" "all $2"; do
		code=0
		# shellcheck disable=SC2086
		PATH="$work/bin" BUILD="$work/build" scripts/bare.sh $command >"$work/said" 2>&1 || code=$?
		case $command in
		all*) [ "$code" = 0 ] || fail "$command without $1: expected exit code 0, got $code" ;;
		*) [ "$code" = 77 ] || fail "$command without $1: expected exit code 77, got $code" ;;
		esac
		grep -q "^skipped: bare.$2.tiny-kernel: no $1 (" "$work/said" ||
			fail "$command without $1: expected that bare.$2.tiny-kernel is skipped, got: $(cat "$work/said")"
		! grep -qE "results|earlier" "$work/said" || fail "$command without $1: something passed: $(cat "$work/said")"
		case $command in
		run*) continue ;;
		esac
		for run in $(scripts/bare.sh list | awk -v arch="$2" '$1 == arch {print $2}'); do
			grep -q "^skipped: bare.$2.$run: " "$work/said" || fail "$command without $1: nothing is said of bare.$2.$run"
		done
	done
	mv "$work/aside" "$work/bin/$1"
	[ -z "$(find "$work/build" -name '*.log')" ] || fail "without $1: logs of an earlier run are left"
}

without qemu-system-x86_64 x86_64
without qemu-system-aarch64 arm64
without qemu-system-riscv64 riscv64
without qemu-system-s390x s390x
without s390x-linux-gnu-gcc s390x
exit $status
