#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench_compare.sh BASE [NOW]: what became of the figures of a stored run of bench.sh. Of each the ratio, 2 for twice as
# fast or half as large, 0.5 for half as fast or twice as large; worst first. Status 1 if one is worse by more than
# noise. With BASE alone: whether that is such a run.
#
# Concept: noise is what the same program differs by from itself. Times of a machine that is used for other things as
# well move by a fifth, so that is what passes for the same; memory hardly moves at all. THRESHOLD=50 takes half as much
# again for the same.
set -eu
: "${THRESHOLD:=20}"
case $THRESHOLD in
'' | *[!0-9]* | ?????*)
    echo "bench: THRESHOLD=$THRESHOLD: should be a number of percent, such as 20" >&2
    exit 1
    ;;
esac

nr=$#
while [ "$nr" -gt 0 ]; do
    file=$1
    nr=$((nr - 1))
    shift
    why=
    [ -r "$file" ] || why="cannot be read"
    [ -f "$file" ] || why="is no file"
    [ -n "$why" ] || [ -s "$file" ] || why="is empty"
    [ -z "$why" ] || {
        echo "bench: $file $why: a stored run is what \`make bench > FILE\` has written" >&2
        exit 1
    }
    # awk would take "-" for standard input, and a=b for an assignment.
    case $file in
    /*) set -- "$@" "$file" ;;
    *) set -- "$@" "./$file" ;;
    esac
done

awk -v threshold="$THRESHOLD" '
    function complain(why) {
        print "bench: " FILENAME ":" FNR ": " why > "/dev/stderr"
        broken = 1
    }
    # The value of a key of the line, without quotes; "" if it is not there.
    function of(key,   text) {
        if (!match($0, "\"" key "\": (\"[^\"]*\"|[^,}]*)")) return ""
        text = substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 4)
        gsub(/"/, "", text)
        return text
    }
    # Is more of it better? -1: unknown.
    function more_is_better(unit) {
        if (unit ~ /\/s$/ || unit == "times") return 1
        return unit ~ /^(ns|us|ms|s|MiB|instructions|hypercalls|exits|count)$/ ? 0 : -1
    }

    FNR == 1 { nr_files++ }
    # What make itself says when it has something to build, or to report.
    /^  [A-Z]+ +[^ ]+$/ || /^make(\[[0-9]+\])?: / { next }
    !/^\{"name": "[^"]+", "value": -?[0-9.]+([eE][-+]?[0-9]+)?, "unit": "[^"]+", "runs": [0-9]+\}$/ {
        gsub(/[^ -~]/, "?")
        complain("not a figure such as {\"name\": \"x\", \"value\": 1, \"unit\": \"1/s\", \"runs\": 5}: " substr($0, 1, 60))
        next
    }
    {
        name = of("name")
        if ((nr_files, name) in value) {
            complain("\"" name "\" for the second time: is this more than one run?")
            next
        }
        value[nr_files, name] = of("value") + 0
        unit[nr_files, name] = of("unit")
        if (more_is_better(of("unit")) < 0) complain("\"" name "\": whether more " of("unit") " is better is not known here")
        if (nr_files == 1) base[++nr_base] = name
        else now[++nr_now] = name
    }

    END {
        if (!broken && !nr_base) {
            print "bench: " ARGV[1] ": holds no figures" > "/dev/stderr"
            broken = 1
        }
        if (broken) exit 1
        if (ARGC == 2) exit 0
        if (!nr_now) {
            print "bench: " ARGV[2] ": holds no figures" > "/dev/stderr"
            exit 1
        }
        memory = (threshold > 5) ? 5 : threshold
        for (i = 1; i <= nr_now; i++) {
            name = now[i]
            if (!((1, name) in value)) {
                print "only now        " name
                continue
            }
            was = value[1, name]; is = value[2, name]; u = unit[2, name]
            if (u != unit[1, name] || was <= 0 || is <= 0) {
                printf "not comparable  %s: %.6g %s, and now %.6g %s\n", name, was, unit[1, name], is, u
                continue
            }
            ratio = more_is_better(u) ? is / was : was / is
            limit = 1 + (u == "MiB" ? memory : threshold) / 100
            verdict = ratio * limit < 1 ? "worse" : ratio > limit ? "better" : "same"
            count[verdict]++
            line = sprintf("%8.2f %-6s %s: %.6g -> %.6g %s", ratio, verdict, name, was, is, u)
            for (j = ++nr_lines; j > 1 && ratios[j - 1] > ratio; j--) {
                ratios[j] = ratios[j - 1]
                lines[j] = lines[j - 1]
            }
            ratios[j] = ratio
            lines[j] = line
        }
        for (i = 1; i <= nr_lines; i++) print lines[i]
        for (i = 1; i <= nr_base; i++)
            if (!((2, base[i]) in value)) print "only in base    " base[i]
        printf "%d worse, %d better, %d the same (within %d %%, memory within %d %%)\n", count["worse"], count["better"],
            count["same"], threshold, memory
        exit (count["worse"] > 0)
    }' "$@"
