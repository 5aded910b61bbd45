#!/bin/sh
# SPDX-License-Identifier: MIT
# coppice run from outside, on every architecture there is: small real maps, all three kinds, exit codes, JSON, Ctrl-C.
set -eu
tool=$BUILD/coppice
status=0

# expect CODE PATTERN ARGUMENTS...: of coppice run.
expect() {
	code=$1
	pattern=$2
	shift 2
	got=0
	out=$(timeout 120 "$tool" run "$@" 2>&1) || got=$?
	if [ "$got" != "$code" ] || ! printf '%s\n' "$out" | grep -qE -- "$pattern"; then
		printf 'coppice run %s: exit %s (expected %s), output (expected %s):\n%s\n' "$*" "$got" "$code" "$pattern" "$out"
		status=1
	fi
}

same='ok: boot, and all that was added removed again: the same in [0-9]+ figures'
quick="--rounds 1 --readers 1"
# shellcheck disable=SC2086
{
	expect 0 "$same" --map arm64.iomem --arch arm64 $quick
	expect 0 "$same" --map amd64.iomem --arch arm64 --page-size 16K $quick
	expect 0 "$same" --map arm64-virt-2numa-64g.dtb --limit 512M --arch arm64 --page-size 64K $quick
	expect 0 "$same" --map amd64-cloud-24g.e820.log --limit 128M --arch arm64 --levels 3 --altmap $quick
	expect 0 'vmemmap' --map arm64.iomem --arch arm64 --rounds 0
	expect 0 '"exit_status":[[:space:]]*0' --map arm64.iomem --arch arm64 --json $quick
	for arch in x86-64 riscv64 s390x; do
		[ -e "formats/$(echo $arch | tr - _).c" ] || continue
		expect 0 "$same" --map s390x.iomem --arch $arch $quick
		expect 0 "$same" --map cloud-24g.iomem --limit 256M --arch $arch --altmap $quick
	done
}
# TSan takes what a device writes and what fork copies at the same time for a mistake; tests/spaces has what it can follow.
if ! nm "$tool" 2>/dev/null | grep -q __tsan_init; then
	pinned='left behind: 0 frames with 0 references, 0 pins'
	for arch in arm64 x86-64 riscv64 s390x; do
		expect 0 "$pinned" --map arm64.iomem --arch $arch --rounds 1 --readers 1 --gup 2
	done
	expect 0 '3 levels, which grew to 5; leaf tables from the fragment allocator' --map s390x.iomem --arch s390x --rounds 1 --gup 1
	expect 0 '"references_left":[[:space:]]*0' --map arm64.iomem --arch arm64 --page-size 16K --rounds 1 --gup 1 --json
fi
expect 2 "^coppice run: --gup: 'x'; expected a number" --gup x
expect 2 '^coppice run: --cpus, --readers and --gup: 93 CPUs in all; expected at most 62' --cpus 31 --readers 31 --gup 31
expect 2 "^coppice run: --arch: 'vax'; expected arm64, x86-64, riscv64 or s390x" --arch vax
expect 2 "^coppice run: --page-size: '12K'; expected 4K, 16K or 64K" --page-size 12K
expect 2 'expected' --map arm64.iomem --arch s390x --page-size 64K
expect 2 "^coppice run: --limit: '4X'; expected a size such as" --limit 4X
expect 2 "^coppice run: --section-size: 96 M; expected a power of two" --map arm64.iomem --arch arm64 --section-size 96M
expect 2 'no removable block' --map arm64.iomem --arch arm64 --page-size 64K
expect 2 'no removable block' --map arm64.iomem --arch arm64 --boot 1G
expect 2 'not one whole page' --map arm64.iomem --arch arm64 --limit 1
expect 2 "nowhere: No such file" --arch arm64 --map nowhere
expect 2 'expected one of them' --levels 4 --va-bits 48
expect 2 "unexpected argument 'x'" x

# Memory past the address width: one line, and no half of a report before it.
out=$(printf '0-fffffff : System RAM\n100000000000000-10000000fffffff : System RAM\n' | "$tool" run --map - --rounds 0 2>&1) || true
case $out in
"coppice run: stdin does not fit into "*"; expected "*) ;;
*) echo "past the address width: $out"; status=1 ;;
esac
[ "$(printf '%s\n' "$out" | wc -l)" = 1 ] || { echo "more than one line: $out"; status=1; }

# Ctrl-C: a summary, an account that agrees, 130; whichever step it hits.
log=$(mktemp)
for seconds in 0.8 1 1.2 1.6 2; do
	got=0
	timeout --preserve-status -s INT $seconds "$tool" run --map cloud-24g.iomem --limit 256M --arch arm64 --rounds 100000 \
		>"$log" 2>&1 || got=$?
	if [ "$got" != 130 ] || ! grep -qE "$same" "$log" || ! grep -q 'interrupted; the figures' "$log"; then
		echo "Ctrl-C after $seconds s: exit $got (expected 130)"
		cat "$log"
		status=1
	fi
done
rm -f "$log"
exit $status
