#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh [PATTERN...]: run whole guests in the simulator, and judge what they print and how they end. With patterns,
# only the tests whose names fit one. Run from the project's root; $XENLAB is the program (./xenlab).
#
# Concept: a test is one run of `xenlab run`. What it prints is compared with expected/NAME.out (toy guests, whose every
# character is known), or searched for what must be in it (GRUB, Linux). Each test says one of
#
#   PASS
#   FAIL    the guest did something else: the difference, or what was missing, is shown
#   ERROR   nothing can be said of the guest: the program died, hung, or found a bug in itself. Counts as failed.
#   SKIP    what it needs is not there
#
# Frame numbers are no part of a promise, so "pfn 26  mfn 0x1a2b" is compared as "pfn ?  mfn ?". The time limit in host
# seconds is only a net; virtual time is what a test limits. GOLDEN=write writes expected/ anew instead of comparing.
#
# When could these pass wrongly? If nothing was run: hence the count at the end, and scripts/test.sh, which takes none as a
# failure.
#
# Budget: a list of all guests, with what runs and judges them; in several files each would need that again.
set -uf # patterns are matched against names of tests, not of files

: "${XENLAB:=./xenlab}" "${GOLDEN:=}"
here=tests/guest
guests=build/guests
assets=build/assets
case $XENLAB in
*asan*) slowness=10 ;;
*) slowness=1 ;;
esac
patterns=$*
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
burners=
# The loads that we started ourselves, by their numbers, and our files.
trap 'for p in $burners; do kill "$p" 2> /dev/null; done; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# ------------------------------------------------------------------------------------------------------- verdicts --

pass() {
    passed=$((passed + 1))
    echo "PASS  $name"
}
fail() {
    failed=$((failed + 1))
    echo "FAIL  $name: $1"
}
error() {
    failed=$((failed + 1))
    echo "ERROR $name: $1"
    tail -n 15 "$tmp/err" | sed 's/^/      | /'
}
skip() {
    skipped=$((skipped + 1))
    echo "SKIP  $name: $1"
}

# begin NAME: whether this test is wanted; $name is it from now on.
begin() {
    name=$1
    [ -n "$patterns" ] || return 0
    for p in $patterns; do
        case $name in
        $p) return 0 ;;
        esac
    done
    return 1
}

# have FILE...: or the test is skipped.
have() {
    for f in "$@"; do
        [ -r "$f" ] || {
            skip "$f is not there"
            return 1
        }
    done
}

# ----------------------------------------------------------------------------------------------------- running one --

# simulate SECONDS ARGUMENT...: stdin as given; into $tmp/out, $tmp/err and $status.
simulate() {
    seconds=$(($1 * slowness))
    shift
    status=0
    timeout "$seconds" "$XENLAB" run "$@" > "$tmp/raw" 2> "$tmp/err" || status=$?
    tr -d '\r' < "$tmp/raw" | sed 's/mfn 0x[0-9a-f]*/mfn ?/g; s/pfn  *[0-9]*  mfn/pfn ?  mfn/' > "$tmp/out"
}

# ended STATUS: whether the run came to this end; otherwise it is judged here.
ended() {
    [ "$status" -ne "$1" ] || return 0
    case $status in
    124) error "took longer than $seconds s" ;;
    126 | 127) error "$XENLAB cannot be run" ;;
    1) error "status 1: not started" ;;
    99) error "a sanitizer's finding" ;;
    2) error "a guest crashed (status 2, expected $1)" ;;
    3 | 0) fail "ended with status $status, expected $1" ;;
    *) error "ended with status $status, expected $1" ;;
    esac
    if [ -s "$tmp/out" ]; then
        echo "      the last lines of its output:"
        tail -n 10 "$tmp/out" | sed 's/^/      > /'
    fi
    return 1
}

# same FILE: whether the output is that of FILE (or, when asked to, write it).
same() {
    if [ "$GOLDEN" = write ]; then
        cp "$tmp/out" "$1"
    elif ! [ -r "$1" ]; then
        fail "$1 is not there (GOLDEN=write makes it)"
        return 1
    elif ! cmp -s "$1" "$tmp/out"; then
        fail "the output is not that of $1:"
        diff -u "$1" "$tmp/out" | sed -n '3,30s/^/      /p'
        return 1
    fi
}

# contains TEXT...: whether each is in the output, in this order, at the start of a line or within.
contains() {
    from=1
    for text in "$@"; do
        line=$(tail -n +"$from" "$tmp/out" | grep -nF -m 1 -e "$text" | cut -d : -f 1)
        if [ -z "$line" ]; then
            fail "the output lacks \"$text\"$([ "$from" -eq 1 ] || echo " (below line $((from - 1)))"); its end is:"
            tail -n 10 "$tmp/out" | sed 's/^/      > /'
            return 1
        fi
        from=$((from + line))
    done
}

# says STATUS PATTERN: the whole judgement of a run that is to end with this status, and a message that fits.
says() {
    if [ "$status" -ne "$1" ]; then
        fail "ended with status $status, expected $1"
    elif ! grep -q -e "$2" "$tmp/err"; then
        fail "no message is like \"$2\"; the first is: $(head -n 1 "$tmp/err")"
    else
        pass
    fi
}

# ------------------------------------------------------------------------------------------------------ toy guests --

# toy NAME STATUS ARGUMENT...: output as in expected/NAME.out; typed is expected/NAME.in, if there is one.
toy() {
    begin "$1" || return 0
    end=$2
    shift 2
    typed=$here/expected/$name.in
    [ -r "$typed" ] || typed=/dev/null
    simulate 20 -q --max-vtime 60s "$@" < "$typed"
    ended "$end" && same "$here/expected/$name.out" && pass
}

toy hello 0 --memory 32 --cmdline "greeting=yes" $guests/hello
toy hello-small 0 --memory 8 $guests/hello
toy hello-twice 0 $guests/hello $guests/hello
toy echo 0 $guests/echo
toy idle 3 $guests/idle
toy idle-until 0 --cmdline until=1000 $guests/idle $guests/idle
toy traps 0 $guests/traps
toy debugregs 0 $guests/debugregs
toy rings 0 $guests/rings
toy ports 0 $guests/ports
toy corners 0 $guests/corners
toy callbacks 0 --vcpus 2 $guests/callbacks
toy syscall 0 $guests/syscall
toy timer 0 $guests/timer
toy pagetables 0 $guests/pagetables
toy balloon 0 --memory 32 $guests/balloon
toy balloon-maxmem 0 $here/balloon-maxmem.cfg
toy grants 0 $here/grants-owner.cfg $here/grants-user.cfg
toy pingpong 0 $here/pingpong-server.cfg $here/pingpong-client.cfg
toy spinner 0 $guests/spinner
toy spinners 0 --sched credit2 $here/spinner-heavy.cfg $here/spinner-light.cfg
toy spinner-capped 0 --sched credit2 $here/spinner-capped.cfg
toy spinners-pinned 0 --pcpus 2 $here/spinner-pinned-string.cfg $here/spinner-pinned-list.cfg
toy spinners-pool 0 --pcpus 2 --cpupool "rt=1:rtds" --pool rt --budget 2500 --extratime 0 --cmdline "rounds=2" $guests/spinner
# Where there is a pCPU for each, each has all of it.
for sched in rr credit credit2 rtds null; do
    toy spinners-2-$sched 0 --pcpus 4 --sched $sched --cmdline "rounds=3" $guests/spinner $guests/spinner
done
toy smp 0 --vcpus 4 $guests/smp
toy smp-2 0 --vcpus 4 --pcpus 2 $guests/smp
toy smp-64 0 --vcpus 64 --pcpus 16 $guests/smp
toy clock 0 --vcpus 4 $guests/clock
toy clock-4 0 --vcpus 4 --pcpus 4 $guests/clock
# Whether pCPUs' own counters disagree when they are looked at depends on the compiler; what holds anyway is this.
if begin clock-native; then
    simulate 20 -q --max-vtime 60s --pcpus 4 $here/clock-native.cfg < /dev/null
    ended 0 && contains "tsc_mode native" "it is not stable" "on one vCPU time went back:             never" \
        "a timer expired early:                  never" && pass
fi
toy clock-emulated 0 --pcpus 4 $here/clock-emulated.cfg
toy runstate 0 --vcpus 2 $guests/runstate
toy runstate-2 0 --vcpus 2 --pcpus 2 $guests/runstate
toy shootdown 0 --vcpus 4 --pcpus 4 $guests/shootdown
toy shootdown-1 0 --vcpus 4 $guests/shootdown
toy fifo 0 $guests/fifo
toy lostevent 0 $guests/lostevent
toy features 0 $guests/features
toy features-masked 0 $here/features-names.cfg $here/features-leaves.cfg
toy store 0 --vcpus 2 --cmdline "a=b" $guests/store
toy reboot 0 $here/reboot.cfg
toy reboot-beside 0 $here/reboot.cfg $guests/hello
toy reboot-destroy 0 --on-reboot destroy $here/reboot.cfg
toy reboot-rename 0 --on-reboot rename-restart $here/reboot.cfg
toy reboot-preserve 0 --on-reboot preserve $here/reboot.cfg
toy reboot-poweroff 3 --on-poweroff restart --max-vtime 150ms --cmdline "how=poweroff until_ms=1000" $here/reboot.cfg
toy reboot-crash 2 --on-crash restart --cmdline "how=crash until_ms=60000" $here/reboot.cfg
toy reboot-watchdog 2 --on-watchdog restart --cmdline "how=watchdog until_ms=100" $here/reboot.cfg
toy reboot-unknown 2 --cmdline "how=9" $here/reboot.cfg
toy reboot-unknown-255 2 --cmdline "how=255" $here/reboot.cfg
toy reboot-suspend 0 --cmdline "how=2" $here/reboot.cfg
toy suspend 0 $guests/suspend
toy suspend-smp 0 --vcpus 2 --pcpus 2 $guests/suspend
toy suspend-uncooperative 0 $guests/suspend-uncooperative
toy suspend-uncooperative-smp 0 --vcpus 2 --pcpus 2 $guests/suspend-uncooperative
toy watchdog 2 --on-crash restart --cmdline "pets=2" $guests/watchdog
toy watchdog-restart 2 --on-watchdog restart --max-vtime 10s --cmdline "pets=1" $guests/watchdog
toy old64 0 --memory 8 build/tests/guest/old64
toy old32 0 --memory 8 build/tests/guest/old32
toy three 0 $guests/hello $guests/timer $guests/traps

# The guest rings says "executed" of an instruction exactly if the hypervisor never hears of it. Its rows stand in the order of its code.
if begin rings-executed; then
    simulate 20 -q --trace "$tmp/trace" $guests/rings < /dev/null
    nm -n $guests/rings | sed -n 's/^0*\([0-9a-f]*\) . insn_/\1 /p' > "$tmp/code"
    sed -n '3,/^With/{/^ /p}' "$tmp/out" | cut -c 28- | paste -d ' ' "$tmp/code" - > "$tmp/rows"
    sed -n '/"kind":"syscall"/d; s/.*"event":"exit".*"rip":"0x\([0-9a-f]*\)".*/\1/p' "$tmp/trace" | sort -u | awk '
        FILENAME ~ /rows$/ { n++; at[n] = $1; name[n] = $2; executed[n] = / executed/; next }
        length($1) == length(at[1]) { for (i = n; i > 0; i--) if (at[i] <= $1) { exits[i]++; break } }
        END {
            if (n < 30) print "only " n + 0 " rows"
            for (i = 1; i <= n; i++)
                if (executed[i] == (exits[i] > 0)) print name[i], exits[i] + 0, "exits"
        }' "$tmp/rows" - > "$tmp/wrong"
    if ended 0; then
        if [ -s "$tmp/wrong" ]; then fail "what it says does not fit the trace: $(tr '\n' ';' < "$tmp/wrong")"; else pass; fi
    fi
    rm -f "$tmp/trace"
fi

# The weights of 2 to 1 count under credit as well, whose ticks make a round no exact measure.
if begin spinners-credit; then
    simulate 20 -q --max-vtime 60s --sched credit $here/spinner-heavy.cfg $here/spinner-light.cfg < /dev/null
    share=$(sed -n 's/.*heavy: altogether \([0-9]*\) %.*/\1/p' "$tmp/out")
    if ended 0; then
        if [ "${share:-0}" -ge 65 ] && [ "$share" -le 68 ]; then pass; else fail "heavy got ${share:-nothing} %"; fi
    fi
fi

# The benchmarks work, whatever their speed.
bench() { # GUEST OP ARGUMENT...
    begin "bench-$1-$2" || return 0
    guest=$1 op=$2
    shift 2
    simulate 20 -q --cmdline "op=$op n=64" "$@" "$guests/bench/$guest" < /dev/null
    ended 0 && contains "$op 64 ok" && pass
}

for op in null multicall stack segment; do bench hypercall $op; done
for op in exception pagefault cr0 ptwr syscall int; do bench trap $op; done
for op in update update32 va pin1 pin4; do bench mmu $op; done
for op in map copy; do bench grant $op; done
for op in send masked; do bench event $op; done
for op in alu branch copy movs call; do bench cpu $op; done
bench switch yield
bench switch wake --vcpus 2
if begin no-command; then # what to try, in ten lines, and the status of a mistake
    status=0
    "$XENLAB" > "$tmp/out" 2> "$tmp/err" || status=$?
    if [ $status -eq 1 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l < "$tmp/err")" -le 10 ] && grep -q 'xenlab run build/guests/hello' "$tmp/err"; then
        pass
    else
        fail "status $status: $(cat "$tmp/out" "$tmp/err")"
    fi
fi
if begin bench-sched; then # three figures for each of six policies and four numbers of vCPUs
    "$XENLAB" sched --bench > "$tmp/out" 2> "$tmp/err"
    status=$?
    lines=$(grep -cE '^\{"name": "[^"]*", "value": [0-9]+, "unit": "ns", "runs": [0-9]+\}$' "$tmp/out")
    if [ "$status" -ne 0 ]; then
        error "ended with status $status"
    elif [ "$lines" -ne 72 ]; then
        fail "$lines figures instead of 72"
    else
        pass
    fi
fi

# ------------------------------------------------------------------------------------------------------------ scale --

# stat WORDS: the number behind these words in the statistics of the run.
stat() {
    sed -n "s/^ *$1 *\([0-9][0-9]*\).*/\1/p" "$tmp/err" | head -n 1
}

# Many domains: each one's memory and work for dom0 is bounded, and does not grow with their number.
many() { # NAME COPIES ARGUMENT...
    begin "$1" || return 0
    n=$2
    shift 2
    if [ "$slowness" -gt 1 ]; then # all of memory is checked after each hypercall, so it takes the square of their number
        n=20
        set -- --memory 8 "$@"
    fi
    simulate 60 -q --stats --max-vtime 60s --copies "$n" --cmdline until=1000 "$@" $guests/idle < /dev/null
    ended 0 || return 0
    memory=$(stat "peak memory") insns=$(stat instructions) calls=$(($(stat domctl) + $(stat sysctl)))
    if [ "$(grep -c "I was woken 1 time" "$tmp/out")" -ne "$n" ]; then
        fail "$(grep -c "I was woken 1 time" "$tmp/out") of $n domains came to their end"
    elif [ "$slowness" -eq 1 ] && [ "$memory" -gt $((n * 2 + 50)) ]; then
        fail "$n domains took $memory MiB, which is more than 2 a domain and 50"
    elif [ "$insns" -gt $((n * 100000)) ]; then
        fail "$n domains that do nothing took $insns instructions"
    elif [ "$calls" -gt $((n * 100)) ]; then
        fail "the toolstack made $calls calls for $n domains"
    else
        pass
    fi
}

# A blocked vCPU costs nothing: a thousand times the time makes not one event more, and whether the domain beside it is
# busy for long does not matter to it.
idle_is_free() { # NAME ARGUMENT...
    begin "$1" || return 0
    shift
    all= beside=
    for ms in 1000 1000000; do
        simulate 20 -q --trace "$tmp/trace" --cmdline until=$ms "$@" $guests/idle $guests/idle < /dev/null
        ended 0 || return 0
        all="$all $(wc -l < "$tmp/trace")"
    done
    for rounds in 1 3; do
        simulate 20 -q --trace "$tmp/trace" --cmdline rounds=$rounds "$@" $guests/idle $guests/spinner < /dev/null
        ended 3 || return 0
        sed '1,/"dom":1,.*"sched_block"/d' "$tmp/trace" > "$tmp/after"
        beside="$beside $(grep -c '"dom":1,' "$tmp/after")"
        busy=$(grep -c '"dom":2,' "$tmp/after")
    done
    rm -f "$tmp/trace" "$tmp/after"
    if [ "${all% *}" != " ${all##* }" ]; then
        fail "events in 1 s and in 1000 s:$all"
    elif [ "${beside% *}" != " ${beside##* }" ] || [ "$busy" -eq 0 ]; then
        fail "events of an idle domain beside one that is busy for 0.1 s and 0.3 s:$beside (of that one, $busy)"
    else
        pass
    fi
}

for sched in rr credit credit2 rtds; do
    idle_is_free idle-is-free-$sched --sched $sched --pcpus 2
done
many domains-1000 1000
many domains-1000-credit 1000 --sched credit --pcpus 4

# ---------------------------------------------------------------------------------------------------- hostile guests --

# A few of the seeds that `make hostile` tries: with sanitizers, whose build checks all of memory, fewer.
if begin hostile; then
    seeds=$((slowness > 1 ? 3 : 8))
    if XENLAB=$XENLAB HOSTILE_TIMEOUT=$((120 * slowness)) scripts/hostile.sh $seeds > "$tmp/out" 2>&1; then
        pass
    else
        fail "$(head -n 1 "$tmp/out")"
    fi
fi

# ------------------------------------------------------------------------------------------------------ exit status --

if begin status-crash; then
    simulate 20 $guests/grants < /dev/null # without a role it ends with SHUTDOWN_crash
    ended 2 && contains "Give me a command line" && pass
fi
if begin status-no-file; then
    simulate 20 $guests/no-such-guest < /dev/null
    says 1 no-such-guest
fi

# refused NAME MESSAGE LINE: this configuration is refused with status 1 and this message, which names the file and the line.
refused() {
    begin "$1" || return 0
    printf 'kernel = "%s"\n%s\n' "$guests/hello" "$3" > "$tmp/guest.cfg"
    simulate 20 --pcpus 2 --sched credit2 "$tmp/guest.cfg" < /dev/null
    says 1 "$tmp/guest.cfg:2: $2"
}

refused refused-dom0 "name: \"Domain-0\" is dom0" 'name = "Domain-0"'
if begin refused-same-name; then
    printf 'kernel = "%s"\nname = "twin"\n' "$guests/hello" > "$tmp/guest.cfg"
    simulate 20 "$tmp/guest.cfg" "$tmp/guest.cfg" < /dev/null
    says 1 "$tmp/guest.cfg:2: name: another guest is called \"twin\""
fi
refused refused-weight "cpu_weight: expected a weight from 1 to 65535, got \"0\"" "cpu_weight = 0"
refused refused-cap "cap: expected 0 to 100 percent" "cap = 101"
refused refused-cpus "cpus: none of these pCPUs is in the CPU pool" "cpus = '2'"
refused refused-pool "pool: there is no CPU pool \"x\"" "pool = 'x'"
# A renamed domain keeps its memory; the new one finds none.
if begin status-no-restart; then
    simulate 20 --ram 96 --on-reboot rename-restart --memory 48 $here/reboot.cfg < /dev/null
    says 1 "reboot cannot be restarted: .*not enough machine memory"
fi
# null has a pCPU for dom0, and then none for the guest.
if begin status-no-pcpu; then
    simulate 20 -q --sched null $guests/hello < /dev/null
    says 3 'vCPU 0 of domain 1 waits for a pCPU, and the scheduler null gives it none'
fi
# Whoever waits for a key that cannot come any more has been run to its end. A pipe, a file, nothing at all; and two guests.
if begin status-no-input; then
    printf 'hello\n' > "$tmp/in"
    for kind in pipe file null two; do
        case $kind in
        pipe)
            printf 'hello\n' | {
                simulate 20 -q $guests/echo
                echo "$status" > "$tmp/status"
            }
            status=$(cat "$tmp/status")
            ;;
        file) simulate 20 -q $guests/echo < "$tmp/in" ;;
        null) simulate 20 -q $guests/echo < /dev/null ;;
        two) simulate 20 -q $guests/echo $guests/idle < "$tmp/in" ;;
        esac
        [ "$status" -eq 3 ] && grep -q "nothing can wake them: standard input has ended" "$tmp/err" || break
        kind=
    done
    if [ -z "$kind" ]; then pass; else fail "with $kind it ended with status $status: $(tail -n 1 "$tmp/err")"; fi
fi
if begin status-limit; then
    simulate 20 -q --max-vtime 50ms --cmdline "rounds=1000000" $guests/spinner < /dev/null
    ended 3 && pass
fi

# ------------------------------------------------------------------------------------------------------ determinism --

# twice NAME LOAD ARGUMENT...: two runs give the same trace and the same output, byte by byte, the second next to LOAD
# busy processes.
twice() {
    begin "$1" || return 0
    load=$2
    shift 2
    simulate 60 -q --trace "$tmp/trace1" "$@" < /dev/null
    ended 0 || return 0
    cp "$tmp/raw" "$tmp/raw1"
    while [ "$load" -gt 0 ]; do
        (while :; do :; done) &
        burners="$burners $!"
        load=$((load - 1))
    done
    simulate 60 -q --trace "$tmp/trace2" "$@" < /dev/null
    for p in $burners; do
        kill "$p"
        wait "$p" 2> /dev/null
    done
    burners=
    ended 0 || return 0
    if ! [ -s "$tmp/trace1" ]; then
        fail "the trace is empty"
    elif ! cmp -s "$tmp/trace1" "$tmp/trace2"; then
        fail "the traces differ: $(cmp "$tmp/trace1" "$tmp/trace2" | sed 's/.*differ: //')"
    elif ! cmp -s "$tmp/raw1" "$tmp/raw"; then
        fail "the outputs differ"
    else
        pass
    fi
    rm -f "$tmp/trace1" "$tmp/trace2"
}

# engines NAME ARGUMENT...: with the shortcuts into the engine and without them, the same trace and output, byte by byte.
engines() {
    begin "$1" || return 0
    shift
    simulate 60 -q --trace "$tmp/trace1" "$@" < /dev/null
    status1=$status
    cp "$tmp/raw" "$tmp/raw1"
    simulate 120 -q --plain-engine --trace "$tmp/trace2" "$@" < /dev/null
    if [ "$status" != "$status1" ]; then
        fail "status $status1, and $status"
    elif ! [ -s "$tmp/trace1" ]; then
        fail "the trace is empty"
    elif ! cmp -s "$tmp/trace1" "$tmp/trace2" || ! cmp -s "$tmp/raw1" "$tmp/raw"; then
        fail "the traces or the outputs differ: $(cmp "$tmp/trace1" "$tmp/trace2" | sed 's/.*differ: //')"
    else
        pass
    fi
    rm -f "$tmp/trace1" "$tmp/trace2"
}

engines engines-traps $guests/traps
engines engines-syscall $guests/syscall
engines engines-pagetables $guests/pagetables
engines engines-smp --vcpus 4 --pcpus 2 $guests/smp
engines engines-shootdown --vcpus 2 --pcpus 2 $guests/shootdown
engines engines-debugregs $guests/debugregs
engines engines-hostile --vcpus 2 --pcpus 2 --max-vtime 50ms --cmdline "seed=1" $guests/hostile

twice same-traps 0 $guests/traps
twice same-debugregs 0 $guests/debugregs
twice same-timer 0 $guests/timer
twice same-pagetables 0 $guests/pagetables
twice same-grants 0 $here/grants-owner.cfg $here/grants-user.cfg
twice same-reboot 0 $here/reboot.cfg $guests/suspend
twice same-smp 0 --vcpus 4 --pcpus 2 $guests/smp
twice same-clock 0 --vcpus 8 --pcpus 3 $guests/clock
twice same-under-load 3 $guests/hello $guests/timer $guests/rings

# ------------------------------------------------------------------------------------------------------------- GRUB --

# grub NAME IMAGE MEMORY: typed commands are executed, and "halt" ends it.
grub() {
    begin "$1" || return 0
    have "$assets/$2" || return 0
    printf 'echo hello world\nls\nset\nfoo=bar\necho "foo is $foo"\nnosuchcommand\nhalt\n' > "$tmp/in"
    simulate 60 -q --max-vtime 300s --memory "$3" "$assets/$2" < "$tmp/in"
    ended 0 && contains "grub>" "hello world" "(memdisk)" "grub_platform=xen" "foo is bar" "can't find command" && pass
}

for memory in 64 128 256 1024; do
    grub grub-x86_64-$memory grub-x86_64-xen.bin $memory
done
for memory in 64 128 256 1024; do
    grub grub-i386-$memory grub-i386-xen.bin $memory
done

# What was typed and not read before a reboot is there for the next domain.
if begin grub-reboot && have "$assets/grub-x86_64-xen.bin"; then
    printf 'echo first\nreboot\necho second\nhalt\n' > "$tmp/in"
    simulate 60 -q --max-vtime 300s --memory 64 --on-reboot restart "$assets/grub-x86_64-xen.bin" < "$tmp/in"
    ended 0 && contains "GNU GRUB" "first" "Welcome to GRUB!" "GNU GRUB" "second" && pass
fi

# ------------------------------------------------------------------------------------------------------------ Linux --

# linux_starts NAME KERNEL: the first page of its messages. Early ones come through the hypervisor's log, on standard
# error.
linux_starts() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/$2" || return 0
    simulate 300 -q --max-vtime 20s --memory 128 --cmdline "console=hvc0 earlyprintk=xen panic=1" \
        "$assets/$2" < /dev/null
    sed -n 's/^(d1) //p' "$tmp/err" | cat - "$tmp/out" > "$tmp/both" && mv "$tmp/both" "$tmp/out"
    contains "Linux version 6.1" "Command line: console=hvc0" "Hypervisor detected: Xen PV" "Xen version: 4.17.0" \
        "printk: console [hvc0] enabled" "Freeing SMP alternatives memory" && pass
}

# linux NAME KERNEL MEMORY: a shell, typed at; then poweroff. "6" * 7 tells an answer from the echo of the question.
linux() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/$2" "$assets/busybox" || return 0
    [ -r "$tmp/initrd" ] || scripts/mkinitrd.sh "$tmp/initrd" $assets/busybox
    {
        echo 'uname -a'
        echo 'grep -E "MemTotal|MemFree" /proc/meminfo'
        echo 'ps | grep -c .'
        echo 'i=0; while [ $i -lt 20 ]; do seq 100 | sort -n | tail -n 1 | cat > /dev/null; i=$((i + 1)); done'
        echo 'echo forks $((6 * 7))'
        echo 'seq 3000 | while read n; do echo $n; done | wc -l | sed s/^/lines:/'
        echo 'cat /sys/hypervisor/type'
        echo 'poweroff -f'
    } > "$tmp/in"
    simulate 300 -q --max-vtime 600s --memory "$3" --cmdline "console=hvc0" --ramdisk "$tmp/initrd" \
        "$assets/$2" < "$tmp/in"
    ended 0 || return 0
    contains "Linux version 6.1" "initrd#" "Linux (none) 6.1" "MemTotal:" "forks 42" "lines:3000" "xen" && pass
}

# linux_leave NAME TYPED: the end of the shell is the guest's, and no panic.
linux_leave() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/vmlinuz-cloud" "$assets/initrd" || return 0
    printf "$2" > "$tmp/in"
    simulate 300 -q --max-vtime 60s docs/examples/linux.cfg < "$tmp/in"
    ended 0 && contains "initrd#" "System halted" && pass
}

# linux_script NAME KERNEL MEMORY: the same without a keyboard, and with all messages complete and in order.
linux_script() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/$2" "$assets/busybox" || return 0
    echo 'for i in $(seq 2000); do echo "line $i of the output, which is to be complete"; done' > "$tmp/script"
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script"
    simulate 300 -q --max-vtime 600s --memory "$3" --cmdline "console=hvc0 quiet" --ramdisk "$tmp/initrd-script" \
        "$assets/$2" < /dev/null
    ended 0 || return 0
    seq 2000 | sed 's/.*/line & of the output, which is to be complete/' > "$tmp/lines"
    grep '^line ' "$tmp/out" > "$tmp/got"
    if cmp -s "$tmp/lines" "$tmp/got"; then
        pass
    else
        fail "the console's output is not complete and in order:"
        diff "$tmp/lines" "$tmp/got" | sed -n '1,10s/^/      /p'
    fi
}

# linux_smp NAME VCPUS PCPUS: all processors are found, work, go offline and come back; the time that others used is
# seen.
linux_smp() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/vmlinuz-cloud" "$assets/busybox" || return 0
    last=/sys/devices/system/cpu/cpu$(($2 - 1))/online
    cat > "$tmp/script" << END
echo nproc \$(nproc)
echo 0 > $last; echo offline \$(nproc)
echo 1 > $last; echo online \$(nproc)
for c in \$(seq 0 $(($2 - 1))); do
    taskset \$(printf %x \$((1 << c))) sh -c 'i=0; while [ \$i -lt 3000 ]; do i=\$((i + 1)); done; echo worked' &
done
wait
awk '/^cpu / { print (\$9 > 0 ? "stolen" : "nothing stolen") }' /proc/stat
END
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script"
    simulate 300 -q --max-vtime 600s --memory 256 --vcpus "$2" --pcpus "$3" --cmdline "console=hvc0" \
        --ramdisk "$tmp/initrd-script" "$assets/vmlinuz-cloud" < /dev/null
    ended 0 || return 0
    if [ "$2" -gt "$3" ]; then stolen=stolen; else stolen=; fi
    contains "nproc $2" "offline $(($2 - 1))" "online $2" worked worked $stolen "System halted" && pass
}

# linux_program PROGRAM KERNEL VCPUS PCPUS TEXT...: a program of ours runs on Linux, and prints all of the texts.
linux_program() {
    quick || return 0
    program=build/tests/guest/$1
    have "$assets/$2" "$assets/busybox" "$program" || return 0
    echo "$1" > "$tmp/script"
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script" "$program"
    simulate 300 -q --max-vtime 600s --memory 256 --vcpus "$3" --pcpus "$4" --cmdline "console=hvc0 quiet" \
        --ramdisk "$tmp/initrd-script" "$assets/$2" < /dev/null
    shift 4
    ended 0 && contains "$@" "System halted" && pass
}

# linux_torture NAME KERNEL VCPUS PCPUS: its processors agree on time, translations and code; see torture.c.
linux_torture() {
    begin "$1" || return 0
    n="on $3 processors: 0 mistakes"
    linux_program torture "$2" "$3" "$4" "torture: clock $n" "torture: fpu $n" "torture: tlb $n" "torture: bases $n" \
        "torture: code $n"
}

# linux_hwdebug NAME KERNEL VCPUS PCPUS: breakpoints follow the processes that have them; see hwdebug.c.
linux_hwdebug() {
    begin "$1" || return 0
    linux_program hwdebug "$2" "$3" "$4" \
        "hwdebug: $(($3 * 480)) traps in $(($3 * 4)) processes on $3 processors: 0 mistakes"
}

# linux_reboot NAME KERNEL MEMORY: Linux restarts itself, and then powers off. Only Xen's clock knows which time it is.
linux_reboot() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/$2" "$assets/busybox" || return 0
    echo 'if [ $(date +%s) -lt 1767225605 ]; then echo first boot; reboot -f; fi; echo second boot' > "$tmp/script"
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script"
    simulate 300 -q --max-vtime 60s --memory "$3" --on-reboot restart --cmdline "console=hvc0" \
        --ramdisk "$tmp/initrd-script" "$assets/$2" < /dev/null
    ended 0 && contains "Linux version 6.1" "first boot" "Restarting system" "Linux version 6.1" "second boot" && pass
}

# linux_many NAME COPIES ARGUMENT...: all of them boot on 2 pCPUs, work, and power off.
linux_many() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/vmlinuz-cloud" "$assets/busybox" || return 0
    copies=$2
    shift 2
    echo 'seq 2000 | sort -n | tail -n 1 | sed s/^/counted:/' > "$tmp/script"
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script"
    simulate 300 -q --max-vtime 600s --pcpus 2 --copies "$copies" --memory 128 --cmdline "console=hvc0 quiet" \
        --ramdisk "$tmp/initrd-script" "$@" "$assets/vmlinuz-cloud" < /dev/null
    ended 0 || return 0
    for d in $(seq "$copies"); do
        grep -q "^\[d$d\] counted:2000" "$tmp/out" && grep -q "^\[d$d\] .*System halted" "$tmp/out" || {
            fail "domain $d did not come to its end; what it said last:"
            grep "^\[d$d\]" "$tmp/out" | tail -n 5 | sed 's/^/      > /'
            return
        }
    done
    pass
}

# linux_maxvcpus NAME: vCPUs that the toolstack has announced as offline stay so.
linux_maxvcpus() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/vmlinuz-cloud" "$assets/busybox" || return 0
    echo 'echo nproc $(nproc) of $(cat /sys/devices/system/cpu/possible)' > "$tmp/script"
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script"
    cat > "$tmp/maxvcpus.cfg" << END
name = "maxvcpus"
kernel = "$assets/vmlinuz-cloud"
ramdisk = "$tmp/initrd-script"
extra = "console=hvc0"
memory = 128
vcpus = 2
maxvcpus = 4
END
    simulate 300 -q --max-vtime 600s --pcpus 2 "$tmp/maxvcpus.cfg" < /dev/null
    ended 0 && contains "nproc 2 of 0-3" "System halted" && pass
}

# linux_content NAME KERNEL VCPUS PCPUS: another kernel, which finds its processors, sees what they can do, and has no complaint.
linux_content() {
    begin "$1" || return 0
    quick || return 0
    have "$assets/$2" "$assets/busybox" || return 0
    cat > "$tmp/script" << 'END'
echo nproc $(nproc)
grep -m 1 '^flags' /proc/cpuinfo
dmesg | grep -E 'Call Trace|WARNING:|BUG:|Oops|unchecked MSR' | sed 's/^/complaint: /'
echo complaints: $(dmesg | grep -cE 'Call Trace|WARNING:|BUG:|Oops|unchecked MSR')
END
    scripts/mkinitrd.sh "$tmp/initrd-script" $assets/busybox "$tmp/script"
    simulate 300 -q --max-vtime 600s --memory 256 --vcpus "$3" --pcpus "$4" --cmdline "console=hvc0 quiet" \
        --ramdisk "$tmp/initrd-script" "$assets/$2" < /dev/null
    ended 0 && contains "nproc $3" " fsgsbase erms " "complaints: 0" "System halted" && pass
}

# quick: whether there is time for this one: with sanitizers, whose build often checks all of memory, for a few.
quick() {
    [ "$slowness" -gt 1 ] || return 0
    case $name in
    linux-cloud-128 | linux-console | linux-reboot | linux-maxvcpus | linux-smp-4-on-2) return 0 ;;
    esac
    skip "too slow with sanitizers"
    return 1
}

if begin assets-unknown; then
    status=0
    scripts/assets.sh grub nosuch > "$tmp/out" 2> "$tmp/err" || status=$?
    says 1 'there is no "nosuch", but grub, cloud, generic'
fi

# kernel_kept NAME KERNEL: unpacked afresh, unpacked and kept on disk, and taken from there: the same run, byte by byte.
kernel_kept() {
    begin "$1" || return 0
    have "$assets/$2" || return 0
    for cache in off on on; do
        (
            export XENLAB_CACHE=$cache XDG_CACHE_HOME="$tmp/cache"
            simulate 60 -q --memory 128 --max-vtime 20ms --trace "$tmp/trace" "$assets/$2" < /dev/null
            echo "$status" > "$tmp/status"
        )
        status=$(cat "$tmp/status")
        ended 3 || return 0
        cat "$tmp/raw" "$tmp/trace" | cksum >> "$tmp/sums"
    done
    if ! [ -s "$tmp/trace" ] || [ "$(find "$tmp/cache/xenlab" -type f | wc -l)" -ne 1 ]; then
        fail "nothing was traced, or nothing kept"
    elif [ "$(sort -u "$tmp/sums" | wc -l)" -ne 1 ]; then
        fail "the traces or the outputs differ"
    else
        pass
    fi
    rm -rf "$tmp/cache" "$tmp/sums" "$tmp/trace"
}
kernel_kept kernel-kept-xz vmlinuz-generic
linux_starts linux-starts-cloud vmlinuz-cloud
linux_starts linux-starts-generic vmlinuz-generic
for memory in 128 256 1024; do
    linux linux-cloud-$memory vmlinuz-cloud $memory
done
linux linux-generic-256 vmlinuz-generic 256
linux_script linux-console vmlinuz-cloud 128
linux_leave linux-leave-exit 'exit\n'
linux_leave linux-leave-poweroff 'poweroff\n'
linux_reboot linux-reboot vmlinuz-cloud 256
linux_many linux-8-domains 8
for sched in rr credit rtds; do
    linux_many linux-3-domains-$sched 3 --sched $sched
done
linux_maxvcpus linux-maxvcpus
linux_smp linux-smp-2-on-1 2 1
linux_smp linux-smp-4-on-2 4 2
linux_smp linux-smp-8-on-4 8 4
linux_smp linux-smp-64-on-16 64 16
linux_content linux-content-2 vmlinuz-cloud 2 2
linux_content linux-trixie-1 vmlinuz-trixie 1 1
linux_content linux-trixie-4-on-2 vmlinuz-trixie 4 2
linux_content linux-sid-1 vmlinuz-sid 1 1
linux_content linux-sid-2-on-1 vmlinuz-sid 2 1
linux_content linux-sid-4-on-2 vmlinuz-sid 4 2
linux_content linux-sid-8-on-4 vmlinuz-sid 8 4
linux_torture linux-torture-1-on-1 vmlinuz-cloud 1 1
linux_torture linux-torture-4-on-4 vmlinuz-cloud 4 4
linux_torture linux-torture-6-on-3 vmlinuz-cloud 6 3
linux_torture linux-torture-sid-4-on-2 vmlinuz-sid 4 2
linux_hwdebug linux-hwdebug-1-on-1 vmlinuz-cloud 1 1
linux_hwdebug linux-hwdebug-2-on-2 vmlinuz-cloud 2 2

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
