// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tenants: three programs that do not trust each other, and one of them attacks.
 *
 * Shows what keeps tenants apart, and what they share. play=KIND,ATTACK on the command line says how they live:
 *
 *      process      user programs of this kernel, each with memory of its own; names of words are common
 *      container    the same, and each has names of its own: a namespace
 *      filtered     the same, and of the system calls only those that tenants need: seccomp
 *      unikernel    this kernel is the tenant: a domain each, of which xenstore says which one it is
 *
 * Tenant 2 attacks. ATTACK says whom:
 *
 *      none, or neighbour   reads tenant 1's memory
 *      names                asks for tenant 1's word by its name
 *      kernel               has a system call write where the kernel keeps its clock. The kernel's mistake: `stats` does
 *                           not look whether the address is the tenant's (as Linux's waitid did in 2017, CVE-2017-5123)
 *      frames               maps frames of the machine that are not its domain's: a unikernel's way to the next one
 */
#include "guests/rt/xenstore.h"

enum { SYS_TIME, SYS_PUT, SYS_GET, SYS_STATS, SYS_DONE, NR_SYS };
enum { NR_TENANTS = 3, ATTACKER = 2, ROUNDS = 3, FRAMES = 0xe000, STRIDE = 16 };

static enum { PROCESS, CONTAINER, FILTERED, UNIKERNEL } kind;
static enum { NONE, NEIGHBOUR, NAMES, KERNEL, OTHERS_FRAMES } attack;

static void xenstore_event(const char *path, const char *token) { (void)path, (void)token; }

/* --- the kernel --- */

static uint64_t ticks;

static long clock_ticks(void) { return (long)++ticks; }

static long (*clock_source)(void) = clock_ticks; /* what the attack on the kernel overwrites */
static long words[NR_TENANTS + 1];               /* by name, which is a number */
static long calls;

static bool is_open(unsigned long number) { return number < NR_SYS && !(kind == FILTERED && number == SYS_STATS); }

/* A system call of a tenant's, or a call of the same functions where it is linked with them. */
static long serve(unsigned int tenant, unsigned long number, unsigned long a, unsigned long b)
{
    calls++;
    if (!is_open(number))
        return number < NR_SYS ? -XEN_EPERM : -XEN_ENOSYS;
    switch (number) {
    case SYS_TIME: return clock_source();
    case SYS_STATS: *(long *)a = calls; return 0; /* whose address is it? */
    default: break;
    }
    if (a > NR_TENANTS || (kind != PROCESS && a != tenant))
        return -XEN_ENOENT;
    if (number == SYS_PUT)
        words[a] = (long)b;
    return words[a];
}

/* --- tenants: in user mode they see the section .user, and of the pages below their own --- */

struct tenant_page {
    long word;
    char stack[PAGE_SIZE - sizeof(long)];
};
static USER_DATA struct tenant_page pages[NR_TENANTS + 1] __attribute__((aligned(PAGE_SIZE)));

static inline __attribute__((always_inline)) long sys(long number, long a, long b)
{
    long ret;

    asm volatile("syscall" : "=a"(ret) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return ret;
}

/* A tenant that attacks: RDX says how, RCX what. */
static USER_CODE long program(long tenant, long word, long how, long what)
{
    struct tenant_page *mine = &pages[tenant];
    long said = 0;

    mine->word = word;
    sys(SYS_PUT, tenant, mine->word);
    for (int i = 0; i < ROUNDS; i++) {
        sys(SYS_TIME, 0, 0);
        if (i)
            continue;
        if (how == NEIGHBOUR)
            said = ((volatile struct tenant_page *)what)->word;
        else if (how == NAMES)
            said = sys(SYS_GET, what, 0);
        else if (how == KERNEL)
            said = sys(SYS_STATS, what, 0);
    }
    return sys(SYS_DONE, sys(SYS_GET, tenant, 0), said);
}

/* --- tenants as user programs, in turns of a system call each --- */

static struct tenant {
    struct guest_regs regs;
    long result;
    bool lives;
} tenants[NR_TENANTS + 1];
static unsigned long frames[NR_TENANTS + 1];

static long aim(void)
{
    return attack == NEIGHBOUR ? (long)&pages[1] : attack == NAMES ? 1 : attack == KERNEL ? (long)&clock_source : 0;
}

static void start(unsigned int i)
{
    frames[i] = virt_to_mfn(&pages[i]);
    tenants[i] = (struct tenant){ .lives = true,
                                  .regs = { .rip = (uint64_t)program,
                                            .rdi = i,
                                            .rsi = 0x1111 * i,
                                            .rdx = i == ATTACKER ? attack : NONE,
                                            .rcx = (uint64_t)aim(),
                                            .rsp = (uint64_t)(&pages[i] + 1) - 8,
                                            .rflags = EFLAGS_IF,
                                            .cs = FLAT_USER_CS,
                                            .ss = FLAT_USER_SS } };
    MUST(page_map(&pages[i], 0, 0));
}

/* One turn; true: it was its last, and it is done. */
static bool turn(unsigned int i)
{
    struct tenant *t = &tenants[i];
    struct guest_regs *r = &t->regs;

    MUST(page_map(&pages[i], frames[i], PTE_KERNEL));
    user_resume(r, t->result);
    MUST(page_map(&pages[i], 0, 0));
    if (r->vector != TRAP_SYSCALL) {
        printf("tenant %u: killed by its kernel: %s\n", i, trap_name((unsigned int)r->vector));
        t->lives = false;
    } else if (r->rax == SYS_DONE) {
        printf("tenant %u: done, its word is %#lx\n", i, r->rdi);
        if (i == ATTACKER && attack != NONE)
            printf("tenant %u: the attack's answer: %s\n", i, xen_error((long)r->rsi));
        t->lives = false;
        return true;
    } else {
        t->result = serve(i, r->rax, r->rdi, r->rsi);
    }
    return false;
}

static unsigned int user_programs(void)
{
    unsigned int done = 0, live = NR_TENANTS;

    user_space_init();
    for (unsigned int i = 1; i <= NR_TENANTS; i++)
        start(i);
    while (live) {
        live = 0;
        for (unsigned int i = 1; i <= NR_TENANTS; i++) {
            done += tenants[i].lives && turn(i);
            live += tenants[i].lives;
        }
    }
    return done;
}

/* --- a tenant as the kernel --- */

/* Frames all over the machine but this domain's own: how many can be mapped, and what is said of the others. */
static void map_others(void)
{
    static char page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    const unsigned long own = virt_to_mfn(page);
    unsigned int tried = 0, mapped = 0;
    long rc = 0;

    for (unsigned long mfn = 0; mfn < FRAMES; mfn += STRIDE) {
        const unsigned long pfn = mfn_to_pfn(mfn);

        if (pfn < start_info->nr_pages && pfn_to_mfn(pfn) == mfn)
            continue;
        const long answer = page_map(page, mfn, PTE_KERNEL);

        tried++;
        mapped += answer == 0;
        rc = answer ? answer : rc;
    }
    MUST(page_map(page, own, PTE_KERNEL));
    printf("of %u frames that are not mine Xen maps %u; its last answer: %s\n", tried, mapped, xen_error(rc));
}

static unsigned int unikernel(void)
{
    unsigned int tenant;

    ring = mfn_to_virt(start_info->store_mfn);
    ask(XS_READ, "domid", 6);
    tenant = (unsigned int)(answer[0] - '0');
    printf("tenant %u: this kernel is mine\n", tenant);
    serve(tenant, SYS_PUT, tenant, 0x1111 * tenant);
    for (unsigned int i = 0; i < ROUNDS; i++) {
        serve(tenant, SYS_TIME, 0, 0);
        if (tenant != ATTACKER || i)
            continue;
        if (attack == KERNEL)
            serve(tenant, SYS_STATS, (unsigned long)&clock_source, 0);
        else if (attack == OTHERS_FRAMES)
            map_others();
    }
    printf("tenant %u: done, its word is %#lx\n", tenant, serve(tenant, SYS_GET, tenant, 0));
    return 1;
}

/* Which of the names it is. */
static unsigned int choice(const char *text, const char *const *names, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        if (!strcmp(text, names[i]))
            return i;
    guest_panic("play=KIND,ATTACK: there is no %s", text);
}

int guest_main(void)
{
    static const char *const kinds[] = { "process", "container", "filtered", "unikernel" };
    static const char *const attacks[] = { "none", "neighbour", "names", "kernel", "frames" };
    unsigned int done, open = 0;
    char play[32], *comma = play;

    cmdline_text("play", play, sizeof(play), "process,none");
    while (*comma && *comma != ',')
        comma++;
    if (*comma)
        *comma++ = '\0';
    kind = choice(play, kinds, ARRAY_SIZE(kinds));
    attack = choice(comma, attacks, ARRAY_SIZE(attacks));
    for (unsigned int i = 0; i < NR_SYS; i++)
        open += kind != UNIKERNEL && is_open(i);
    printf("%s, attack: %s; system calls that a tenant can make: %u\n", kinds[kind], attacks[attack], open);
    done = kind == UNIKERNEL ? unikernel() : user_programs();
    printf("%u of %u tenants of this kernel are done\n", done, kind == UNIKERNEL ? 1 : (unsigned int)NR_TENANTS);
    return 0;
}
