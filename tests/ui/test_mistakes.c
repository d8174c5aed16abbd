// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hundred mistakes, on the command line and in files: each ends with the status that is documented and a message that
 * names the culprit, and none of them gets a control character to the terminal.
 *
 * Concept: tables. A command is run by the shell in a folder with all kinds of files ($X is the program), a
 * configuration is written to g.cfg, whose first line names a kernel. A program that dies or hangs has another status
 * than any of these. (`said` is the only state, since it is what all of them write to.)
 *
 * Budget: two tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/file.h"
#include "tests/support/leaks.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ESC          "$(printf '\\033[31m')" /* in a command */

#define AT_A_TIME 4
#define LEAKS_OF  8

static char said[1 << 16]; /* by the last command, on both outputs */

/* --- command lines --- */

static const struct mistake {
    const char *command;
    int status;
    const char *says; /* in one of its messages */
} commands[] = {
    /* no command, none known, none complete */
    { "$X", 1, "Try, in this order" },
    { "$X rnu hello", 1, "there is no command \"rnu\"; did you mean run?" },
    { "$X " ESC, 1, "there is no command \"?[31m\"" },
    { "$X ''", 1, "Usage: xenlab COMMAND" },
    { "$X run", 1, "which guest?" },
    { "$X run --stats", 1, "which guest?" },
    { "$X run --", 1, "which guest?" },
    /* what is of no use goes on without */
    { "$X tui --gui --script /dev/null hello", 0, "--gui: a window stands beside a terminal's screen" },
    /* options that are none, or lack something */
    { "$X run --memroy 5 hello", 1, "there is no option --memroy; did you mean --memory?" },
    { "$X run --vcpu 2 hello", 1, "did you mean --vcpus?" },
    { "$X run --consle 1 hello", 1, "did you mean --console?" },
    { "$X run --max_vtime 1s hello", 1, "did you mean --max-vtime?" },
    { "$X run --colour hello", 1, "there is no option --colour (see: xenlab run --help)" },
    { "$X run --" ESC " hello", 1, "there is no option --?[31m" },
    { "$X run -z hello", 1, "there is no option -z" },
    { "$X run -\033 hello", 1, "there is no option -?" },
    { "$X run hello --trace", 1, "--trace needs a value" },
    { "$X run --quiet=yes hello", 1, "--quiet takes no value" },
    /* numbers, units, names */
    { "$X run --memory 64K hello", 1, "--memory: \"64K\" is no size from 1 to 524287 MiB, such as 64, 64M or 1G" },
    { "$X run --memory -1 hello", 1, "--memory: \"-1\"" },
    { "$X run --memory " ESC " hello", 1, "--memory: \"?[31m\"" },
    { "$X run --memory 1 hello", 1, "--memory: 1 MiB of memory is too little" },
    { "$X run --memory 524287 hello", 1, "--memory: the guests may have 524287 MiB altogether" },
    { "$X run --ram 32 --memory 64 hello", 1, "--memory: not enough machine memory for 64 MiB (see --ram)" },
    { "$X run --ram 999999 hello", 1, "--ram: \"999999\" is no size from 32 to 524287 MiB" },
    { "$X run --vcpus 0 hello", 1, "--vcpus: \"0\" is no number from 1 to 64" },
    { "$X run --vcpus 65 hello", 1, "--vcpus: \"65\" is no number from 1 to 64" },
    { "$X run --pcpus 17 hello", 1, "--pcpus: \"17\" is no number from 1 to 16" },
    { "$X run --copies 2047 hello", 1, "--copies: \"2047\" is no number from 1 to 2046" },
    { "$X run --copies 1024 hello echo", 1, "2048 guests are too many" },
    { "$X run --seed x hello", 1, "--seed: \"x\"" },
    { "$X run --max-vtime 5 hello", 1, "--max-vtime: \"5\" has no unit (ns, us, ms, s or m), such as 5ms" },
    { "$X run --max-vtime 5h hello", 1, "--max-vtime: \"5h\": the units are ns, us, ms, s and m" },
    { "$X run --type vm hello", 1, "--type: \"vm\" is none of pv, pvh and hvm" },
    { "$X run --type hvm hello", 1, "hello: the kernel cannot be started as PVH: it has no note PHYS32_ENTRY" },
    { "$X run --name Domain-0 hello", 1, "--name: dom0 is called \"Domain-0\"" },
    { "$X run --name a hello hello", 1, "--name is for one guest, not for 2" },
    { "$X run --console x hello echo", 1, "--console: there is no guest \"x\" (there are hello, echo)" },
    { "$X run --console 3 hello echo", 1, "--console: there is no guest \"3\"" },
    { "$X run --console " ESC " hello", 1, "--console: there is no guest \"?[31m\" (there is hello)" },
    { "$X run --sched cfs hello", 1, "--sched: there is no scheduler \"cfs\"" },
    { "$X run --sched credit,slice=3 hello", 1, "--sched: credit has no parameter \"slice\"" },
    { "$X run --sched " ESC " hello", 1, "--sched: there is no scheduler \"?[31m\"" },
    { "$X run --cpu-weight 0 hello", 1, "--cpu-weight: expected a weight from 1 to 65535, got \"0\"" },
    { "$X run --cap 101 hello", 1, "--cap: expected 0 to 100 percent" },
    { "$X run --cpus 1 hello", 1, "--cpus: none of these pCPUs" },
    { "$X run --cpus x hello", 1, "--cpus: expected pCPUs such as" },
    { "$X run --pool x hello", 1, "--pool: there is no CPU pool \"x\"" },
    { "$X run --cpupool a=1 hello", 1, "--cpupool a: none of these pCPUs is free" },
    { "$X run --pcpus 2 --cpupool a=0-1 hello", 1, "--cpupool a: pCPU 0 stays in Pool-0" },
    { "$X run --cpupool a=0:credt2 hello", 1, "there is no scheduler \"credt2\"; did you mean credit2? (there are: " },
    { "$X run --cpuid host,sse42=0 hello", 1, "flag: \"sse42\"; did you mean sse4.2? (xl.cfg(5)" },
    { "$X doc", 1, "there is no command \"doc\"; did you mean doctor?" },
    { "$X sch", 1, "there is no command \"sch\"; did you mean sched?" },
    { "$X go", 1, "there is no command \"go\"\n" },
    { "$X run --cpupool a hello", 1, "--cpupool: expected NAME=CPUS" },
    { "$X run --cpuid sse2=0 hello", 1, "--cpuid: the first word is to be \"host\"" },
    { "$X run --cpuid host,nosuch=0 hello", 1, "--cpuid: unknown name of a CPUID flag: \"nosuch\"" },
    { "$X run --on-crash explode hello", 1, "--on-crash: expected destroy" },
    { "$X run --sched rtds --period 1000 --budget 2000 hello", 1, "--budget: expected a budget within the period" },
    /* files to be read */
    { "$X run nosuch", 1, "nosuch: No such file or directory" },
    { "$X run ''", 1, ": No such file or directory" },
    { "$X run dir", 1, "dir: Is a directory" },
    { "$X run fifo", 1, "fifo: a FIFO, and not a regular file" },
    { "$X run dangling", 1, "dangling: a link to \"nowhere\", which is not there" },
    { "$X run loop", 1, "loop: Too many levels of symbolic links" },
    { "$X run hello/x", 1, "hello/x: Not a directory" },
    { "$X run /dev/zero", 1, "/dev/zero: a device, and not a regular file" },
    { "$X run /dev/full", 1, "/dev/full: a device" },
    { "$X run - < hello", 1, "-: No such file or directory" },
    { "$X run empty", 1, "empty: not a kernel image (ELF, bzImage) nor an xl.cfg" },
    { "$X run junk", 1, "junk: not a kernel image" },
    { "echo '// a guest' > src.c; $X run src.c", 1,
      "src.c:1: expected KEY = VALUE, got: // a guest (it is no kernel, so it is read as an xl.cfg)\n" },
    { "$X run /bin/true", 1, "/bin/true: " },
    { "$X run short", 1, "short: ELF" },
    { "$X run fifo fifo", 1, "fifo: a FIFO" },
    { "$X run " ESC, 1, "?[31m: No such file or directory" },
    { "$X run --ramdisk fifo hello", 1, "--ramdisk: fifo: cannot open: a FIFO" },
    { "$X run --ramdisk dir hello", 1, "--ramdisk: dir: cannot open: Is a directory" },
    { "$X run --ramdisk dangling hello", 1, "--ramdisk: dangling: cannot open: a link to \"nowhere\"" },
    { "$X run --ramdisk nosuch hello", 1, "--ramdisk: nosuch: cannot open: No such file" },
    { "$X run --ramdisk /dev/zero hello", 1, "--ramdisk: /dev/zero: cannot open: a device" },
    { "$X run --cmdline $(seq -s, 400) hello", 0,
      "--cmdline: warning: of the 1491 characters of the command line the guest is given the first 1023" },
    { "$X run --ramdisk large --memory 8 hello", 1, "--memory: 8 MiB of memory is too little" },
    /* files to be written */
    { "$X run --ram=192 --trace t --trace-filter vectr==14 hello", 1,
      "--trace-filter: column 1: there is no field or event \"vectr\"; did you mean vector?" },
    { "$X run --ram=192 --trace dir hello", 1, "dir: Is a directory" },
    { "$X run --ram=192 --trace nodir/t hello", 1, "nodir/t: No such file or directory" },
    { "$X run --ram=192 --trace into-nodir hello", 1, "into-nodir: No such file or directory" },
    { "$X run --ram=192 --trace /dev/full hello", 1, "/dev/full: No space left on device" },
    { "$X run --ram=192 --trace own own", 1, "--trace: own is a file that a guest comes from" },
    { "$X run --ram=192 --trace own --ramdisk own hello", 1, "--trace: own is a file that a guest comes from" },
    { "$X run --ram=192 hello > /dev/full", 1, "standard output: No space left on device" },
    { "$X run --ram=192 hello >&-", 1, "standard output: Bad file descriptor" },
    { "$X run --ram=192 hello echo > /dev/full", 1, "standard output: No space left on device" },
    { "$X run --help > /dev/full", 1, "standard output: " },
    { "$X --help > /dev/full", 1, "standard output: No space left on device" },
    { "$X --version > /dev/full", 1, "standard output: No space left on device" },
    { "$X run --ram=192 --cmdline 'until_ms=100 how=poweroff' --on-poweroff coredump-destroy reboot", 1,
      "the core of reboot cannot be written: reboot.core: a link: it is not written through" },
    { "$X run --ram=192 --name linked --cmdline 'until_ms=100 how=poweroff' --on-poweroff coredump-destroy reboot", 1,
      "linked.core: a link: the file has another name, too" },
    { "$X run --ram=192 --name piped --cmdline 'until_ms=100 how=poweroff' --on-poweroff coredump-destroy reboot", 1,
      "piped.core: a FIFO, and not a regular file" },
    { "$X run --ram=192 --name folder --cmdline 'until_ms=100 how=poweroff' --on-poweroff coredump-destroy reboot", 1,
      "folder.core: Is a directory" },
    { "$X run --ram=192 --name " ESC " --cmdline 'until_ms=100 how=crash' --on-crash coredump-destroy reboot", 2,
      "the core of ?[31m is in ?[31m.core" },
    { "$X sched --policy rr --workload load --svg ./load", 1,
      "--svg: ./load is the workload: what is written would take" },
    { "$X sched --policy rr --workload load --tap", 1, "--tap: nothing is expected: neither load has a line" },
    { "$X sched --policy rr --workload load --expect none", 1, "cannot read none: No such file or directory" },
    { "$X sched --policy rr --workload load --expect load", 1, "load:4: lines here begin with expect" },
    /* input that cannot come */
    { "printf 'hello\\n' | $X run --ram=192 echo", 3, "standard input has ended" },
    { "$X run --ram=192 echo < /dev/null", 3, "standard input has ended" },
    { "$X run --ram=192 echo <&-", 3, "standard input has ended" },
    { "$X run --ram=192 echo echo < /dev/null", 3, "standard input has ended" },
    { "printf 'bye\\n' | $X run --ram=192 --console 2 echo echo", 3, "nothing can wake them" },
    /* lines of a debugger's script */
    { "printf 'where\\n# foo\\nfoo\\n' > script; $X debug --ram=192 --script script hello 2>&1", 1,
      "script:3: error: there is no command \"foo\"" },
    { "printf 'where\\n\\nfoo; foo\\n' > script; $X debug --ram=192 --json --script script hello 2>&1", 1,
      "\"code\":\"unknown-command\",\"line\":3,\"text\":\"there is no command" },
    { "$X debug --ram=192 --script dir hello", 1, "dir: Is a directory" },
    { "$X debug --ram=192 --script nosuch hello", 1, "--script: nosuch: No such file or directory" },
    { "$X debug --ram=192 --first nosuch hello < /dev/null", 1, "--first: nosuch: No such file or directory" },
    { "$X debug --ram=192 --first dir hello < /dev/null", 1, "--first: dir: Is a directory" },
    { "$X debug --ram=192 hello < dir", 1, "standard input: Is a directory" },
    { "printf 'where\\0\\n' | $X debug --ram=192 hello 2>&1", 1, "a line with a zero byte is no command" },
    /* a prompt at the end: a pipe gets a newline behind it, a file what the guest wrote */
    { "printf 'hello\\n' | $X run --ram=192 echo 2> one.err | tail -c 2 | od -An -tx1", 0, " 20 0a\n" },
    { "printf 'bye\\n' | $X run --ram=192 echo | tail -c 2 | od -An -tx1", 0, " 0a\n" },
    { "printf 'hello\\n' | $X run --ram=192 echo > two.out; tail -c 2 two.out | od -An -tx1", 0, " 3e 20\n" },
    { "$X run build/guests/nosuch", 1,
      "build/guests/nosuch: No such file or directory (in the project's folder, make builds it)" },
    { "$X run build/assets/nosuch", 1,
      "build/assets/nosuch: No such file or directory (in the project's folder, make assets gets it)" },
    { "$X run --ramdisk build/assets/initrd hello", 1,
      "No such file or directory (in the project's folder, make assets gets it)" },
    { "$X run src/build/guests/x", 1, "src/build/guests/x: No such file or directory\n" },
    /* the workbench */
    { "$X sched --policy cfs --workload load", 1, "cfs" },
    { "$X sched --policy rr --workload nosuch", 1, "cannot read nosuch: No such file or directory" },
    { "$X sched --policy rr --workload fifo", 1, "cannot read fifo: a FIFO" },
    { "$X sched --policy rr --workload dir", 1, "cannot read dir: Is a directory" },
    { "$X sched --policy rr --workload dangling", 1, "cannot read dangling: a link to \"nowhere\"" },
    { "$X sched --policy rr --workload /dev/zero", 1, "cannot read /dev/zero: a device" },
    { "$X sched --policy rr --workload junk", 1, "junk:" },
    { "$X sched --policy ./nosuch.so --workload load", 1, "nosuch.so" },
    { "$X sched --policy ./" ESC ".so --workload load", 1, "./?[31m.so" },
    { "$X sched --policy rr --workload " ESC, 1, "?[31m" },
    { "$X sched --policy rr --workload load > /dev/full", 1, "standard output: No space left on device" },
    { "$X sched --json --policy rr --workload load > /dev/full", 1, "standard output: No space left on device" },
    { "$X sched --policy rr --workload load --svg /dev/full", 1, "/dev/full: No space left on device" },
    { "$X sched --policy rr --workload load --svg nodir/x.svg", 1, "nodir/x.svg: No such file or directory" },
    /* a limit on the size of files, in blocks of 512 bytes, is no death; the trace is of more than one */
    { "ulimit -f 1; $X sched --json --policy rr --workload load > limited", 1, "standard output: File too large" },
};

/* --- configurations: the mistake is in line 2 or below --- */

static const struct {
    const char *text;
    const char *says;
    int status; /* 0: only warned about */
} configs[] = {
    { "memory = 0", "g.cfg:2: memory: expected a positive number of MiB", 1 },
    { "memory = 'much'", "g.cfg:2: memory: expected a positive number of MiB (at most 524287), got \"much\"", 1 },
    { "memory = 1", "g.cfg:2: memory: 1 MiB of memory is too little", 1 },
    { "\nmaxmem = 520000", "g.cfg:3: maxmem: the guests may have 520000 MiB altogether", 1 },
    { "memory = 64; maxmem = 32", "g.cfg:2: maxmem: expected at least memory, which is 64 MiB, got 32", 1 },
    { "vcpus = 0", "g.cfg:2: vcpus: expected a number of vCPUs from 1 to 64, got \"0\"", 1 },
    { "vcpus = 65", "g.cfg:2: vcpus: expected a number of vCPUs from 1 to 64, got \"65\"", 1 },
    { "vcpus = 4\nmaxvcpus = 2", "g.cfg:3: maxvcpus: expected at least vcpus, which is 4, got 2", 1 },
    { "max_grant_frames = 65", "g.cfg:2: max_grant_frames: expected 1 to 64 frames, got \"65\"", 1 },
    { "max_grant_frames = 0", "g.cfg:2: max_grant_frames: expected 1 to 64 frames, got \"0\"", 1 },
    { "max_maptrack_frames = 1025", "g.cfg:2: max_maptrack_frames: expected 0 to 1024 frames", 1 },
    { "max_event_channels = 1", "g.cfg:2: max_event_channels: expected at least 2", 1 },
    { "max_event_channels = '-1'", "g.cfg:2: max_event_channels: expected the number", 1 },
    { "\n\nkernel = 'nosuch'", "g.cfg:4: kernel: nosuch: cannot open: No such file or directory", 1 },
    { "kernel = 'fifo'", "g.cfg:2: kernel: fifo: cannot open: a FIFO", 1 },
    { "kernel = 'dir'", "g.cfg:2: kernel: dir: cannot open: Is a directory", 1 },
    { "kernel = 'dangling'", "g.cfg:2: kernel: dangling: cannot open: a link to \"nowhere\"", 1 },
    { "kernel = '/dev/zero'", "g.cfg:2: kernel: /dev/zero: cannot open: a device", 1 },
    { "kernel = 'empty'", "g.cfg:2: kernel: empty: not a kernel image: the file is empty", 1 },
    { "kernel = 'junk'", "g.cfg:2: kernel: junk: not a kernel image", 1 },
    { "kernel = 'short'", "g.cfg:2: kernel: short: ", 1 },
    { "kernel = '/bin/true'", "g.cfg:2: kernel: /bin/true: ", 1 },
    { "kernel = ''", "g.cfg:2: kernel: expected a path, got \"\"", 1 },
    { "kernel = ['a']", "g.cfg:2: kernel: expected a single value, got a list", 1 },
    { "kernel = '\033[31m'", "g.cfg:2: kernel: ?[31m: cannot open: No such file", 1 },
    { "ramdisk = 'nosuch'", "g.cfg:2: ramdisk: nosuch: cannot open: No such file or directory", 1 },
    { "ramdisk = 'fifo'", "g.cfg:2: ramdisk: fifo: cannot open: a FIFO", 1 },
    { "ramdisk = 'dir'", "g.cfg:2: ramdisk: dir: cannot open: Is a directory", 1 },
    { "ramdisk = 'dangling'", "g.cfg:2: ramdisk: dangling: cannot open: a link to", 1 },
    { "type = 'hvm'", "g.cfg:1: kernel: an HVM guest starts from a disk: a kernel is not loaded for it", 1 },
    { "type = 'pvh'", "the kernel cannot be started as PVH: it has no note PHYS32_ENTRY", 1 },
    { "type = 'PV'", "g.cfg:2: type: expected pv, pvh or hvm, got \"PV\"", 1 },
    { "builder = 'hvm'", "g.cfg:1: kernel: an HVM guest starts from a disk", 1 },
    { "name = ''", "g.cfg:2: name: expected a name", 1 },
    { "name = 'Domain-0'", "g.cfg:2: name: \"Domain-0\" is dom0", 1 },
    { "name = 'a/b'", "g.cfg:2: name: expected a name of one line without slashes, got \"a/b\"", 1 },
    { "uuid = '12'", "g.cfg:2: uuid: expected 32 hexadecimal digits", 1 },
    { "cpu_weight = 65536", "g.cfg:2: cpu_weight: expected a weight from 1 to 65535", 1 },
    { "cap = 101", "g.cfg:2: cap: expected 0 to 100 percent", 1 },
    { "cpus = '5'", "g.cfg:2: cpus: none of these pCPUs", 1 },
    { "cpus = '3-1'", "g.cfg:2: cpus: expected pCPUs such as", 1 },
    { "pool = 'fast'", "g.cfg:2: pool: there is no CPU pool \"fast\"", 1 },
    { "pool = '\033[31m'", "g.cfg:2: pool: there is no CPU pool \"?[31m\"", 1 },
    { "tsc_mode = 'fast'", "g.cfg:2: tsc_mode: expected default, always_emulate or native", 1 },
    { "cpuid = 'sse2=0'", "g.cfg:2: cpuid: the first word is to be \"host\"", 1 },
    { "cpuid = ['1:ecx=01']", "g.cfg:2: cpuid: expected 32 characters", 1 },
    { "on_crash = 'explode'", "g.cfg:2: on_crash: expected destroy", 1 },
    { "on_reboot = '\033[31m'", "g.cfg:2: on_reboot: expected destroy, restart, rename-restart, preserve", 1 },
    { "memory 64", "g.cfg:2: memory: expected memory = VALUE, got: memory 64\n", 1 },
    { "memory", "g.cfg:2: memory: expected memory = VALUE, got: memory\n", 1 },
    { "memory: 64", "g.cfg:2: memory: expected memory = VALUE, got: memory: 64\n", 1 },
    { "memory =", "g.cfg:2: memory: the value is missing: memory = VALUE\n", 1 },
    { "\nmemory = ; vcpus = 2", "g.cfg:3: memory: the value is missing: memory = VALUE\n", 1 },
    { "memory = 64M",
      "g.cfg:2: memory: expected one value: a number (whole, without a unit), or a text in quotes, "
      "\"...\", got: 64M\n",
      1 },
    { "memory = 64 MiB # much",
      "g.cfg:2: memory: expected one value: a number (whole, without a unit), or a text in quotes, "
      "\"...\", got: 64 MiB\n",
      1 },
    { "memory = 1.5", "got: 1.5\n", 1 },
    { "memory = -5", "g.cfg:2: memory: expected a number (whole, without a unit), or a text in quotes", 1 },
    { "name = My guest",
      "g.cfg:2: name: expected a number (whole, without a unit), or a text in quotes, \"...\", "
      "got: My guest\n",
      1 },
    { "ramdisk = boot/initrd.img", "g.cfg:2: ramdisk: expected a number (whole, without a unit), or a text in quotes",
      1 },
    { "on_crash = destroy", "g.cfg:2: on_crash: expected a number (whole, without a unit), or a text in quotes", 1 },
    { "Memory = 64", "g.cfg:2: keys are written in small letters: memory, got: Memory = 64\n", 1 },
    { "VCPUS=2", "g.cfg:2: keys are written in small letters: vcpus, got: VCPUS=2\n", 1 },
    { "[guest]", "g.cfg:2: expected KEY = VALUE, got: [guest]\n", 1 },
    { "= 5", "g.cfg:2: expected KEY = VALUE, got: = 5\n", 1 },
    { "5 = 5", "g.cfg:2: expected KEY = VALUE, got: 5 = 5\n", 1 },
    { "vif = [ 'a'\nmemory = 64",
      "g.cfg:3: vif: expected a comma, or the end, ], of the list of line 2, got: memory = 64\n", 1 },
    { "vif = [ 'a' 'b' ]", "g.cfg:2: vif: expected a comma, or the end, ], of the list of line 2, got: 'b' ]\n", 1 },
    { "vif = [ , ]", "g.cfg:2: vif: expected a number, a text in quotes, or the list's end, ], got: , ]\n", 1 },
    { "vif = [ a ]", "g.cfg:2: vif: expected a number, a text in quotes, or the list's end, ], got: a ]\n", 1 },
    { "vif = [ 'a' ]]", "g.cfg:2: vif: expected one value: ", 1 },
    { "name = 'x", "g.cfg:2: name: string without end", 1 },
    { "name = \033[31m",
      "g.cfg:2: name: expected a number (whole, without a unit), or a text in quotes, \"...\", got: ?[31m\n", 1 },
    { "x = $HOME", "g.cfg:2: x: expected a number (whole, without a unit), or a text in quotes, \"...\", got: $HOME\n",
      1 },
    { "cpus = [ '0'", "g.cfg:2: cpus: the list has no end, ]\n", 1 },
    { "memory = 64\r", "g.cfg:2: has the line ends of DOS (CR LF)", 1 },
    { "memroy = 64", "g.cfg:2: warning: memroy is no key and is ignored; did you mean memory?", 0 },
    { "kernal = 'x'", "g.cfg:2: warning: kernal is no key and is ignored; did you mean kernel?", 0 },
    { "on_rebot = 'x'", "g.cfg:2: warning: on_rebot is no key and is ignored; did you mean on_reboot?", 0 },
    { "vtpm = ['']", "g.cfg:2: warning: vtpm means nothing here yet and is ignored", 0 },
    { "boot = 'c'", "g.cfg:2: warning: boot is for HVM guests and is ignored", 0 },
    { "hap = 1", "g.cfg:2: warning: hap is for PVH and HVM guests and is ignored", 0 },
    { "serial = [ 'pty' ]", "g.cfg:2: warning: serial is for HVM guests and is ignored", 0 },
    { "boot = 'x'", "g.cfg:2: boot: expected up to three of the letters", 1 },
    { "type = 'hvm'\nfirmware_override = ''", "g.cfg:3: firmware_override: expected a path, got \"\"", 1 },
    { "type = 'pvh'\nhap = 'on'", "g.cfg:3: hap: expected 0 or 1, got \"on\"", 1 },
    { "budget = 5", "g.cfg:2: budget: warning: ignored", 0 },
};

/* --- running them --- */

static FILE *begin(const char *command)
{
    char *all;
    FILE *p;

    assert_true(asprintf(&all, "{ %s; } 2>&1", command) > 0);
    p = popen(all, "r");
    assert_non_null(p);
    free(all);
    return p;
}

/* The exit status (of a shell: 128 + N for a signal), with everything said in `said`. */
static int finish(FILE *p)
{
    const size_t n = fread(said, 1, sizeof(said) - 1, p);
    int status;

    said[n] = '\0';
    status = pclose(p);
    assert_int_equal(strlen(said), n);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *command) { return finish(begin(command)); }

/* A guest's console may say \r: it is the one that a user is attached to. */
static bool steers(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && !strchr("\n\t\r", *text)) || *text == 0x7f)
            return true;
    return false;
}

/* A warning says whose it is, as an error does. */
static bool warns_badly(const char *text)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        const char *word = strstr(text, "warning: ");

        if (word && word < text + strcspn(text, "\n") && strncmp(text, "xenlab: ", 8))
            return true;
    }
    return false;
}

/* All of a table are tried. How many were not as they should be. */
static unsigned int judge(const char *what, int status, int expected, const char *says)
{
    if (status == expected && strstr(said, says) && !steers(said) && !warns_badly(said))
        return 0;
    print_error("%s: status %d, expected %d and \"%s\":\n%.600s\n", what, status, expected, says, said);
    return 1;
}

/* Some at a time: they are many, and have nothing to do with each other. The leaks of a few are looked for. */
static FILE *begin_one_of(size_t i, const char *command)
{
    leaks_search(i % LEAKS_OF == 0);
    return begin(command);
}

static void test_commands(void **state)
{
    FILE *running[AT_A_TIME];
    unsigned int wrong = 0;

    for (size_t i = 0; i < COUNT(commands) + AT_A_TIME; i++) {
        FILE **p = &running[i % AT_A_TIME];

        if (i >= AT_A_TIME) {
            const struct mistake *m = &commands[i - AT_A_TIME];

            wrong += judge(m->command, finish(*p), m->status, m->says);
        }
        if (i < COUNT(commands))
            *p = begin_one_of(i, commands[i].command);
    }
    assert_int_equal(wrong, 0);
}

/* Each has a folder of its own; what it names it finds here all the same. */
static FILE *config_begin(size_t i)
{
    char text[256], path[32], command[64];

    snprintf(path, sizeof(path), "c%zu", i);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "c%zu/g.cfg", i);
    snprintf(text, sizeof(text), "kernel = 'hello'\n%s\n", configs[i].text);
    file_write(path, text, strlen(text));
    /* A small machine is made sooner; one that has to be large is refused. */
    snprintf(command, sizeof(command), "$X run %s %s < /dev/null", strstr(text, "520000") ? "" : "--ram=128", path);
    return begin_one_of(i, command);
}

static void test_configs(void **state)
{
    FILE *running[AT_A_TIME];
    unsigned int wrong = 0;

    for (size_t i = 0; i < COUNT(configs) + AT_A_TIME; i++) {
        FILE **p = &running[i % AT_A_TIME];

        if (i >= AT_A_TIME)
            wrong += judge(configs[i - AT_A_TIME].text, finish(*p), configs[i - AT_A_TIME].status,
                           configs[i - AT_A_TIME].says);
        if (i < COUNT(configs))
            *p = config_begin(i);
    }
    assert_int_equal(wrong, 0);
    assert_true(COUNT(configs) + COUNT(commands) >= 150);
    leaks_search(false);
}

/* A place that cannot be written to is noticed before any work: nothing else is said, and no guest has run. */
static void test_outputs_early(void **state)
{
    static const char *const outputs[] = { "run hello --trace ", "sched --policy rr --workload load --svg ",
                                           "sched --json --policy=rr --workload=load --svg=",
                                           "sched --policy ./nosuch.so --workload load --svg " };
    static const char *const places[][2] = {
        { "dir", "dir: Is a directory" },
        { "nodir/t", "nodir/t: No such file or directory" },
        { "into-nodir", "into-nodir: " },
        { "own/t", "own/t: Not a directory" },
        { "loop", "loop: Too many levels of symbolic links" },
        { "/dev/nosuch/t", "/dev/nosuch/t: No such file or directory" },
    };

    for (size_t i = 0; i < COUNT(outputs); i++)
        for (size_t k = 0; k < COUNT(places); k++) {
            char command[256];

            snprintf(command, sizeof(command), "$X %s%s", outputs[i], places[k][0]);
            assert_int_equal(judge(command, run(command), 1, places[k][1]), 0);
            if (strncmp(said, "xenlab: ", 8) || strcspn(said, "\n") != strlen(said) - 1)
                fail_msg("%s: more than one line: %s", command, said);
        }
}

/* Work that failed leaves the chart of another day alone, and makes none. */
static void test_outputs_kept(void **state)
{
    struct stat st;

    file_write("chart", "12345", 5);
    file_write("bad", "domain a : nonsense\n", 20);
    assert_int_equal(run("$X sched --policy rr --workload bad --svg chart"), 1);
    assert_int_equal(run("$X sched --policy ./nosuch.so --workload load --svg chart"), 1);
    assert_int_equal(run("$X sched --policy rr --workload load --svg chart --window 100s..200s"), 1);
    assert_true(stat("chart", &st) == 0 && st.st_size == 5);
    assert_int_equal(run("$X sched --policy rr --workload bad --svg fresh"), 1);
    assert_int_equal(access("fresh", F_OK), -1);
    assert_int_equal(run("$X sched --policy rr --workload load --svg fresh"), 0);
    assert_int_equal(run("$X sched --policy rr --workload load --svg chart"), 0);
    assert_int_equal(run("cmp chart fresh"), 0);
}

/*
 * Where unpacked kernels cannot be kept, a run says so once and goes on; not with -q, and not if nobody wants them
 * kept.
 */
static void test_kernels_not_kept(void **state)
{
    static const char warning[] =
        "xenlab: warning: packed cannot be kept unpacked, so each start takes longer (see: xenlab doctor): ";
    static const struct {
        const char *command, *says; /* NULL: no warning */
    } cases[] = {
        { "XDG_CACHE_HOME=$PWD/own $X run --ram=48 --memory=16 packed", "own/xenlab: Not a directory\n" },
        { "XDG_CACHE_HOME=$PWD/blocked $X run --ram=48 --memory=16 packed", "blocked/xenlab: Not a directory\n" },
        { "XDG_CACHE_HOME=$PWD/link $X run --ram=48 --memory=16 packed", "link/xenlab: " },
        { "XDG_CACHE_HOME=/proc/nowhere $X run --ram=48 --memory=16 packed",
          "/proc/nowhere/xenlab: No such file or directory\n" },
        { "XDG_CACHE_HOME=$PWD/open $X run --ram=48 --memory=16 packed",
          "open/xenlab: not a folder of yours that only you may write\n" },
        { "env -u HOME -u XDG_CACHE_HOME $X run --ram=48 --memory=16 packed",
          "neither XDG_CACHE_HOME nor HOME names a folder\n" },
        { "XDG_CACHE_HOME=$PWD/own $X run --ram=96 --memory=16 packed packed other", "own/xenlab: Not a directory\n" },
        { "XDG_CACHE_HOME=$PWD/own $X run --ram=48 --memory=16 -q packed", NULL },
        { "XDG_CACHE_HOME=$PWD/own XENLAB_CACHE=off $X run --ram=48 --memory=16 packed", NULL },
        { "XDG_CACHE_HOME=$PWD/own $X run --ram=48 --memory=16 hello", NULL },
        { "XDG_CACHE_HOME=$PWD/good $X run --ram=48 --memory=16 packed", NULL },
        { "XDG_CACHE_HOME=$PWD/good $X run --ram=48 --memory=16 packed", NULL },
    };

    assert_int_equal(run("{ cat hello; head -c 2M /dev/urandom; } | gzip -1 > packed"), 0);
    assert_int_equal(run("{ cat hello; head -c 2M /dev/urandom; } | gzip -1 > other"), 0);
    assert_int_equal(run("mkdir blocked link open open/xenlab; touch blocked/xenlab; ln -s ../dir link/xenlab"), 0);
    assert_int_equal(run("chmod go+w open/xenlab"), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int status = run(cases[i].command);
        const char *first = strstr(said, warning);

        assert_int_equal(judge(cases[i].command, status, 0, cases[i].says ? cases[i].says : ""), 0);
        if (!first != !cases[i].says || (first && strstr(first + strlen(warning), "warning")) ||
            !strstr(said, "Good bye"))
            fail_msg("%s: %s", cases[i].command, said);
    }
}

/* What stands in the way of a core, or of a trace, is as it was. */
static void test_nothing_lost(void **state)
{
    static const char *const precious[] = { "precious", "own" };
    struct stat st;

    for (size_t i = 0; i < COUNT(precious); i++)
        assert_true(stat(precious[i], &st) == 0 && st.st_size == (i ? 8 : 5));
    assert_true(lstat("reboot.core", &st) == 0 && S_ISLNK(st.st_mode));
    assert_true(lstat("piped.core", &st) == 0 && S_ISFIFO(st.st_mode));
    assert_int_equal(access("nowhere", F_OK), -1);
}

static char folder[] = "/tmp/xenlab-test-XXXXXX";

static int setup(void **state)
{
    const char *program = getenv("XENLAB");
    char here[PATH_MAX], path[PATH_MAX + 128];
    static const char *const guests[] = { "hello", "echo", "reboot" };

    if (!getcwd(here, sizeof(here)) || !mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "timeout 120 %s%s%s", program && *program == '/' ? "" : here,
             program && *program == '/' ? "" : "/", program ? program : "xenlab");
    if (setenv("X", path, 1) || chdir(folder))
        return -1;
    for (size_t i = 0; i < COUNT(guests); i++) {
        snprintf(path, sizeof(path), "%s/build/guests/%s", here, guests[i]);
        if (symlink(path, guests[i]))
            return -1;
    }
    file_write("empty", "", 0);
    file_write("junk", "\1\2\3\033[31m", 8);
    file_write("own", "\177ELF\2\1\1", 8);
    file_write("short", "\177ELF\2\1\1", 8);
    file_write("precious", "12345", 5);
    snprintf(path, sizeof(path), "cp %s/docs/examples/sched/weights.txt load && truncate -s 16M large", here);
    return system(path) || mkdir("dir", 0700) || mkdir("folder.core", 0700) || mkfifo("fifo", 0600) ||
           mkfifo("piped.core", 0600) || symlink("nowhere", "dangling") || symlink("loop", "loop") ||
           symlink("nodir/t", "into-nodir") || symlink("precious", "reboot.core") || link("precious", "linked.core");
}

static int teardown(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") || system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),         cmocka_unit_test(test_configs),
        cmocka_unit_test(test_outputs_early),    cmocka_unit_test(test_outputs_kept),
        cmocka_unit_test(test_kernels_not_kept), cmocka_unit_test(test_nothing_lost),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
