#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# campaign_memtest.sh [TIME]: Debian's memtest86+ from its CD in an HVM guest, for so much virtual time (240s, which is
# enough for a whole pass): does it find the memory good? $XENLAB is the program (./xenlab).
#
# When could this pass wrongly? If it had tested nothing: so the pass must come to its end, or, with less time, to its
# seventh test.
set -eu

time=${1:-}
: "${XENLAB:=./xenlab}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

cat > "$dir/pc.cfg" << END
type = "hvm"
memory = 24
disk = [ "$PWD/build/assets/memtest86+x64.iso,,hdc,cdrom" ]
boot = "d"
END
"$XENLAB" run -q --max-vtime "${time:-240s}" "$dir/pc.cfg" < /dev/null > "$dir/says" 2>&1 || [ $? = 3 ]
sign='Test #6 '
[ -n "$time" ] || sign='Pass: *1 '
grep -q "$sign" "$dir/says" || { echo "memtest: it has not come to \"$sign\""; tail -5 "$dir/says"; exit 1; }
! grep 'Errors: *[1-9]' "$dir/says" || exit 1
echo "memtest: $(grep -c 'Test #' "$dir/says") lines of tests, no errors"
