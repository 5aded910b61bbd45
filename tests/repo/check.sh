#!/bin/sh
# SPDX-License-Identifier: MIT
# check with stories of one's own and changes to the library: what is good runs, what is bad is one line and no crash.
# check.sh [TOP]: of an installed tree instead of the build.
set -eu
tool=${1:+$1/bin/coppice}
tool=${tool:-$BUILD/coppice}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
status=0

# shellcheck source=tests/repo/expect.sh
. "$(dirname "$0")/expect.sh"

# story NAME SETUP ACTOR [REGISTRATION]: two actors that do the same.
story() {
	cat >"$work/$1.c" <<C
#include "stories/story.h"
#include <stdlib.h>
struct cop_world { uint64_t x, y; cop_spinlock lock; uint64_t *p; };
static struct cop_world world;
static void setup(cop_world *w) { (void)w; $2 }
static void act(cop_world *w) { (void)w; $3 }
static void check(cop_world *w) { COP_ASSERT(w->x != 1 || w->y); }
COP_STORY(.id = "OWN", .title = "a story", .origin = "nowhere", .formats = COP_ON_X86_64 | COP_ON_ARM64_4K,
	  .world = &world, .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "a", .run = act}, {.name = "b", .cpu = 1, .run = act}, {.name = NULL}},
	  .variants = (const struct cop_variant[]){{.name = "fixed", .outcome = COP_EXHAUSTED}, {.name = NULL}} ${4:-});
C
}

# A story that holds, one that does not, from anywhere, and again from the cache.
story good '' '(void)cop_fetch_add(&w->x, 2, relaxed);'
expect 0 '^  OWN +fixed +x86-64 +[a-z]+ +exhausted +yes ' "$tool" check "$work/good.c"
[ "$(ls "$work/cache/coppice" | wc -l)" = 1 ] || { echo "expected one thing in the cache"; status=1; }
(cd "$work" && expect 0 '^  OWN +fixed +arm64-4k +[a-z]+ +exhausted +yes ' "$tool" check good.c; exit $status) || status=1
story lost '' 'uint64_t v = cop_load(\&w->x, relaxed); cop_store(\&w->x, v + 1, relaxed);'
sed -i 's/\\&/\&/g' "$work/lost.c"
expect 1 '^  OWN +fixed +x86-64 +[a-z]+ +fails: assert +no: exhausted ' "$tool" check "$work/lost.c" --arch x86-64
string=$(printf '%s\n' "$out" | grep -o 'cop1\.[^ ]*')
expect 1 '^  rule    assert: ' "$tool" replay "$string" "$work/lost.c"
one 2 '^coppice replay: the string is for other sources' "$tool" replay "$string" "$work/good.c"

# A change to the library under a shipped story.
cat >"$work/count.diff" <<'D'
--- a/tables/tables.c
+++ b/tables/tables.c
@@ -1,1 +1,1 @@
-no such line
+another
D
one 2 '^coppice check: --patch: .*count.diff does not apply exactly to the library: .*tables/tables.c' \
	"$tool" check HR1 --patch "$work/count.diff"
sed 's,tables/tables.c,stories/HR1.c,' "$work/count.diff" >"$work/story.diff"
one 2 "^coppice check: .*story.diff:1: 'stories/HR1.c'; expected changes of C files in formats, " \
	"$tool" check HR1 --patch "$work/story.diff"
sed 's,tables/tables.c,tables/../../x.c,' "$work/count.diff" >"$work/out.diff"
one 2 "^coppice check: .*out.diff:1: 'tables/../../x.c'; expected" "$tool" check HR1 --patch "$work/out.diff"
: >"$work/empty.diff"
one 2 '^coppice check: --patch: .*empty.diff changes nothing; expected' "$tool" check HR1 --patch "$work/empty.diff"
one 2 '^coppice check: --patch: nowhere: No such file' "$tool" check HR1 --patch nowhere
one 2 '^coppice check: --patch without a story; expected' "$tool" check --patch "$work/count.diff"
one 2 "^coppice check: 'HR1' and more; expected one story" "$tool" check HR1 HR3 --patch "$work/count.diff"
one 2 "^coppice check: no story 'XX1'; expected" "$tool" check XX1 --patch "$work/count.diff"
if [ -r stories/HR3-no-grace-period.patch ]; then
	expect 1 '^  HR3 +fixed +x86-64 +[a-z]+ +fails: struct-page-unmapped +no: exhausted' \
		"$tool" check HR3 --patch stories/HR3-no-grace-period.patch --arch x86-64
	printf '%s\n' "$out" | grep -q '^  rule    struct-page-unmapped: ' || { echo "no trace"; status=1; }
fi
cat >"$work/syntax.diff" <<'D'
--- /dev/null
+++ b/hotplug/added.c
@@ -0,0 +1,1 @@
+this is no C
D
one 2 "^coppice check: hotplug/added.c:1:[0-9]+: error: " "$tool" check HR1 --patch "$work/syntax.diff"

# An installed tree has all that takes; the rest is the tool's own.
[ -z "${1:-}" ] || exit $status

# What is not there, does not compile, or registers nonsense.
one 2 '^coppice check: .*nowhere.c: No such file' "$tool" check "$work/nowhere.c"
story typo '' 'cop_fetch_add(&w->x, 2, relaxd);'
one 2 '^coppice check: .*typo.c:6:[0-9]+: .*error: ' "$tool" check "$work/typo.c"
echo 'int x;' >"$work/none.c"
one 2 '^coppice check: .*none.c: registers no story; expected COP_STORY' "$tool" check "$work/none.c"
one 3 '^coppice check: no-such-compiler: cannot be run; expected a C compiler' env CC=no-such-compiler "$tool" check "$work/good.c"
one 3 '^coppice check: .*; expected room for compiled stories' env XDG_CACHE_HOME=/dev/null "$tool" check "$work/good.c"

# nonsense NAME PATTERN REGISTRATION
nonsense() {
	story "$1" '' '' ", $3"
	one 2 "^coppice check: .*$1.c:[0-9]+: .*$2" "$tool" check "$work/$1.c"
}
nonsense id "the story's .id; expected" '.id = "a/b"'
nonsense formats '.formats 0x10000; expected' '.formats = 0x10000'
nonsense world 'without .world' '.world = NULL'
nonsense setup 'without .setup' '.setup = NULL'
nonsense noactors 'without .actors; expected' '.actors = (const struct cop_actor[]){{.name = NULL}}'
nonsense norun 'actor 0 without .run; expected' '.actors = (const struct cop_actor[]){{.name = "a"}, {.name = NULL}}'
nonsense cpu "actor 'a' on CPU 99; expected 0 to 3" '.actors = (const struct cop_actor[]){{.name = "a", .run = act, .cpu = 99}, {.name = NULL}}'
nonsense many 'more than 4 actors' '.actors = (const struct cop_actor[]){{"a", act, 0}, {"b", act, 1}, {"c", act, 2}, {"d", act, 3}, {"e", act, 0}, {.name = NULL}}'
nonsense novariants 'without .variants; expected' '.variants = NULL'
nonsense nofixed "without a variant 'fixed'" '.variants = (const struct cop_variant[]){{.name = "x", .outcome = COP_FAILS, .rule = "leak"}, {.name = NULL}}'
nonsense norule "variant 'x': .rule 'frob'; expected" '.variants = (const struct cop_variant[]){{.name = "fixed"}, {.name = "x", .outcome = COP_FAILS, .rule = "frob"}, {.name = NULL}}'
nonsense twice "variant 'fixed' twice" '.variants = (const struct cop_variant[]){{.name = "fixed"}, {.name = "fixed"}, {.name = NULL}}'
nonsense more "actor 'a' on CPU 99" '.variants = (const struct cop_variant[]){{.name = "fixed"}, {.name = "more", .actors = (const struct cop_actor[]){{"a", act, 99}, {.name = NULL}}}, {.name = NULL}}'
# variants NAME FIELD: "more" has three actors, and FIELD
variants() {
	story "$1" '' 'cop_fetch_add(&w->x, 1, relaxed);' ", .variants = (const struct cop_variant[]){{.name = \"fixed\"}, {.name = \"more\", $2 .actors = (const struct cop_actor[]){{\"a\", act, 0}, {\"b\", act, 1}, {\"c\", act, 2}, {.name = NULL}}}, {.name = NULL}}"
}
variants three ''
expect 0 '^  OWN +more +x86-64 +[a-z]+ +exhausted +yes +6 ' "$tool" check "$work/three.c" --arch x86-64
variants bound '.bound = 1,'
expect 0 '^  OWN +more +x86-64 +[a-z]+ +bounded by executions +yes +1 ' "$tool" check "$work/bound.c" --arch x86-64
story nopatch '' '' ', .variants = (const struct cop_variant[]){{.name = "fixed"}, {.name = "x", .outcome = COP_FAILS, .rule = "leak"}, {.name = NULL}}'
one 2 "^coppice check: .*nopatch.c: variant 'x' has no patch; expected .*/OWN-x.patch" "$tool" check "$work/nopatch.c"

# What goes wrong while it runs is a verdict, and says where.
# bad NAME RULE PATTERN SETUP ACTOR
bad() {
	story "$1" "$4" "$5"
	expect 1 "^  OWN +fixed +x86-64 +[a-z]+ +fails: $2 +no: exhausted" "$tool" check "$work/$1.c" --arch x86-64
	printf '%s\n' "$out" | grep -q "^  OWN fixed, x86-64: .*$3" || { echo "$1: not said what"; status=1; }
	expect 1 "\"text\":[[:space:]]*\".*$3" "$tool" check "$work/$1.c" --arch x86-64 --json
}
bad stuck deadlock 'setup or check waits' 'uint64_t v; cop_await(&w->x, v, v == 1);' ''
bad both deadlock 'nobody can go on: a at .*both.c:6' '' 'uint64_t v; cop_await(&w->x, v, v == 1);'
string=$("$tool" check "$work/both.c" --arch x86-64 | grep -o 'cop1\.[^ ]*')
expect 1 '^at the end: nobody can go on: a at .*both.c:6, b at ' "$tool" replay "$string" "$work/both.c"
bad circle livelock 'goes round in circles' '' 'for (;;) (void)cop_load(&w->x, relaxed);'
bad setupcircle livelock 'goes round in circles' 'for (;;) (void)cop_load(&w->x, relaxed);' ''
bad spin livelock 'has run for 5 s without a step, after .*spin.c:6' '' '(void)cop_load(&w->x, relaxed); for (volatile int i = 0;; i++);'
bad full sim-limit 'no frame left' 'for (;;) (void)COP_ALLOC(12, "mine");' ''
bad hungry sim-limit 'more than 2048 MB of memory are taken, by setup' 'for (;;) { volatile char *p = malloc(1 << 28); *p = 1; for (size_t i = 0; i < 1 << 28; i += 4096) p[i] = 1; }' ''
bad past past-the-port 'physical address 0x1000 is accessed past the port by a, after .*past.c:6' '' '(void)cop_load(&w->x, relaxed); *(volatile uint64_t *)cop_phys(0x1000) = 1;'
bad null crash 'in a, after .*null.c:6' '' '(void)cop_load(&w->x, relaxed); *(volatile uint64_t *)w->p = 1;'
bad deep crash 'the stack of 256 KB is used up' '' 'volatile char c[400000]; c[0] = 1; c[399999] = c[0];'
exit $status
