# SPDX-License-Identifier: MIT
# For scripts/bare.sh: with what x86-64 images are built and run.
compiler=x86_64-linux-gnu-gcc
emulator=qemu-system-x86_64
package="gcc-x86-64-linux-gnu, qemu-system-x86"
name=x86-64
cflags="-m64 -mno-red-zone -mgeneral-regs-only -mcmodel=small -fcf-protection=none"
link=-Wl,--no-warn-rwx-segments
machine="-machine q35,accel=tcg -smp 2 -m 256M -nodefaults -device isa-debug-exit,iobase=0xf4,iosize=4"
define=-DCOPPICE_PAGE_LG2=12
# 4 and 5: levels. Each oracle has another width of physical addresses; one a CPU without leaves of 1 GB.
runs="
oracle-4    | oracle | $define -DX86_LEVELS=4 -DX86_PA_BITS=46 | $machine -cpu max,la57=off,phys-bits=46
oracle-5    | oracle | $define -DX86_LEVELS=5 -DX86_PA_BITS=52 | $machine -cpu max,phys-bits=52
oracle-no1g | oracle | $define -DX86_LEVELS=4 -DX86_NO_1G      | $machine -cpu max,la57=off,pdpe1gb=off,phys-bits=40
stale-4     | stale  | $define | $machine -cpu max,la57=off
stale-5     | stale  | $define | $machine -cpu max
life-4      | life   | $define | $machine -cpu max,la57=off
life-5      | life   | $define | $machine -cpu max
tiny-kernel | tiny-kernel | $define | $machine -cpu max
count       | count       | $define | $machine -cpu max,la57=off -smp 1 -icount shift=0
"
