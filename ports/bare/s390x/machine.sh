# SPDX-License-Identifier: MIT
# For scripts/bare.sh: with what s390x images are built and run.
compiler=s390x-linux-gnu-gcc
emulator=qemu-system-s390x
package="gcc-s390x-linux-gnu, qemu-system-misc"
name=s390x
cflags="-march=z196 -msoft-float"
link=-Wl,--no-warn-rwx-segments
machine="-machine s390-ccw-virtio,accel=tcg -cpu max -smp 2 -m 256M -nodefaults"
define=-DCOPPICE_PAGE_LG2=12
# Kernels with 3, 4 and 5 levels: 42, 53 and 64 bits.
runs="
oracle   | oracle | $define | $machine
stale    | stale  | $define | $machine
stale-53 | stale  | $define -DBARE_VA_BITS=53 | $machine
stale-64 | stale  | $define -DBARE_VA_BITS=64 | $machine
life     | life   | $define | $machine
life-53  | life   | $define -DBARE_VA_BITS=53 | $machine
life-64  | life   | $define -DBARE_VA_BITS=64 | $machine
tiny-kernel | tiny-kernel | $define | $machine
count       | count       | $define | $machine -smp 1 -icount shift=0
"
