#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: fuzz.sh TARGET SECONDS [CORPUS]
#        fuzz.sh compile DIR
# Builds the reader's fuzz target (tests/fuzz/fuzz_TARGET.c) with libFuzzer, ASan and UBSan and runs it, beginning from the kept
# inputs and the bundled maps. What it finds goes to CORPUS (default: nowhere), what breaks the reader to tests/fuzz/crash-*.
# `compile` makes of what the inspect_ targets share an archive in DIR; with FUZZ_OBJECTS=DIR they link that.
set -eu
target=$1
seconds=$2
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
inspect="$root/inspect/input/*.c $root/inspect/scan*.c $root/formats/*.c"
kdump=
libraries=-llzma
if pkg-config --exists libkdumpfile; then
	kdump="-DCOPPICE_HAVE_KDUMPFILE $(pkg-config --cflags libkdumpfile)"
	libraries="$libraries $(pkg-config --libs libkdumpfile)"
fi
cc="clang -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-sanitize-recover=all -I $root -I $root/include"

if [ "$target" = compile ]; then
	mkdir -p "$2"
	cd "$2"
	rm -f ./*.o inspect.a
	# Names of files repeat between rooms: an object is named after its number.
	# shellcheck disable=SC2086
	printf '%s\n' $inspect | awk '{print NR ".o", $0}' | xargs -P "$(nproc)" -n 2 sh -c \
		"$cc -fsanitize=fuzzer-no-link,address,undefined $kdump -c -o \"\$0\" \"\$1\""
	ar rcs inspect.a ./*.o
	exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=${3:-$work/found}
mkdir -p "$found" "$work/maps"

sources="$root/cli/maps/*.c"
flags=-lfdt
case $target in
iomem) cp "$root"/maps/*.iomem "$work/maps" ;;
fdt) cp "$root"/maps/*.dtb "$work/maps" ;;
klog) cp "$root"/maps/*.log "$work/maps" ;;
schedule)
	sources=$root/checker/schedule.c
	flags=
	;;
inspect_elf | inspect_frames | inspect_kdump | inspect_raw | inspect_replies | inspect_vmcoreinfo)
	sources=${FUZZ_OBJECTS:+$FUZZ_OBJECTS/inspect.a}
	sources=${sources:-$inspect}
	flags="$kdump $libraries"
	;;
*)
	echo "fuzz: no target '$target'; expected iomem, fdt, klog, schedule, or inspect_ and elf, frames, kdump, raw, replies or" \
		"vmcoreinfo" >&2
	exit 2
	;;
esac

# shellcheck disable=SC2086
$cc -fsanitize=fuzzer,address,undefined -o "$work/fuzz" "$root/tests/fuzz/fuzz_$target.c" $sources $flags
# A library that asks for too much memory has to get along without, as it would elsewhere.
ASAN_OPTIONS=allocator_may_return_null=1 "$work/fuzz" -malloc_limit_mb=1048576 -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 -verbosity="${FUZZ_VERBOSITY:-0}" \
	-print_final_stats=1 -artifact_prefix="$root/tests/fuzz/" "$found" "$root/tests/fuzz/corpus/$target" \
	"$work/maps" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
awk -v t="$target" '/number_of_executed_units/ {print "fuzz " t ": " $2 " inputs, nothing broke"}' "$work/log"
