// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab limits`: in what the processor that guests see differs from a real one, and why.
 *
 * Concept: one list. The command prints it, docs/cpu.md has what the command prints, and tests/ui/test_limits.c tries
 * what it says of HVM guests. What a guest can tell from CPUID is no limit of this kind: vcpu/cpu_policy.c.
 */
#include "ui/cmd_limits.h"

#include "sim/types.h"
#include "ui/status.h"

#include <string.h>

#define WIDTH 92 /* of a text, behind what it is called */

static const struct limit {
    const char *name, *guests, *here, *why;
} limits[] = {
    { "segment limits and types", "32-bit PV; HVM in 16 and 32 bits: code, ENTER, far transfers; no others",
      "an access beyond a segment's limit, through a null selector, or a store through CS succeeds; "
      "with --segments exact it faults",
      "the engine checks them nowhere; of HVM guests' other accesses calls in front of them do" },
    { "alignment checks (#AC)", "PV", "EFLAGS.AC has no effect", "the same" },
    { "branches to addresses that are not canonical", "64-bit", "#GP is reported at the target, not at the branch",
      "the engine branches first, and finds it when it fetches" },
    { "far RET and IRET with an operand of 16 or 32 bits", "64-bit",
      "RSP is cut to 32 bits for the accesses; lretq and iretq are right",
      "the engine has the stack of 32-bit code in mind there" },
    { "exceptions and INT n", "HVM",
      "each is an exit, and the hypervisor delivers it through the guest's IDT [engine]: 500 ns, "
      "nothing else to be seen; hardware exits for #DB, #AC and #MC alone",
      "the engine's own delivery knows neither task gates nor faults on the way as the architecture "
      "has them" },
    { "RDTSC, RDTSCP", "HVM", "an exit [engine], unless the domain's TSC is emulated anyway",
      "time is virtual, so that two runs are the same" },
    { "PAUSE", "HVM", "each is an exit [engine]; the 32nd in a row, with at most 10 us in between, gives the pCPU away",
      "Xen's filter lets most of them pass; here a loop that waits is over after fewer rounds so" },
    { "CR8", "HVM", "an exit [engine]", "the task priority is in the local APIC, which is the hypervisor's" },
    { "debug registers", "HVM", "each access is an exit; Xen gives them to the guest after the first",
      "breakpoints are armed in the engine when the guest is entered" },
    { "A bits of a page walk that faults", "HVM", "none is set; a processor may set those of the upper levels",
      "the walk looks first, and changes what it has used when it has succeeded" },
    { "a local APIC's current count", "HVM", "read as memory it is that of the last exit",
      "the page is the guest's to read without exits, as with AVIC or APICv" },
    { "memory types: MTRR, PAT, CD, PCD; WBINVD", "HVM", "kept and shown, without effect",
      "there are no caches to be seen" },
    { "SMAP, protection keys, PCID, TSC deadline, MONITOR, performance counters, SVM", "HVM",
      "not there, as CPUID says; VMRUN is #UD, RDPMC #GP", "the engine does not know them, or runs would differ" },
    { "SSE and MMX arithmetic with an operand that is no memory", "HVM", "#GP; moves, x87 and integers are carried out",
      "it is what Xen does with what its emulator does not know" },
    { "x87 code and data selectors (FCS, FDS)", "all", "0 after a vCPU's state was saved and loaded",
      "as on processors since CPUID bit FCS_FDS" },
    { "prefixed SYSCALL without a handler", "PV", "the #UD is reported two bytes before its end",
      "the engine says only where the instruction ends" },
    { "breakpoints with a length, or on an address that is not mapped", "all",
      "LEN of one on instructions is ignored; the second gives #PF, not #DB",
      "the manual leaves the first undefined; the second is found when the instruction is "
      "translated" },
    { "single-step (TF) inside a REP instruction", "all", "RF is clear in the frame between two iterations",
      "the engine ends the instruction there" },
    { "a fault in the fetch of an instruction's last bytes", "all",
      "reported where the engine's fetch finds it, in front of the same instruction: CR2 may be "
      "another",
      "the engine fetches as it decodes" },
    { "32-bit code in a segment that passes 4 GiB", "32-bit PV",
      "base + EIP does not go on at address 0: a page fault above 4 GiB",
      "the engine adds with 64 bits when it fetches" },
};

/* Words in lines, each behind eight columns, of which the first line's have a title. */
static void text_print(FILE *out, const char *title, const char *text)
{
    fprintf(out, "  %-6s", title);
    while (*text) {
        size_t n = strlen(text) < WIDTH ? strlen(text) : WIDTH;

        while (text[n] && text[n] != ' ')
            n--;
        fprintf(out, "%.*s\n", (int)n, text);
        text += n + strspn(text + n, " ");
        if (*text)
            fprintf(out, "%8s", "");
    }
}

static void limits_print(FILE *out)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
        fprintf(out, "%s%s\n", i ? "\n" : "", limits[i].name);
        text_print(out, "of", limits[i].guests);
        text_print(out, "here", limits[i].here);
        text_print(out, "why", limits[i].why);
    }
}

int cmd_limits(int argc, char *const *argv, FILE *out)
{
    if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
        fputs("Usage: xenlab limits\n\n"
              "Prints in what the processor that guests see differs from a real one, and why:\n"
              "exits that only this simulator takes are marked [engine] here, in traces, and\n"
              "in the panel exits.\n",
              out);
        return STATUS_OK;
    }
    if (argc) {
        fprintf(stderr, "xenlab: limits takes no arguments, not \"%s\"\n", argv[0]);
        return STATUS_ENVIRONMENT;
    }
    limits_print(out);
    return STATUS_OK;
}
