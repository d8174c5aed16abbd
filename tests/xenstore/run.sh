#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: Debian's own programs for xenstore, unmodified, at a machine's socket (--xenstore-socket): what they print,
# what they are refused, Xen's test-xenstore; programs that are killed or read nothing; and a run that such programs
# took part in, repeated without them.
set -u

: "${XENLAB:=./xenlab}"
assets=$PWD/build/assets
passed=0 failed=0
tmp=$(mktemp -d)
machine=
trap '[ -z "$machine" ] || kill $machine 2> /dev/null; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

if ! [ -x "$assets/xenstore-ls" ] || ! [ -x "$assets/test-xenstore" ]; then
    echo "SKIP  xenstore: no Debian programs for xenstore: make assets fetches them"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAIL  $1"
    sed 's/^/      /' "$tmp/out"
}

# tool PROGRAM ARGUMENT...: one of Debian's, at the machine's socket.
tool() {
    program=$1
    shift
    LD_LIBRARY_PATH="$assets/usr/lib/x86_64-linux-gnu" XENSTORED_PATH="$tmp/socket" timeout 60 "$assets/$program" "$@"
}

# says WHAT TEXT PROGRAM ARGUMENT...: it ends well, and this is what it prints.
says() {
    what=$1 text=$2
    shift 2
    if tool "$@" > "$tmp/out" 2>&1 && [ "$(cat "$tmp/out")" = "$text" ]; then good; else bad "$what: $*"; fi
}

# refused WHAT TEXT PROGRAM ARGUMENT...: it does not, and says so.
refused() {
    what=$1 text=$2
    shift 2
    if tool "$@" > "$tmp/out" 2>&1; then
        bad "$what: $* was not refused"
    elif [ -z "$text" ] || grep -q -e "$text" "$tmp/out"; then
        good
    else
        bad "$what: $*"
    fi
}

# start ARGUMENT...: a machine, until its socket serves.
start() {
    "$XENLAB" run -q --xenstore-socket "$tmp/socket" --max-vtime 100s "$@" < /dev/null > "$tmp/said" 2>&1 &
    machine=$!
    tries=0
    while ! tool xenstore-exists / 2> /dev/null && [ $tries -lt 600 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}

# stop: it ends, and its socket with it.
stop() {
    kill $machine
    wait $machine
    machine=
    cp "$tmp/said" "$tmp/out"
    if [ -e "$tmp/socket" ]; then bad "the socket is left"; else good; fi
}

# ---------------------------------------------------------------------------------------------------- what they do --

start --record "$tmp/recording" --name alpha build/guests/echo
says "a node that the toolstack has made" alpha xenstore-read /local/domain/1/name
says "the domains" "0
1" xenstore-list /local/domain
says "a value is written" "" xenstore-write /t/a/b one
says "and read" one xenstore-read /t/a/b
says "a relative path is dom0's own" Domain-0 xenstore-read name
says "permissions" "" xenstore-chmod /t/a/b n0 r1
says "are shown" 'b = "one"  . . . . . . . . . . . . . . . . . . . . . . . . .  (n0,r1)' xenstore-ls -p /t/a
says "it exists" "" xenstore-exists /t/a/b
refused "it does not" "" xenstore-exists /t/none
refused "a bad path" "couldn't read path" xenstore-read /t//a
refused "what is not there" "couldn't read path" xenstore-read /t/none
says "a tree is removed" "" xenstore-rm /t
refused "with all below it" "couldn't read path" xenstore-read /t/a/b
says "xenstored's check" OK xenstore-control check
if tool test-xenstore > "$tmp/out" 2>&1 && ! grep -qi 'fail\|error' "$tmp/out" && grep -q '^ta err' "$tmp/out"; then
    good
else
    bad "test-xenstore"
fi

# A watch that waits, and is told: by another program, and by the machine.
: > "$tmp/watched"
tool xenstore-watch -n 3 /w > "$tmp/watched" 2>&1 &
watcher=$!
tries=0
while ! grep -q '^/w$' "$tmp/watched" && [ $tries -lt 600 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
tool xenstore-write /w/x 1 /w/y 2
wait $watcher
cp "$tmp/watched" "$tmp/out"
if [ "$(cat "$tmp/watched")" = "/w
/w/x
/w/y" ]; then good; else bad "a watch is told"; fi

# --------------------------------------------------------------------------------------------- who does not behave --

# One that is stopped while it is told much, and killed then: others are served.
tool xenstore-watch /w > /dev/null 2>&1 &
deaf=$!
kill -STOP $deaf
n=0
while [ $n -lt 50 ]; do
    n=$((n + 1))
    tool xenstore-write /w/x $n || bad "xenstore-write /w/x $n"
done
says "it is still there" alpha xenstore-read /local/domain/1/name
kill -KILL $deaf
wait $deaf 2> /dev/null
says "and as it should be" OK xenstore-control check

# A second machine does not take the first one's socket away.
if "$XENLAB" run -q --xenstore-socket "$tmp/socket" build/guests/hello > "$tmp/out" 2>&1 || ! grep -q "somebody listens" "$tmp/out"; then
    bad "a socket that is in use is taken"
else
    good
fi
stop

# ---------------------------------------------------------------------------------------------------- it is repeated --

"$XENLAB" replay -q "$tmp/recording" > "$tmp/out" 2>&1
if [ $? -eq 143 ] && grep -q 'signal 15 ended the recorded run' "$tmp/out"; then good; else bad "the recording is another run"; fi
if grep -q '^xenstore ' "$tmp/recording"; then good; else bad "nothing of it was recorded"; fi

# What a killed machine has left is taken over.
start build/guests/echo
kill -9 $machine
wait $machine 2> /dev/null
machine=
start build/guests/echo
says "after a machine that was killed" "1" xenstore-read /local/domain/1/domid
stop

# A path that cannot be.
"$XENLAB" run -q --xenstore-socket "$tmp/none/socket" build/guests/hello > "$tmp/out" 2>&1
if [ $? -eq 1 ] && grep -q 'xenstore-socket.*No such file' "$tmp/out"; then good; else bad "a folder that is not there"; fi

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
