#!/bin/sh
# SPDX-License-Identifier: MIT
# examples.sh [--update] PAGE: every command in a ```console block of a page prints what the page shows. --update rewrites
# the page with what they print. Lines "$ COMMAND" are run at the top of the sources, with the built tool as coppice; what
# follows is stdout and stderr; a line "[exit N]" ends it where the status is not 0.
set -eu
update=0
if [ "$1" = --update ]; then
	update=1
	shift
fi
page=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$(cd "$BUILD" && pwd)/coppice" "$work/bin/coppice"
PATH=$work/bin:$PATH
OUT=$work
XDG_CACHE_HOME=$work/cache
export PATH OUT XDG_CACHE_HOME

in_block=0
printing=1
while IFS= read -r line; do
	case $line in
	'```console')
		in_block=1
		;;
	'```')
		in_block=0
		printing=1
		;;
	'$ '*)
		if [ $in_block = 1 ]; then
			printf '%s\n' "$line"
			status=0
			sh -c "${line#\$ }" 2>&1 || status=$?
			[ $status = 0 ] || echo "[exit $status]"
			printing=0
			continue
		fi
		;;
	esac
	if [ $printing = 1 ]; then
		printf '%s\n' "$line"
	fi
done <"$page" >"$work/page"
if [ $update = 1 ]; then
	cat "$work/page" >"$page"
	exit 0
fi
diff -u "$page" "$work/page"
