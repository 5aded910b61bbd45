#!/bin/sh
# SPDX-License-Identifier: MIT
# Arrows go one way: hotplug -> spaces -> memory -> tables -> formats, all of them -> <coppice/...>. A room includes public headers, the
# freestanding ones of the compiler, its own, and those of the rooms below; nothing includes a port but through port.h.
set -eu
status=0

# check ROOM ALLOWED_ROOMS ALLOWED_PUBLIC
check() {
	[ -d "$1" ] || return 0
	bad=$(grep -rnE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' "$1" |
		grep -vE "#[[:space:]]*include (<coppice/($3)\.h>|<std(int|def|bool)\.h>|\"(($2)/)?[a-z0-9_]+\.h\"|[A-Z_]+\$)" || true)
	if [ -n "$bad" ]; then
		echo "$1/ may include <coppice/($3).h> and \"($2)/...\" only:"
		echo "$bad"
		status=1
	fi
}
check formats 'formats' 'types|format'
check tables 'tables|formats' 'types|format|port|tables|folding'
check memory 'memory|tables|formats' 'types|format|port|tables|sharing|memory|fragments|vmalloc'
check spaces 'spaces|memory|tables|formats' 'types|format|port|tables|sharing|memory|fragments|vmalloc|spaces|gup'
check hotplug 'hotplug|spaces|memory|tables|formats' 'types|format|port|tables|sharing|memory|fragments|vmalloc|spaces|gup|hotplug'

bad=$(grep -rnE '#[[:space:]]*include "(ports|checker|stories|inspect|cli|tests|bench)/' --include='*.[ch]' include || true)
if [ -n "$bad" ]; then
	echo "public headers include nothing but each other and COP_PORT_HEADER:"
	echo "$bad"
	status=1
fi
exit $status
