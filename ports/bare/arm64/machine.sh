# SPDX-License-Identifier: MIT
# For scripts/bare.sh: with what arm64 images are built and run.
compiler=aarch64-linux-gnu-gcc
emulator=qemu-system-aarch64
package="gcc-aarch64-linux-gnu, qemu-system-arm"
name=arm64
cflags="-mgeneral-regs-only -mstrict-align -march=armv8.1-a"
link=-Wl,--no-warn-rwx-segments
# break: without FEAT_BBM, as most CPUs; 52: 52 bits of address, FEAT_LPA2 or FEAT_LVA and FEAT_LPA.
# The oracle works at EL2 on the translation of EL1 and EL0; the others at EL1.
at_el2="-machine virt,virtualization=on -cpu max -m 512M"
at_el1="-machine virt -cpu max -smp 2 -m 512M"
v=-Wl,--defsym=bare_va_bits_value
nobbm=-Wl,--defsym=bare_without_bbm_value=1
runs="
oracle-4k      | oracle | -DCOPPICE_PAGE_LG2=12                        | $at_el2
oracle-16k     | oracle | -DCOPPICE_PAGE_LG2=14                        | $at_el2
oracle-64k     | oracle | -DCOPPICE_PAGE_LG2=16                        | $at_el2
stale-4k       | stale  | -DCOPPICE_PAGE_LG2=12                        | $at_el1
stale-4k-52    | stale  | -DCOPPICE_PAGE_LG2=12 $v=52                  | $at_el1
stale-4k-break | stale  | -DCOPPICE_PAGE_LG2=12 $nobbm                 | $at_el1
stale-16k      | stale  | -DCOPPICE_PAGE_LG2=14                        | $at_el1
stale-16k-52   | stale  | -DCOPPICE_PAGE_LG2=14 $v=52                  | $at_el1
stale-16k-break | stale  | -DCOPPICE_PAGE_LG2=14 $nobbm                 | $at_el1
stale-64k      | stale  | -DCOPPICE_PAGE_LG2=16                        | $at_el1
stale-64k-52   | stale  | -DCOPPICE_PAGE_LG2=16 $v=52                  | $at_el1
stale-64k-break | stale  | -DCOPPICE_PAGE_LG2=16 $nobbm                 | $at_el1
stale-4k-39    | stale  | -DCOPPICE_PAGE_LG2=12 $v=39                  | $at_el1
life-4k        | life   | -DCOPPICE_PAGE_LG2=12                        | $at_el1
life-4k-52     | life   | -DCOPPICE_PAGE_LG2=12 $v=52                  | $at_el1
life-4k-break  | life   | -DCOPPICE_PAGE_LG2=12 $nobbm                 | $at_el1
life-16k       | life   | -DCOPPICE_PAGE_LG2=14                        | $at_el1
life-16k-52    | life   | -DCOPPICE_PAGE_LG2=14 $v=52                  | $at_el1
life-16k-break | life   | -DCOPPICE_PAGE_LG2=14 $nobbm                 | $at_el1
life-64k       | life   | -DCOPPICE_PAGE_LG2=16                        | $at_el1
life-64k-52    | life   | -DCOPPICE_PAGE_LG2=16 $v=52                  | $at_el1
life-64k-break | life   | -DCOPPICE_PAGE_LG2=16 $nobbm                 | $at_el1
life-4k-39     | life   | -DCOPPICE_PAGE_LG2=12 $v=39                  | $at_el1
tiny-kernel    | tiny-kernel | -DCOPPICE_PAGE_LG2=12                        | $at_el1
count          | count  | -DCOPPICE_PAGE_LG2=12                        | -machine virt -cpu max -m 512M -icount shift=0
"
