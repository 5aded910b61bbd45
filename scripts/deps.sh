#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building and testing take and that are missing. COPPICE_DEPS=skip leaves that to you.
set -eu

packages="
make                the front of the build
git                 lists the sources for the checks
gcc                 compiles the library and the tool
g++                 checks that the headers are C++ too
libc6-dev           the C library's headers
clang               the second compiler, fuzzing and thread checking
libclang-rt-14-dev  sanitizers and libFuzzer for clang
clang-format        checks the layout of the sources
clang-tidy          static checks
cmake               the build
ninja-build         the build
pkg-config          finds libraries
libcmocka-dev       unit tests
liblzma-dev         reads packed page tables
libkdumpfile-dev    reads dumps that kdump compressed
patch               applies the broken variants of the stories
liburcu-dev         RCU of the host port
libfdt-dev          reads device trees
libcjson-dev        --json
mandoc              checks the manual page
"

# Without these the tests of their machines are skipped, by name.
machines="
gcc-aarch64-linux-gnu  compiles the library for the arm64 machine
gcc-riscv64-linux-gnu  compiles the library for the riscv64 machine
gcc-s390x-linux-gnu    compiles the library for the s390x machine
qemu-system-arm     the arm64 machine
qemu-system-misc    the riscv64 and s390x machines
qemu-system-x86     the x86-64 machine
qemu-user           runs the checker's engine compiled for arm64 and s390x
libc6-dev-arm64-cross  compiles that
libc6-dev-s390x-cross  compiles that
"

if [ "${COPPICE_DEPS:-}" = skip ]; then
	exit 0
fi
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: this is no Debian; install the equivalents of:$(echo "$packages" | awk 'NF {printf " %s", $1}')," \
		"then run with COPPICE_DEPS=skip" >&2
	exit 1
fi

# missing LIST: the packages of a list that are not installed.
missing() {
	for package in $(echo "$1" | awk 'NF {print $1}'); do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
		[ "$status" = installed ] || printf ' %s' "$package"
	done
}
needed=$(missing "$packages")
wanted=$(missing "$machines")
[ -n "$needed$wanted" ] || exit 0

echo "deps: installing from Debian:"
for package in $needed $wanted; do
	echo "$packages$machines" | awk -v p="$package" '$1 == p {n = $1; $1 = ""; printf "  %-22s%s\n", n, $0}'
done

root=
if [ "$(id -u)" != 0 ]; then
	root=sudo
	if ! command -v sudo >/dev/null 2>&1; then
		echo "deps: neither root nor sudo; ask an administrator to run: apt-get install$needed$wanted" >&2
		[ -n "$needed" ] || exit 0
		exit 1
	fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
updated=
get() {
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1
}
install() {
	get "$@" && return
	# The package lists may be absent or out of date.
	[ -z "$updated" ] && updated=1 && $root apt-get update >"$log" 2>&1 && get "$@" && return
	echo "deps: apt-get could not install $*: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")" >&2
	return 1
}
# shellcheck disable=SC2086
if [ -n "$needed" ]; then
	install $needed || exit 1
fi
# shellcheck disable=SC2086
if [ -n "$wanted" ]; then
	install $wanted || echo "deps: going on without; the tests of these machines are skipped" >&2
fi
