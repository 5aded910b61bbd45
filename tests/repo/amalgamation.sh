#!/bin/sh
# SPDX-License-Identifier: MIT
# The amalgamation compiles for a freestanding kernel of its architecture over the minimal port, includes nothing that such a
# kernel does not have, and asks nothing of anybody but mem*. With clang it is cross-compiled, page size by page size; for arm64
# with atomics inline, which clang leaves to libgcc where it finds one.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
scripts/amalgamate.sh "$work" >/dev/null

flags="-ffreestanding -nostdlib -std=c11 -O1 -Wall -Wextra -Wconversion -Werror -I examples/minimal-port"
status=0

# compile WHAT DIR COMPILER...
compile() {
	what=$1
	dir=$2
	shift 2
	# shellcheck disable=SC2086
	if ! "$@" $flags -I "$dir" -DCOP_PORT_HEADER='"port.h"' -c "$dir/coppice.c" -o "$work/object.o" 2>"$work/log"; then
		echo "$what does not compile:"
		grep -m 10 error "$work/log" || head -n 10 "$work/log"
		status=1
		return
	fi
	missing=$(nm -u "$work/object.o" | awk '$2 !~ /^mem(cpy|set|move|cmp)$/ {print $2}')
	[ -z "$missing" ] || { echo "$what needs:" $missing; status=1; }
}

for dir in "$work"/*/; do
	arch=$(basename "$dir")
	case $arch in
	arm64) target=aarch64 pages="12 14 16" cross=-mno-outline-atomics ;;
	x86-64) target=x86_64 pages=12 cross= ;;
	riscv64) target=riscv64 pages=12 cross= ;;
	s390x) target=s390x pages=12 cross= ;;
	esac
	bad=$(cat "$dir"/coppice.[ch] | grep -E '^[[:space:]]*#[[:space:]]*include' |
		grep -vE '<std(int|def|bool)\.h>|"coppice\.h"|COP_PORT_HEADER' || true)
	[ -z "$bad" ] || { echo "$arch includes:" "$bad"; status=1; }
	compile "$arch, $CC" "$dir" "$CC"
	for page in $pages; do
		if command -v clang >/dev/null; then
			# shellcheck disable=SC2086
			compile "$arch, pages of 2^$page, clang for $target" "$dir" clang --target="$target-linux-gnu" \
				$cross -DCOPPICE_PAGE_LG2="$page"
		fi
	done
done
[ -d "$work/arm64" ] || { echo "no amalgamation for arm64"; status=1; }
exit $status
