#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: what scripts/symbols.sh, a part of `make lint`, says of trees that are made up here: one that is in order, and
# one a mistake; and that `make format` leaves the sources alone where clang-format is another than the style's.
set -uf

passed=0 failed=0
root=$(pwd) script=$(pwd)/scripts/symbols.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# tree: an empty one of three layers, the last two beside each other.
tree() {
    rm -rf "$tmp"/*
    mkdir -p scripts build/low build/high build/other
    printf 'layer low low/\nlayer high high/\nbeside other other/\n' > scripts/layers.txt
    objects=
}

# object NAME TEXT: compile it.
object() {
    printf '%s\n' "$2" | ${CC:-cc} -x c -fno-common -c -o "build/$1" - || exit 1
    objects="$objects $1"
}

# expect NAME [LINE...]: the script says these lines, in any order, and no others.
expect() {
    name=$1
    shift
    : > wanted
    for line in "$@"; do echo "$line"; done | sort > wanted
    set +f
    "$script" build $objects > said 2>&1 || echo "status $?" >> said
    set -f
    if sort said | cmp -s wanted -; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        sed 's/^/     wanted: /' wanted
        sed 's/^/     said:   /' said
    fi
}

tree
object low/a.o 'int a(void) { return 1; }'
object high/b.o 'int a(void); int b(void); int b(void) { return a(); }'
object other/c.o 'int a(void); int c(void) { return a(); }'
expect 'a tree that is in order'

object low/d.o 'int b(void); int d(void) { return b(); }'
expect 'a function of a layer above' 'low/d.o: uses b of high/b.o: high is above low'

tree
object low/a.o 'int a(void) { return 1; }'
object high/b.o 'int b = 1; __thread int t; int __attribute__((weak)) w(void) { return 1; }'
object low/data.o 'extern int b; int d(void) { return b; }'
object low/thread.o 'extern __thread int t; int e(void) { return t; }'
object low/weak.o 'int w(void); int f(void) { return w(); }'
object low/optional.o 'int __attribute__((weak)) w(void); int g(void) { return w ? w() : 0; }'
object low/pointer.o 'int b(void); int (*const h)(void) = b;'
expect 'data, thread-local, weak, and a pointer in a table' 'low/data.o: uses b of high/b.o: high is above low' \
    'low/thread.o: uses t of high/b.o: high is above low' 'low/weak.o: uses w of high/b.o: high is above low' \
    'low/optional.o: uses w of high/b.o: high is above low' 'low/pointer.o: uses b of high/b.o: high is above low'

tree
object high/b.o 'int b(void) { return 1; }'
object other/c.o 'int b(void); int c(void) { return b(); }'
expect 'a layer beside' 'other/c.o: uses b of high/b.o: high is beside other'

tree
object low/a.o 'int b(void); int a(void) { return b(); }'
object low/b.o 'int c(void); int b(void) { return c(); }'
object low/c.o 'int a(void); int c(void) { return a(); }'
object low/d.o 'int a(void); int d(void) { return a(); }'
expect 'a circle within a layer' \
    'low/a.o: circle of objects: low/a.o uses b of low/b.o, low/b.o uses c of low/c.o, low/c.o uses a of low/a.o'

tree
object low/a.o 'static int b(void) { return 1; } int a(void) { return b(); }'
object high/b.o 'int a(void); int b(void) { return a(); }'
expect 'a static function of the same name'

tree
printf 'arena low/ high/b.c\nheap low/free/\nheap low/edge.c\nheap low/needless.c\n' >> scripts/layers.txt
mkdir -p build/low/free
head='#include <stdlib.h>
#include <string.h>
#include <stdio.h>'
object low/a.o "$head
void *a(void); void *a(void) { return malloc(3); }"
object low/edge.o "$head
void *edge(void); void *edge(void) { return calloc(3, 1); }"
object low/needless.o 'void *needless(void) { return (void *)0; }'
object low/free/c.o "$head
void *c(void *p); void *c(void *p) { return realloc(p, 3); }"
object high/b.o "$head
int asprintf(char **s, const char *fmt, ...); char *b(char *s); char *b(char *s) { asprintf(&s, s); return strdup(s); }"
object high/d.o "$head
char *d(char *s); char *d(char *s) { return strdup(s); }"
expect 'memory outside of the arena' 'low/a.o: allocates by malloc() what should lie in the arena' \
    'high/b.o: allocates by asprintf() what should lie in the arena' \
    'high/b.o: allocates by strdup() what should lie in the arena' \
    'scripts/layers.txt: low/needless.c allocates nothing: it needs no reason'

# format VERSION WANTED: `make format` with a clang-format of this version, one that writes down what it is told.
mkdir bin
printf '#!/bin/sh\n[ "$1" = --version ] && echo "clang-format version $VERSION" || echo "$1" > "$SAID"\n' > bin/clang-format
chmod +x bin/clang-format
format() {
    rm -f said
    PATH=$tmp/bin:$PATH VERSION=$1 SAID=$tmp/said MAKEFLAGS='' make -s -C "$root" format > /dev/null 2>&1
    if [ "$?:$(cat said 2> /dev/null)" = "$2" ]; then
        passed=$((passed + 1))
        echo "ok   make format with clang-format $1"
    else
        failed=$((failed + 1))
        echo "FAIL make format with clang-format $1: wanted $2"
    fi
}
format 14.0.6 0:-i
format 19.1.7 2:

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
