#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: demo.sh TOOL: the main job on real memory maps: every architecture's, read in all three ways.
set -eu
tool=$1

show() {
	printf '\n\033[1m$ coppice run %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
	"$tool" run "$@"
}
show --map cloud-24g.iomem --arch x86-64 --limit 2G --rounds 1
show --map arm64-virt-2numa-64g.dtb --arch arm64 --page-size 64K --limit 2G --rounds 1
show --map riscv64-virt-2numa-16g.dtb --arch riscv64 --limit 1G --rounds 2 --altmap
show --map s390x.iomem --arch s390x --rounds 5
show --map amd64-cloud-24g.e820.log --arch arm64 --limit 1G --rounds 1
