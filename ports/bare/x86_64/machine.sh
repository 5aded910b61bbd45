# SPDX-License-Identifier: MIT
# For scripts/bare.sh: with what x86-64 images are built and run.
compiler=x86_64-linux-gnu-gcc
emulator=qemu-system-x86_64
package="gcc-x86-64-linux-gnu, qemu-system-x86"
name=x86-64
cflags="-m64 -mno-red-zone -mgeneral-regs-only -mcmodel=small -fcf-protection=none"
link=-Wl,--no-warn-rwx-segments
machine="-machine q35,accel=tcg -smp 2 -m 256M -nodefaults -device isa-debug-exit,iobase=0xf4,iosize=4"
runs="
life-4     | life   |  | $machine -cpu max,la57=off
life-5     | life   |  | $machine -cpu max
"
