#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# man3.sh HEADER VERSION: a manual page, libxenlab(3), on standard output, made of what the header says: its head is the
# description, each comment explains the declarations that follow it, and /* --- a line like this --- */ is a heading.
set -eu

awk -v version="$2" '
function escape(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    if (s ~ /^[.'"'"']/)
        s = "\\\\&" s
    return s
}
function filled(s) {   # a line of text; what is indented is shown as it is
    sub(/^ \* ?/, "", s)
    if (s ~ /^    /) {
        if (!verbatim) { print ".PP"; print ".nf"; verbatim = 1 }
        print escape(s)
    } else {
        if (verbatim) { print ".fi"; verbatim = 0 }
        print s == "" ? ".PP" : escape(s)
    }
}
function declared() {  # the declarations so far
    if (code != "") {
        printf ".PP\n.nf\n\\fB%s\\fP\n.fi\n", code
        code = ""
    }
}
function close_text() {
    if (verbatim) { print ".fi"; verbatim = 0 }
}
BEGIN {
    print ".TH LIBXENLAB 3 \"\" \"xenlab " version "\" \"Library functions\""
    print ".SH NAME\nlibxenlab \\- a machine with a hypervisor, in a program\n.SH SYNOPSIS\n.nf"
    print "#include <xenlab/xenlab.h>\n\ncc ... $(pkg\\-config \\-\\-cflags \\-\\-libs xenlab)\n.fi\n.SH DESCRIPTION"
}
NR == 1 || /^#|^extern "C"|^}$/ && !in_code { next }
/^\/\* --- .* --- \*\/$/ {
    declared()
    sub(/^\/\* --- /, ""); sub(/ --- \*\/$/, "")
    print ".SH " toupper(escape($0)); next
}
/^\/\*$/ { declared(); print ".PP"; in_comment = 1; next }
in_comment && /^ \*\/$/ { in_comment = 0; close_text(); next }
in_comment { filled($0); next }
/^\/\* .*\*\/$/ {
    declared()
    sub(/^\/\* /, ""); sub(/ \*\/$/, "")
    print ".PP\n" escape($0); next
}
/^\/\* / { declared(); print ".PP"; in_comment = 2; sub(/^\/\* /, ""); print escape($0); next }
/^$/ { if (code != "" && !in_code) declared(); next }
{
    in_code = /^(struct|enum) .*\{/ ? 1 : /^};/ ? 0 : in_code
    code = code (code == "" ? "" : "\n") escape($0)
}
END {
    declared()
    print ".SH SEE ALSO\n.BR xenlab (1),\n.BR xenlab\\-run (1),\n.BR xenlab\\-ctl (1)"
}' "$1"
