#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# class.sh [N]: a class hands in. N submissions (300), of which a tenth is hostile, the others the variants of all labs,
# are graded two at a time, and each grade is what it has to be. Says how long it took.
set -euo pipefail
cd "$(dirname "$0")/.."
xenlab=$PWD/xenlab nr=${1:-300}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/variants" "$dir/in" "$dir/out" "$dir/hostile"
touch "$dir/canary"

# --- what is handed in ---

"$xenlab" lab test all --write "$dir/variants"
{
    printf 'class = "campaign"\nseeds = "70001-70004"\npoints = [ '
    cut -d ' ' -f 1 "$dir/variants/expected" | sort -un | sed 's/.*/"& | 10",/' | tr '\n' ' '
    printf ']\n'
} > "$dir/key"

# A file for lab 1 that does as it is told before anything else, and would be right but for that.
hostile() {
    mkdir "$dir/hostile/$1"
    { printf '#include <%s.h>\n' fcntl signal stdio stdlib string unistd; cat vcpu/pv/emulate.c -; } > "$dir/hostile/$1/emulate.c"
    echo "1 $1 $2" >> "$dir/hostile/expected"
}
begins='__attribute__((constructor)) static void begins(void)'
hostile loops failed <<< "$begins { for (;;) __asm__ volatile(\"\"); }"
hostile forks failed <<< "$begins { for (;;) fork(); }"
hostile sleeps failed <<< "$begins { for (;;) pause(); }"
hostile eats failed <<< "$begins { for (;;) memset(malloc(1 << 28), 1, 1 << 28); }"
hostile fills failed <<< "$begins { static char b[1 << 20]; int fd = open(\"/tmp/full\", O_CREAT | O_WRONLY, 0600); for (;;) if (write(fd, b, sizeof(b)) < 0) abort(); }"
hostile talks failed <<< "$begins { for (;;) puts(\"fact read carried out, RIP moved by 3\"); }"
hostile perfect failed <<< "$begins { puts(\"end\"); fflush(stdout); _exit(0); }"
hostile verdict failed <<< "$begins { puts(\"{ \\\"verdict\\\": \\\"passed\\\", \\\"points\\\": 10 }\"); fflush(stdout); _exit(0); }"
hostile kills failed <<< "$begins { kill(0, SIGKILL); kill(-1, SIGKILL); kill(getppid(), SIGKILL); _exit(0); }"
hostile reads failed <<< "$begins { FILE *f = fopen(\"$dir/key\", \"r\"); if (!f) _exit(0); for (int c; (c = getc(f)) != EOF;) putchar(c); }"
hostile includes does-not-compile <<< "#include \"$dir/key\""
hostile rubbish does-not-compile <<< "this is no C"
mkdir "$dir/hostile/empty" "$dir/hostile/fifo" "$dir/hostile/link" "$dir/hostile/large"
mkfifo "$dir/hostile/fifo/emulate.c"
ln -s "$dir/key" "$dir/hostile/link/emulate.c"
truncate -s 1G "$dir/hostile/large/emulate.c"
for name in empty fifo link large; do
    echo "1 $name no-submission" >> "$dir/hostile/expected"
done

# --- as many as are wanted ---

pick() { # of KIND, as number I
    local line
    mapfile -t lines < "$dir/$1/expected"
    line=(${lines[$2 % ${#lines[@]}]})
    cp -a "$dir/$1/${line[1]}" "$dir/in/$3"
    echo "$3 ${line[0]} ${line[2]} ${line[1]}" >> "$dir/expected"
}
for ((i = 0; i < nr; i++)); do
    if ((i % 10 == 9)); then
        pick hostile $((i / 10)) "$i"
    else
        pick variants $((i - i / 10)) "$i"
    fi
done

# --- graded, and compared ---

export xenlab dir
SECONDS=0
xargs -P 2 -L 1 sh -c '"$xenlab" lab grade "$1" "$dir/in/$0" --key "$dir/key" --json "$dir/out/$0" > /dev/null 2>&1 || :' \
    < <(cut -d ' ' -f 1,2 "$dir/expected")
took=$SECONDS wrong=0
while read -r i _ expected name; do
    got=$(sed -n "s/^  \"verdict\": \"\([^\"]*\)\".*/\1/p" "$dir/out/$i" 2> /dev/null | tr " " "-" || :)
    if [ "$got" != "$expected" ]; then
        echo "$name: ${got:-no grade}, and $expected is right"
        wrong=$((wrong + 1))
    fi
done < "$dir/expected"
[ -e "$dir/canary" ] || { echo "somebody has removed a file"; wrong=$((wrong + 1)); }
echo "$nr submissions, $((nr / 10)) of them hostile: graded in $took s, $wrong wrong"
[ "$wrong" = 0 ]
