# SPDX-License-Identifier: GPL-2.0-or-later
#
# judge.awk: translate one test file (tests/guest/README.md has the format) into calls of the shell functions of judge.sh,
# a chain a case: "begin NAME && needs FILE && ... && launch run -- ARGUMENT... && ended 0 && says TEXT && pass".
#
# Concept: a file is read whole, as entries {key, line, text, block}; then it is checked; then it is written out once for each case,
# with @variables@ replaced. Whatever is wrong with the file becomes a call of `fault`, and then nothing is run: a test that
# cannot be understood is an error, and no pass. Every text is quoted here, so that none of it is seen by the shell.
#
# Variables: file (its name), stem (of its cases), tmp (a folder a case below it), slow (1: with sanitizers).

BEGIN {
    # once/many, and what follows the key: "line", "block", "either" of the two, or "any" (both, one, or nothing).
    split("case many line|needs many line|file many block|input once either|stdin once line|initrd once any|limit once line|" \
        "seconds once line|load once line|trace once line|run many line|again many any|command many line|sanitizers once line|" \
        "status once line|output once line|says many either|says anywhere many either|never says many either|" \
        "message many either|count many line|message count many line|stat many line|same once line|check once block", list, "|")
    for (i in list) {
        shape = list[i]; sub(/.* /, "", shape)
        often = list[i]; sub(/ [a-z]*$/, "", often); k = often
        sub(/.* /, "", often); sub(/ [a-z]*$/, "", k)
        takes[k] = shape
        once[k] = often == "once"
    }
}

function q(text) { gsub(/'/, "'\\''", text); return "'" text "'" }
function fault(line, text) { text = file ":" line ": " text; if (!(text in told)) { told[text] = 1; complaint[++faults] = text } }

{ sub(/\r$/, "") }
/^    / { # a line of a block
    if (!n || takes[key[n]] == "line") { fault(NR, "an indented line, but no key above it that takes a block"); next }
    for (; blank > 0; blank--) block[n] = block[n] "\n"
    block[n] = block[n] substr($0, 5) "\n"
    next
}
/^[ \t]*$/ { if (n && block[n] != "") blank++; next }
/^#/ { blank = 0; next }
/^[ \t]/ { fault(NR, "blocks are indented by four spaces"); next }
{
    blank = 0
    if (!match($0, /^[a-z][a-z ]*( [A-Za-z0-9._-]+)?:/)) { fault(NR, "expected \"key: ...\", got \"" $0 "\""); next }
    k = substr($0, 1, RLENGTH - 1)
    rest = substr($0, RLENGTH + 1); gsub(/^[ \t]+|[ \t]+$/, "", rest)
    target = ""
    if (k ~ /^file /) { target = substr(k, 6); k = "file" }
    if (!(k in takes)) { fault(NR, "unknown key \"" k "\""); key[++n] = "again"; next } # whose block is not complained of
    if (once[k] && k in first) fault(NR, k ": is there already, in line " first[k])
    if (!(k in first)) first[k] = NR
    key[++n] = k; at[n] = NR; text[n] = rest; name[n] = target
}

# split_words TEXT: into word[1..]; quotes hold words together, and are taken away. Returns how many, or -1.
function split_words(line,   c, i, in_word, quote, count) {
    delete word
    count = 0
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (quote == "" && (c == " " || c == "\t")) { in_word = 0; continue }
        if (!in_word) { word[++count] = ""; in_word = 1 }
        if (quote != "" && c == quote) quote = ""
        else if (quote == "" && (c == "\"" || c == "'")) quote = c
        else word[count] = word[count] c
    }
    return quote == "" ? count : -1
}

# expand I, TEXT: with @variables@ replaced.
function expand(i, line,   out, v) {
    out = ""
    while (match(line, /@[a-z_]+@/)) {
        v = substr(line, RSTART + 1, RLENGTH - 2)
        used[v] = 1
        if (!(v in value)) fault(at[i], "@" v "@ is no variable of case \"" value["name"] "\"")
        out = out substr(line, 1, RSTART - 1) value[v]
        line = substr(line, RSTART + RLENGTH)
    }
    return out line
}

# assign FROM, COUNT, I: word[FROM..] of the form VARIABLE=VALUE.
function assign(from, count, i,   w, v, copy) {
    for (w = from; w <= count; w++) copy[w] = word[w]
    for (w = from; w <= count; w++) {
        if (!match(copy[w], /^[a-z_]+=/)) { fault(at[i], "expected VARIABLE=VALUE, got \"" copy[w] "\""); continue }
        v = substr(copy[w], 1, RLENGTH - 1)
        if (v == "name" || v == "dir" || v == "initrd") fault(at[i], v ": is given by the judge")
        value[v] = expand(i, substr(copy[w], RLENGTH + 1))
        declared[v] = at[i]
    }
}

# worded I, TEXT: split, or a fault.
function worded(i, line,   count) {
    count = split_words(line)
    if (count < 0) fault(at[i], key[i] ": a quote is not closed")
    return count
}
function add(call) { chain = chain " &&\n    " call }

function is_expectation(k) { return k ~ /^(status|output|says|says anywhere|message|count|message count|stat|same|check)$/ }

# What can be said of the file without knowing a case.
function check_shape(   i, runs, expects) {
    for (i = 1; i <= n; i++) {
        if (!at[i]) continue
        if (takes[key[i]] == "line" && text[i] == "") fault(at[i], key[i] ": nothing follows")
        if (takes[key[i]] == "block" && text[i] != "") fault(at[i], key[i] ": takes a block: indented lines below it")
        if (takes[key[i]] == "block" && text[i] == "" && block[i] == "") fault(at[i], key[i] ": no indented lines follow")
        if (takes[key[i]] == "either" && (text[i] == "") == (block[i] == ""))
            fault(at[i], key[i] ": takes a text, or indented lines below it")
        if (key[i] == "file" && name[i] == "") fault(at[i], "file: has no name (file NAME:)")
        if (key[i] == "again" && block[i] != "") fault(at[i], "again: takes no block")
        if (key[i] == "again" && !runs) fault(at[i], "again: there is no run before it")
        if (key[i] == "run") runs++
        if (key[i] ~ /^(run|again|command)$/) launches++
        if (is_expectation(key[i])) expects++
    }
    if (!launches) fault(NR, "nothing is run: there is neither run nor command")
    if (!expects && launches) fault(NR, "nothing is expected, so this test cannot fail")
    if (runs && "command" in first) fault(first["command"], "command: there is a run already")
    if (!runs && ("stat" in first || "trace" in first)) fault(NR, "statistics and traces are of runs")
    if ("same" in first && launches < 2) fault(first["same"], "same: takes two runs (again:)")
}

function take(i, line,   count, w, rest) {
    count = worded(i, expand(i, line))
    for (w = 1; w <= count; w++)
        if (word[w] ~ /^[A-Z_]+=[^ ]*$/ && rest == "") variables = variables " " q(word[w])
        else rest = rest " " q(word[w])
    return rest
}

# emit_launch I, KIND, LINE, OPTIONS: words of the form NAME=VALUE before all others are for the environment.
function emit_launch(i, kind, line, options,   rest) {
    variables = ""
    rest = take(i, line)
    rest = take(i, options) rest
    if (rest == "") fault(at[i], key[i] ": names nothing to run")
    add("launch " kind variables " --" rest)
}

# counted I, FUNCTION: "[OP] NUMBER TEXT".
function emit_count(i, call,   line, op, number) {
    line = expand(i, text[i])
    op = "=="
    if (match(line, /^(==|<=|>=) */)) { op = substr(line, 1, 2); line = substr(line, RLENGTH + 1) }
    if (!match(line, /^[0-9]+ +[^ ]/)) { fault(at[i], key[i] ": expected [<= or >=] NUMBER TEXT, got \"" text[i] "\""); return }
    number = line; sub(/ .*/, "", number); sub(/^[0-9]+ +/, "", line)
    add(call " " q(op) " " number " " q(line))
}

function emit_stat(i,   line, names, op, limit) {
    line = expand(i, text[i])
    if (!match(line, / (==|<=|>=) [0-9 +*()]+$/)) { fault(at[i], "stat: expected NAME <= NUMBER (or >=, ==), got \"" text[i] "\""); return }
    names = substr(line, 1, RSTART - 1); op = substr(line, RSTART + 1, 2); limit = substr(line, RSTART + 4)
    add("stat " q(names) " " q(op) " " q(limit))
}

function texts(i, call,   line, part, count, j) {
    line = text[i] != "" ? text[i] : substr(block[i], 1, length(block[i]) - 1)
    count = split(expand(i, line), part, "\n")
    for (j = 1; j <= count; j++) {
        if (part[j] == "") fault(at[i], key[i] ": an empty text is in every output")
        else add(call " " q(part[j]))
    }
}

# What is expected of every run.
function emit_expectations(   i, status) {
    status = setting("status", 0, "^[0-9]+$", "a number")
    add("ended " status)
    for (i = 1; i <= n; i++) {
        if (key[i] == "output") {
            if (text[i] == "golden") add("golden")
            else if (text[i] == "nothing") add("silent")
            else fault(at[i], "output: expected golden or nothing, got \"" text[i] "\"")
        } else if (key[i] == "says") texts(i, "says")
        else if (key[i] == "says anywhere") texts(i, "says_anywhere")
        else if (key[i] == "never says") texts(i, "never_says")
        else if (key[i] == "message") texts(i, "message")
        else if (key[i] == "count") emit_count(i, "count_output")
        else if (key[i] == "message count") emit_count(i, "count_messages")
        else if (key[i] == "stat") emit_stat(i)
    }
}

function once_value(k,   i) {
    for (i = 1; i <= n; i++) if (key[i] == k) return expand(i, text[i])
    return ""
}
function line_of(k) { return k in first ? first[k] : NR }

# setting KEY, DEFAULT, PATTERN, WHAT: its value, which must fit.
function setting(k, fallback, pattern, what,   v) {
    v = k in first ? once_value(k) : fallback
    if (v !~ pattern) fault(line_of(k), k ": expected " what ", got \"" v "\"")
    return v
}

# sanitized I: what "sanitizers:" says, when there are some. Returns whether the case is skipped.
function sanitized(i,   count, w) {
    count = worded(i, text[i])
    if (word[1] == "skip") return slow
    if (word[1] == "only") {
        for (w = 2; w <= count; w++) { mentioned[word[w]] = at[i]; if (word[w] == value["name"]) return 0 }
        return slow
    }
    if (slow || !checked_sanitizers++) { if (slow) assign(1, count, i); else for (w = 1; w <= count; w++)
        if (word[w] !~ /^[a-z_]+=/) fault(at[i], "sanitizers: expected skip, only CASE..., or VARIABLE=VALUE..., got \"" word[w] "\"") }
    return 0
}

function emit_case(i, title,   j, count, w, skipped, number, base) {
    delete value
    value["name"] = title; value["dir"] = tmp "/" title; value["initrd"] = tmp "/" title "/initrd"
    if (title !~ /^[A-Za-z0-9_.-]+$/) fault(i ? at[i] : 1, "\"" title "\" is no name: letters, digits, and - _ . are")
    if (title in cases) fault(at[i], "case \"" title "\": is there already")
    cases[title] = 1
    if (i) assign(2, worded(i, text[i]), i)
    chain = "begin " q(title)
    for (j = 1; j <= n; j++) if (key[j] == "sanitizers") skipped = sanitized(j)
    if (skipped) add("skip 'too slow with sanitizers'")
    for (j = 1; j <= n; j++) if (key[j] == "needs") {
        count = worded(j, expand(j, text[j]))
        for (w = 1; w <= count; w++) add("needs " q(word[w]))
    }
    add("settle limit=" q(setting("limit", "60s", "^([0-9]+(us|ms|s)|none)$", "a time, as 50ms or 60s, or none")) \
        " seconds=" setting("seconds", 20, "^[0-9]+$", "a number") " load=" setting("load", 0, "^[0-9]+$", "a number") \
        " stdin=" setting("stdin", "input" in first ? "file" : "null", "^(file|pipe|null)$", "file, pipe or null") \
        " traced=" ("trace" in first ? setting("trace", "", "^yes$", "yes") : once_value("same") ~ /trace/ ? "yes" : "") \
        " stats=" ("stat" in first ? "yes" : "") " runs=" launches)
    for (j = 1; j <= n; j++) {
        if (key[j] == "file") add("put " q(name[j]) " " q(expand(j, block[j])))
        if (key[j] == "input") add("type_in " q(expand(j, text[j] != "" ? text[j] "\n" : block[j])))
        if (key[j] == "initrd") {
            count = worded(j, expand(j, text[j]))
            number = "initrd " q(expand(j, block[j]))
            for (w = 1; w <= count; w++) number = number " " q(word[w])
            add(number)
            used["initrd"] = 1
        }
    }
    for (j = 1; j <= n; j++) {
        if (key[j] !~ /^(run|again|command)$/ || !at[j]) continue
        if (key[j] == "run") base = text[j]
        if (key[j] == "again") emit_launch(j, "run", base, text[j])
        else emit_launch(j, key[j], text[j], "")
        emit_expectations()
    }
    for (j = 1; j <= n; j++) {
        if (key[j] == "same") {
            count = worded(j, text[j])
            for (w = 1; w <= count; w++)
                if (word[w] ~ /^(output|trace)$/) add("same " word[w])
                else fault(at[j], "same: expected output, trace, or both, got \"" word[w] "\"")
        }
        if (key[j] == "check") add("check " q(expand(j, block[j])))
    }
    program = program chain " &&\n    pass\n"
}

END {
    check_shape()
    for (i = 1; i <= n && !faults; i++)
        if (key[i] == "case") { split_words(text[i]); emit_case(i, word[1]) }
    if (!faults && !("case" in first)) emit_case(0, stem)
    if (!faults) {
        for (v in declared) if (!(v in used)) fault(declared[v], "variable \"" v "\" is not used")
        for (v in mentioned) if (!(v in cases)) fault(mentioned[v], "sanitizers: there is no case \"" v "\"")
    }
    if (!faults) { printf "%s", program; exit }
    printf "fault"
    for (i = 1; i <= faults; i++) printf " %s", q(complaint[i])
    print ""
}
