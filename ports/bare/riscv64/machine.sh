# SPDX-License-Identifier: MIT
# For scripts/bare.sh: with what riscv64 images are built and run.
compiler=riscv64-linux-gnu-gcc
emulator=qemu-system-riscv64
package="gcc-riscv64-linux-gnu, qemu-system-misc"
name=riscv64
cflags="-mcmodel=medany -mno-relax -msmall-data-limit=0"
link=
# The oracle works in M mode on the translation of S and U; the others in S mode, over SBI firmware.
m="-DBARE_MACHINE_MODE -Wl,--defsym=BARE_IMAGE_BASE=0x80000000"
s="-Wl,--defsym=BARE_IMAGE_BASE=0x80200000"
on_m="-machine virt -m 512M -bios none -cpu rv64"
on_s="-machine virt -m 512M -smp 2 -cpu rv64"
v=-Wl,--defsym=bare_va_bits_value
napot=-Wl,--defsym=bare_svnapot_value=1
pbmt=-Wl,--defsym=bare_svpbmt_value=1
runs="
oracle           | oracle | $m                              | $on_m
oracle-napot     | oracle | $m $napot                 | $on_m,svnapot=on
oracle-pbmt      | oracle | $m $pbmt                  | $on_m,svpbmt=on
oracle-both      | oracle | $m $napot $pbmt     | $on_m,svnapot=on,svpbmt=on
stale-sv39       | stale  | $s $v=39            | $on_s
stale-sv48-napot | stale  | $s $v=48 $napot | $on_s,svnapot=on
stale-sv57       | stale  | $s $v=57            | $on_s
life-sv39        | life   | $s $v=39            | $on_s
life-sv48-napot  | life   | $s $v=48 $napot | $on_s,svnapot=on
life-sv57        | life   | $s $v=57            | $on_s
tiny-kernel      | tiny-kernel | $s $v=39       | $on_s
count            | count  | $s $v=48            | -machine virt -m 512M -cpu rv64 -icount shift=0
"
