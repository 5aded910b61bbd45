#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make install` leaves behind works: a program compiles with pkg-config alone and runs with either library, and the
# installed tool finds its maps.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work cmake --install "$BUILD" --prefix /opt/coppice >/dev/null
top=$work/opt/coppice
libdir=$(dirname "$(find "$top" -name libcoppice.a)")
export PKG_CONFIG_PATH="$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work"
export LD_LIBRARY_PATH="$libdir"

cat >"$work/user.c" <<'C'
#include <coppice/format.h>
#include <coppice/tables.h>
#include <stdio.h>
int main(void)
{
	struct cop_geom g;
	if (cop_geom_init(&g, COP_ARM64, 12, 48))
		return 1;
	printf("%s %u\n", cop_format_for(COP_ARM64, 12)->name, g.levels);
	return 0;
}
C
# The system's own libraries do not lie below the staging directory.
flags=$(pkg-config --cflags --libs coppice | sed "s#$work/usr#/usr#g")
# shellcheck disable=SC2086
"$CC" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror "$work/user.c" -o "$work/shared" $flags
[ "$("$work/shared")" = "arm64-4k 4" ]
ldd "$work/shared" | grep -q 'libcoppice\.so\.[0-9]* => '"$work"
# shellcheck disable=SC2086
"$CC" -std=c11 -D_GNU_SOURCE "$work/user.c" -o "$work/static" $(echo "$flags" | sed "s#-lcoppice#$libdir/libcoppice.a#") -pthread
[ "$("$work/static")" = "arm64-4k 4" ]
(cd / && "$top/bin/coppice" maps | grep -q cloud-24g.iomem)
[ -f "$top/share/man/man1/coppice.1" ]
# Stories are there, and what others are compiled with.
if [ -d "$top/lib/coppice/stories" ]; then
	"$top/bin/coppice" check HR1 --variant fixed --arch riscv64 | grep -q ' exhausted '
	tests/repo/check.sh "$top"
fi
