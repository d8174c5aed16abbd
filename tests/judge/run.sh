#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh: whether scripts/judge.sh, scripts/traces.sh and scripts/test.sh notice what they are there to notice. No guest
# is run: a small script takes the place of xenlab, and says what it is told to; others that of tests.
#
# Concept: there is one test that uses every key, and a program that does all it expects. Then one thing after the other
# is made wrong, in the test file or in what the program does, and the verdict must be the one that belongs to it, with
# words that say what was wrong.
set -uf

passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset GOLDEN GUEST V VTIME
export FAKE="$tmp/fake" XENLAB="$tmp/xenlab"

# ------------------------------------------------------------------------------------- the program, and a whole test --

cat > "$XENLAB" << 'END'
#!/bin/sh
n=1 trace=
for a in "$@"; do
    case $a in
    --twice) n=2 ;;
    */trace*) trace=$a ;;
    *) printf '[%s]' "${a##*/}" ;;
    esac
done
echo "${COLOUR:-}"
cat - "${a%/*}/a.cfg"
cat "$FAKE/out$n"
cat "$FAKE/err" >&2
[ -z "$trace" ] || cp "$FAKE/trace$n" "$trace"
exit $(cat "$FAKE/status")
END
chmod +x "$XENLAB"
mkdir "$tmp/tests" "$tmp/tests/expected"
golden=$tmp/tests/expected/whole-one.out

# anew: all is as it should be.
anew() {
    rm -rf "$FAKE"
    mkdir "$FAKE"
    printf 'first line\nsecond line  pfn 7  mfn 0x12\nmaybe\n' | tee "$FAKE/out1" > "$FAKE/out2"
    printf 'a warning\n  exits   12 in all\n  calls   8\n' > "$FAKE/err"
    printf '{"event":"x"}\n' | tee "$FAKE/trace1" > "$FAKE/trace2"
    echo 3 > "$FAKE/status"
    cp "$tmp/golden" "$golden"
    cat > "$tmp/tests/whole.test" << 'END'
# A test that uses every key.
case: whole-one  word=bar number=2 more='a "b c"'
sanitizers: number=3
needs: Makefile
file a.cfg:
    name = "@word@"

    end
input:
    typed $HOME
stdin: pipe
limit: 50ms
seconds: 9
trace: yes
run: COLOUR=red @more@ @dir@/a.cfg
again: --twice
status: 3
output: golden
says:
    first
    /^se.ond/
says anywhere: first
never says: panic
message: warning
count: 2 line
message count: <= 3 /^/
stat: exits + calls <= @number@ * 10
same: output trace
check:
    grep -q bar $out1 || echo "no bar"
END
}
cat > "$tmp/golden" << 'END'
[run][-q][--max-vtime][50ms][--trace][--stats][a][b c][a.cfg]red
typed $HOME
name = "bar"

end
first line
second line  pfn ?  mfn ?
maybe
END
sed -i 's/\[--trace\]\[--stats\]/[--trace][--stats]/' "$tmp/golden"

# verdict NAME STATUS LINE... : what the judge says now. LINE is a word of the verdicts, or a text among its lines.
verdict() {
    name=$1 expected=$2
    shift 2
    status=0
    scripts/judge.sh "$tmp/tests" > "$tmp/said" 2>&1 || status=$?
    tell "$@"
}

# tell LINE...: whether $status is $expected, and $tmp/said has each line.
tell() {
    why=
    [ "$status" -eq "$expected" ] || why="status $status instead of $expected"
    for text in "$@"; do
        grep -qF -e "$text" "$tmp/said" || why="it does not say: $text"
    done
    if [ -z "$why" ]; then
        passed=$((passed + 1))
        echo "PASS  $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name: $why"
        sed 's/^/      > /' "$tmp/said"
    fi
}

# file_wrong NAME SED TEXT: with the test file changed so, there is an error with this text, and no pass.
file_wrong() {
    anew
    sed -i "$2" "$tmp/tests/whole.test"
    verdict "file-$1" 2 "ERROR " "$3" "0 passed, 0 failed, 1 errors, 0 skipped"
}

# fails NAME TEXT: with what was just done to the program, the test fails with this text. in_error NAME TEXT: is in
# error.
fails() { verdict "$1" 1 "FAIL  whole-one: " "$2" "0 passed, 1 failed, 0 skipped"; }
in_error() { verdict "$1" 2 "ERROR whole-one: " "$2" "0 passed, 0 failed, 1 errors, 0 skipped"; }
edit() {
    anew
    sed -i "$2" "$FAKE/$1"
}
edit_test() {
    anew
    sed -i "$1" "$tmp/tests/whole.test"
}

anew
verdict whole 0 "PASS  whole-one" "1 passed, 0 failed, 0 skipped"

# --------------------------------------------------------------------------------------- what the guest does wrong --

anew; echo 0 > "$FAKE/status"; fails status "expected status 3, got 0"
anew; echo 2 > "$FAKE/status"; fails status-crash "expected status 3, got 2"
anew; echo 1 > "$FAKE/status"; in_error not-started "not started (status 1)"
anew; echo 99 > "$FAKE/status"; in_error sanitizer "a sanitizer's finding"
anew; echo 139 > "$FAKE/status"; in_error died "ended with status 139"
edit_test 's/seconds: 9/seconds: 0.1/'; verdict seconds-fraction 2 "seconds: expected a number"
edit_test 's/seconds: 9/seconds: 1/'; sed -i '2i sleep 3' "$XENLAB"; in_error hangs "took longer than 1 s"; sed -i 2d "$XENLAB"
edit_test 's/^limit.*/&\nload: 2/'; verdict load 0 "PASS  whole-one"
edit out1 's/maybe/perhaps/'; fails output "+perhaps"
edit out1 3d; fails output-short "-maybe"
edit_test 's/golden/nothing/'; fails output-nothing "expected no output"
edit_test '/^output/d; s/^    first/    fist/'; fails says "expected in the output: fist"
edit_test '/^output/d; s/^    first/    second/'; fails says-order "expected in the output, below line 7: /^se.ond/"
edit_test '/^output/d; s/^    .^se.ond/    \/^line/'; fails says-start "expected in the output"
edit_test 's/anywhere: first/anywhere: third/'; fails says-anywhere "expected in the output: third"
edit_test 's/panic/maybe/'; fails never-says 'must not have "maybe", but line 8 is: maybe'
edit_test 's/message: warning/message: warming/'; fails message "expected among the messages: warming"
edit_test 's/count: 2 line/count: 3 line/'; fails count 'expected == 3 lines with "line", got 2'
edit_test 's/count: 2 line/count: >= 3 line/'; fails count-least "expected >= 3 lines"
edit_test 's/count: 2 line/count: <= 1 line/'; fails count-most "expected <= 1 lines"
edit_test 's/count: <= 3/count: <= 2/'; fails message-count 'expected <= 2 lines with "/^/", got 3'
edit err 's/12 in all/13 in all/'; fails stat "expected exits + calls <= 20, got 21"
edit out2 '3s/$/ not/'; sed -i '/^output/d' "$tmp/tests/whole.test"; fails same-output "runs 1 and 2 differ in their output"
edit trace2 's/x/y/'; fails same-trace "runs 1 and 2 differ in their trace"
anew; : > "$FAKE/trace1"; : > "$FAKE/trace2"; fails same-nothing "the trace of run 1 is empty"
edit_test '/^output/d; s/word=bar/word=beer/'; fails check "no bar"

# ------------------------------------------------------------------------------------- what cannot be asked of it --

edit err /calls/d; in_error stat-unknown 'the statistics have no "calls"'
anew; rm "$golden"; in_error golden-missing "whole-one.out is not there (GOLDEN=write makes it)"
edit_test 's/grep -q.*/false/'; in_error check-silent "the check ended with status 1"
edit_test 's/anywhere: first/anywhere: \/(\//'; in_error expression "( is no regular expression"
edit_test 's/never says: panic/never says: \/(\//'; in_error expression-never "( is no regular expression"
edit_test 's/count: 2 line/count: 2 \/(\//'; in_error expression-count "( is no regular expression"
edit_test 's/needs: Makefile/needs: no-such-file/'
verdict needs 0 "SKIP  whole-one: no-such-file is not there" "0 passed, 0 failed, 1 skipped"
edit_test 's/needs: Makefile/initrd: no-such-program/'
if [ -r build/assets/busybox ]; then in_error initrd "cannot be made"; fi

at="$tmp/tests/whole.test"
file_wrong key 's/^status/statos/' "$at:17: unknown key \"statos\""
file_wrong no-key 's/^status:/status/' "$at:17: expected \"key: ...\""
file_wrong twice 's/^status.*/&\n&/' "$at:18: status: is there already, in line 17"
file_wrong no-value 's/^status.*/status:/' "status: nothing follows"
file_wrong status-word 's/^status.*/status: zero/' "$at:17: status: expected a number, got \"zero\""
file_wrong limit 's/50ms/50/' "limit: expected a time"
file_wrong stdin 's/: pipe/: tube/' "stdin: expected file, pipe or null"
file_wrong load "s/^limit.*/&\nload: heavy/" "load: expected a number"
file_wrong trace 's/trace: yes/trace: no/;s/^same.*/same: output/' "trace: expected yes"
file_wrong output 's/golden/gold/' "output: expected golden or nothing"
file_wrong same 's/^same.*/same: result/' "same: expected output, trace, or both"
file_wrong same-one '/^again/d' "same: takes two runs"
file_wrong count 's/count: 2 line/count: two lines/' "count: expected [<= or >=] NUMBER TEXT"
file_wrong stat 's/<= @number@/< @number@/' "stat: expected NAME <= NUMBER"
file_wrong run '/^run/d;/^again/d' "nothing is run"
file_wrong again '/^run/d' "again: there is no run before it"
file_wrong command 's/^again.*/command: true/' "command: there is a run already"
file_wrong quote "s/a.cfg\$/'a.cfg/" "run: a quote is not closed"
file_wrong block 's/^check:/check: true/' "check: takes a block"
file_wrong block-missing '/^    grep/d' "check: no indented lines follow"
file_wrong block-stray '1i\    stray' "$at:1: an indented line, but no key above it"
file_wrong block-tab 's/^    end/\tend/' "blocks are indented by four spaces"
file_wrong block-both 's/^says:/says: first/' "says: takes a text, or indented lines"
file_wrong text-empty 's/^    first/    /' "an empty text is in every output"
file_wrong file-name 's/^file a.cfg:/file:/' "file: has no name"
file_wrong variable 's/@word@/@wort@/' "@wort@ is no variable of case \"whole-one\""
file_wrong variable-unused 's/@word@/bar/' "$at:2: variable \"word\" is not used"
file_wrong variable-given 's/word=bar/name=bar word=bar/' "name: is given by the judge"
file_wrong variable-form 's/word=bar/word/' "expected VARIABLE=VALUE, got \"word\""
file_wrong case-twice '2{p}' "case \"whole-one\": is there already"
file_wrong case-name 's/whole-one/whole\/one/' "is no name"
file_wrong sanitizers 's/^sanitizers.*/sanitizers: never/' "sanitizers: expected skip, only CASE"
file_wrong sanitizers-case 's/^sanitizers.*/sanitizers: only other/' "there is no case \"other\""
anew
printf 'run: x\nnever says: panic\n' > "$tmp/tests/whole.test"
verdict file-expects-nothing 2 "nothing is expected, so this test cannot fail"
anew
: > "$tmp/tests/whole.test"
verdict file-empty 2 "nothing is run"
anew
cp "$at" "$tmp/tests/zweite.test"
verdict name-twice 2 "PASS  whole-one" "another file has a case of this name" "1 passed, 0 failed, 1 errors, 0 skipped"
rm "$tmp/tests/zweite.test"

# With sanitizers (a program below asan/), other numbers, or other cases.
anew
mkdir "$tmp/asan"
cp "$XENLAB" "$tmp/asan/xenlab"
XENLAB=$tmp/asan/xenlab
edit err 's/12 in all/22 in all/'; verdict sanitizers-number 0 "PASS  whole-one"
edit_test 's/^sanitizers.*/sanitizers: skip/'; verdict sanitizers-skip 0 "SKIP  whole-one: too slow with sanitizers" "0 passed, 0 failed, 1 skipped"
edit_test 's/^sanitizers.*/sanitizers: only whole-one/'; verdict sanitizers-only 0 "PASS  whole-one"
XENLAB=$tmp/xenlab

# A part of the judge that does not come to its end, and how many parts there are makes no difference.
anew
JOBS=1 verdict part-alone 0 "PASS  whole-one" "1 passed, 0 failed, 0 skipped"
JOBS=7 verdict parts-many 0 "PASS  whole-one" "1 passed, 0 failed, 0 skipped"
edit_test 's/^    grep -q.*/    kill $PPID/'; verdict part-dies 2 "of the judge died"

# Commands that are no run, and what is written anew.
anew
printf 'command: false\nstatus: 0\n' > "$at"
verdict command 1 "expected status 0, got 1"
anew
printf 'command: no-such-command\nstatus: 0\n' > "$at"
verdict command-missing 2 "cannot be run"
edit out1 's/maybe/perhaps/'; cp "$FAKE/out1" "$FAKE/out2"
GOLDEN=write; export GOLDEN
verdict golden-written 0 "PASS  whole-one"
unset GOLDEN
verdict golden-stays 0 "PASS  whole-one"

# ------------------------------------------------------------------------------------------- the guests' own tests --

# Every expected output is that of a case, and no test file is passed over.
name=expected-files expected=0 status=0
set +f
for file in $(find tests/guest -name '*.test'); do
    s=${file#tests/guest/}
    awk -v file="$file" -v stem="$(echo "${s%.test}" | tr / -)" -v tmp=. -v slow=0 -f scripts/judge.awk "$file"
done | awk -F "'" '/^begin/ { name = $2 } /^fault/ { print } /^ *golden/ { print name ".out" }' | sort -u > "$tmp/golden-cases"
(cd tests/guest/expected && ls) | sort | diff - "$tmp/golden-cases" > "$tmp/said" 2>&1 || status=$?
tell

# traces NAME STATUS TEXT...: of this program and a changed one, running one small test.
traces() {
    name=traces-$1 expected=$2
    shift 2
    status=0
    scripts/traces.sh "$tmp/xenlab" "$tmp/other" idle > "$tmp/said" 2>&1 || status=$?
    tell "$@"
}
cat > "$tmp/xenlab" << 'END'
#!/bin/sh
while [ "$1" != --trace ]; do shift; done
printf 'one\ntwo\n' > "$2"
echo says
END
cp "$tmp/xenlab" "$tmp/other"
traces same 0 "1 runs compared" "0 differ"
sed -i 's/two/three/' "$tmp/other"; traces event 1 "DIFF  idle, run 1: trace" "trace, line 2:" "old: two" "new: three"
cp "$tmp/xenlab" "$tmp/other"
sed -i 's/says/said/' "$tmp/other"; traces output 1 "out, line 1:"
cp "$tmp/xenlab" "$tmp/other"
echo 'exit 3' >> "$tmp/other"; traces status 1 "old: status 0" "new: status 3"
echo 'exit 139' > "$tmp/other"; traces died 2 "status 139"
rm "$tmp/other"; traces missing 2 "is no program"

# ------------------------------------------------------------------------------------------------- tests together --

# put NAME LINE...: a unit test t/NAME, or a harness if it is NAME.sh, of which these are the lines.
mkdir -p "$tmp/tree/t" "$tmp/h/guest" "$tmp/h/bad/guest"
put() {
    at=$tmp/tree/t/$1
    case $1 in
    *.sh) at=$tmp/h/$1 ;;
    esac
    shift
    { echo '#!/bin/sh' && printf '%s\n' "$@"; } > "$at" && chmod +x "$at"
}
# units NAME STATUS TEST... -- LINE...: what test.sh says of these tests.
units() {
    name=test-$1 expected=$2 status=0 tests=
    shift 2
    while [ "$1" != -- ]; do
        case $1 in
        *.sh) tests="$tests $tmp/h/$1" ;;
        *) tests="$tests t/$1" ;;
        esac
        shift
    done
    shift
    scripts/test.sh "$tmp/tree" $tests > "$tmp/said" 2>&1 || status=$?
    tell "$@"
}
put good 'echo "[==========] 2 test(s) run."; echo "[  PASSED  ] 2 test(s)."'
put bad 'echo why; echo "[  PASSED  ] 1 test(s)."; echo "[  SKIPPED ] 3 test(s), listed below:"' \
    'echo "[  FAILED  ] 1 test(s), listed below:"; exit 1'
put good.sh 'echo "PASS  x"; echo "5 passed, 0 failed, 4 skipped"'
put bad.sh 'echo "FAIL  y"; echo "1 passed, 2 failed, 3 errors"; exit 2'
put guest/run.sh 'echo "PASS  guest"; echo "7 passed, 0 failed"'
put bad/guest/run.sh 'echo "7 passed, 0 failed"; exit 3'
units units 0 good -- "[==========] 2 test(s) run." "== t/good: 2 passed, 0 failed, 0 skipped (" "2 passed, 0 failed"
units unit-fails 1 good bad -- why "== t/bad: 1 passed, 1 failed, 3 skipped (" "3 passed, 1 failed, 3 skipped"
units harness 0 good.sh -- "PASS  x" "good.sh: 5 passed, 0 failed, 4 skipped (" "5 passed, 0 failed, 4 skipped"
units harness-fails 1 bad.sh good -- "FAIL  y" "bad.sh: 1 passed, 2 failed, 3 errors, 0 skipped (" \
    "3 passed, 2 failed, 3 errors"
units guests 0 guest/run.sh good -- "PASS  guest" "guest/run.sh: 7 passed, 0 failed, 0 skipped (" "9 passed, 0 failed"
units guests-die 1 bad/guest/run.sh -- "run.sh: FAILED: ended with status 3" "7 passed, 1 failed"
for test in silent silent.sh bad/guest/run.sh; do
    put "$test" true
    units "silence-$test" 1 good "$test" -- "FAILED: reported no test" "2 passed, 1 failed"
    put "$test" 'echo "[  PASSED  ] 1 test(s)."; echo "1 passed, 0 failed"; kill -KILL $$'
    units "dies-$test" 1 good "$test" -- "FAILED: ended with status 137" "3 passed, 1 failed"
    put "$test" 'exit 99'
    units "sanitizer-$test" 1 good "$test" -- "FAILED: a sanitizer's finding" "2 passed, 1 failed"
done
units missing 1 good no-such.sh no-such -- "no-such.sh: FAILED" "t/no-such: FAILED" "2 passed, 2 failed"
# Two that wait for each other: unless both run at the same time, neither ends. Guests come when all others are over.
mkfifo "$tmp/there" "$tmp/back"
put meets "read -r x < $tmp/there; echo \$x > $tmp/back; touch $tmp/met" 'echo "[  PASSED  ] 1 test(s)."'
put meets.sh "echo you > $tmp/there; read -r x < $tmp/back; [ \$x = you ] && echo '1 passed, 0 failed'"
put guest/run.sh "[ -e $tmp/met ] && echo '1 passed, 0 failed'"
JOBS=2 TEST_TIMEOUT=60 units together 0 guest/run.sh meets meets.sh -- "3 passed, 0 failed"
rm "$tmp/met"
JOBS=1 units one-after-the-other 0 good good.sh good -- "== t/good: 2 passed" "9 passed, 0 failed, 4 skipped"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
