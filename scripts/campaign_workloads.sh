#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_workloads.sh [GUEST...]: what each toy guest does for 300 ms of virtual time becomes a workload of schedulers
# and one of rings, and these run: with credit2, as the guests' pCPUs had, and with event, as their drivers have it.
#
# Concept: a workload of a recorded run is read, runs to its end, and its expectations say how far run and model agree.
# Wrong is a workload that cannot be made, but for a trace without rings, or that does not run; one whose expectations
# are lost disagrees, which is counted and named. The status is 0 if nothing is wrong.
set -eu

: "${XENLAB:=./xenlab}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
tried=0 ringless=0 agree=0 disagree=0 wrong=0

bad() {
    wrong=$((wrong + 1))
    echo "$1: $2"
    tail -n 3 "$tmp/said" | sed 's/^/  | /'
}

# model KIT POLICY NAME
model() {
    tried=$((tried + 1))
    if ! "$XENLAB" kit workload from-trace "$tmp/trace" --kit "$1" -o "$tmp/workload" > "$tmp/said" 2>&1; then
        if [ "$1" = ring ] && grep -q 'has no record "ring"' "$tmp/said"; then
            ringless=$((ringless + 1))
        else
            bad "$3, $1" "no workload is made"
        fi
        return
    fi
    status=0
    "$XENLAB" kit "$1" --policy "$2" --workload "$tmp/workload" > "$tmp/said" 2>&1 || status=$?
    case $status in
    0) agree=$((agree + 1)) ;;
    4)
        disagree=$((disagree + 1))
        echo "$3, $1: run and model disagree"
        sed -n 's/^ *LOST/  | LOST/p' "$tmp/said"
        ;;
    *) bad "$3, $1" "the workload does not run (status $status)" ;;
    esac
}

[ $# -gt 0 ] || set -- build/guests/*
for guest in "$@"; do
    [ -f "$guest" ] && [ "$(head -c 4 "$guest" | tail -c 3)" = ELF ] || continue
    case $guest in
    *.o | *.native) continue ;;
    esac
    status=0
    "$XENLAB" run -q --trace "$tmp/trace" --max-vtime 300ms --memory 8 "$guest" > "$tmp/said" 2>&1 < /dev/null || status=$?
    if [ "$status" -gt 3 ] || [ "$status" = 1 ]; then
        bad "$guest" "it was not run (status $status)"
        continue
    fi
    model sched credit2 "$guest"
    model ring event "$guest"
done
echo "$tried workloads: $agree agree with the run, $disagree do not, $ringless have no ring, $wrong times something was wrong"
[ "$wrong" -eq 0 ] && [ "$tried" -gt "$ringless" ]
