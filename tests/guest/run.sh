#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh [PATTERN...]: run whole guests in the simulator, each as a *.test file here says. With patterns (or in $GUEST),
# only the cases or files whose names fit one.
set -f

exec scripts/judge.sh tests/guest "$@" ${GUEST:-}
