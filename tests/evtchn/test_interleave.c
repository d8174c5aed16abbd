// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No event is lost and none delivered while masked: all interleavings of a sender, a guest's handler and a guest's
 * task.
 *
 * Concept: a model checker in small. The guest is a state machine whose steps are single accesses to shared memory, in
 * the order in which Linux makes them (drivers/xen/events). Between any two of them the hypervisor (the real code) may
 * carry out a send to either of two ports. From the start, every step that is possible is tried, and from every state
 * that was not seen before, again, until there are no new ones. States are finite, as nothing counts; runs are not, so
 * that the sends and maskings explored are as many as one likes.
 *
 * In each state it is checked that
 *   - a guest at rest (nothing to do, no upcall due) has handled all that was sent to ports it does not mask;
 *   - a vCPU does not sleep while an upcall is due;
 *   - a send to a masked port neither raises the upcall nor wakes anybody, and no handler runs for a masked port.
 *
 * Budget: more than 400 lines, since guest, checker and list of guests explain each other.
 *
 * Could it pass wrongly? Three guests with a well-known bug each must be found to lose events, or the checker is blind.
 */
#include "tests/evtchn/fixture.h"

#include "evtchn/event_fifo.c" /* its queues' tails are part of a state */

#include <stdio.h>

/* Two ports: in different words of the bitmaps of either width; with FIFO on the same queue, or not. */
static const evtchn_port_t ports[2] = { 1, 66 };

enum bug_kind { BUG_NONE, BUG_UNMASK_ALONE, BUG_LATE_ACK, BUG_LATE_UPCALL_CLEAR };

struct config {
    const char *name;
    bool fifo, pv32;
    bool two_queues;       /* FIFO: port B is on another than A */
    bool moves;            /* and the task moves it from one to the other and back */
    bool hypercall_unmask; /* rather than what Linux does on the port's own vCPU */
    bool smp;              /* the task runs on another vCPU than the handler */
    bool handler_masks;    /* and the task unmasks later */
    enum bug_kind bug;
};

/* Where the two contexts of the guest are. */
enum {
    UP_IDLE,
    UP_CLEAR,
    UP_SELECT,
    UP_PENDING,
    UP_MASK,

    UP_ACK,
    UP_HANDLE,
    UP_UNLINK,
    UP_CHECK,
    UP_AGAIN,
    UP_IRET
};
enum { TASK_IDLE, TASK_TEST, TASK_SELECT, TASK_UPCALL, TASK_HYPERCALL };

struct guest {
    uint64_t bits;       /* UP: what is left of the word of the pending map */
    uint32_t ready;      /* UP: copy of the selector (2-level: bit 0 and 1 for the ports' words) or of `ready` */
    uint32_t head[2];    /* UP, FIFO: the guest's own heads of queue 7 and 6 */
    uint8_t up, up_port; /* UP: index into ports[] */
    uint8_t task, task_port;
    bool outstanding[2]; /* for the checker: sent, and no handler has started since */
};

/* All that a state consists of. Compared byte for byte, so made by memset. */
struct state {
    struct guest guest;
    uint64_t pause_flags;
    uint8_t vcpu_info[16];
    uint64_t pending[4], mask[4];
    struct evtchn_fifo_control_block control;
    event_word_t word[2];
    evtchn_port_t tail[EVTCHN_FIFO_MAX_QUEUES];
    uint8_t priority[2], last_priority[2];
};

struct node {
    struct state state;
    size_t parent;
    int choice;
};

enum violation { OK, LOST, SLEEPS, UPCALL_FOR_MASKED, HANDLED_MASKED };
static const char *const violations[] = { "none", "an event was lost", "sleeps with an upcall due",
                                          "an upcall for a masked port", "handled while masked" };

struct model {
    const struct config *cfg;
    struct world *w;
    struct vcpu *v; /* whose handler it is */
    struct guest g;
    enum violation violation;
    struct node *node;
    size_t nr, cap;
    uint32_t *hash; /* index + 1 into node */
    size_t hash_size;
};

/* --- the guest's view of shared memory --- */

static event_word_t *fifo_word(struct model *m, unsigned int i)
{
    return (event_word_t *)world_frame_virt(m->w, world_frame(1, 2)) + ports[i];
}

static struct evtchn_fifo_control_block *fifo_control(struct model *m)
{
    return world_frame_virt(m->w, world_frame(1, 1));
}

static void *map_2l(struct model *m, bool mask)
{
    struct shared_info *si = m->w->dom[1].shared_info;
    struct shared_info_x86_32 *si32 = (struct shared_info_x86_32 *)si;

    if (m->cfg->pv32)
        return mask ? si32->evtchn_mask : si32->evtchn_pending;
    return mask ? si->evtchn_mask : si->evtchn_pending;
}

static void *selector(struct model *m)
{
    return (uint8_t *)m->v->vcpu_info + (m->cfg->pv32 ? offsetof(struct vcpu_info_x86_32, evtchn_pending_sel)
                                                      : offsetof(struct vcpu_info, evtchn_pending_sel));
}

static unsigned int word_of(struct model *m, unsigned int i) { return ports[i] / (m->cfg->pv32 ? 32 : 64); }

/* Of a FIFO word, or of the map. */
static bool get_bit(struct model *m, unsigned int i, bool mask)
{
    if (m->cfg->fifo)
        return *fifo_word(m, i) >> (mask ? EVTCHN_FIFO_MASKED : EVTCHN_FIFO_PENDING) & 1;
    return shared_test_bit(map_2l(m, mask), ports[i]);
}

static void change_bit(struct model *m, unsigned int i, bool mask, bool set)
{
    if (m->cfg->fifo) {
        const event_word_t bit = 1u << (mask ? EVTCHN_FIFO_MASKED : EVTCHN_FIFO_PENDING);

        *fifo_word(m, i) = set ? *fifo_word(m, i) | bit : *fifo_word(m, i) & ~bit;
    } else if (set) {
        shared_test_and_set_bit(map_2l(m, mask), ports[i]);
    } else {
        shared_test_and_clear_bit(map_2l(m, mask), ports[i]);
    }
}

static void save(struct model *m, struct state *s)
{
    memset(s, 0, sizeof(*s));
    memcpy(&s->guest, &m->g, sizeof(m->g));
    s->pause_flags = m->v->pause_flags;
    memcpy(s->vcpu_info, m->v->vcpu_info, sizeof(s->vcpu_info));
    memcpy(s->pending, map_2l(m, false), m->cfg->pv32 ? 16 : 32);
    memcpy(s->mask, map_2l(m, true), m->cfg->pv32 ? 16 : 32);
    if (!m->cfg->fifo)
        return;
    s->control = *fifo_control(m);
    memcpy(s->tail, m->v->evtchn_fifo->tail, sizeof(s->tail));
    for (unsigned int i = 0; i < 2; i++) {
        s->word[i] = *fifo_word(m, i);
        s->priority[i] = evtchn_from_port(&m->w->dom[1], ports[i])->priority;
        s->last_priority[i] = evtchn_from_port(&m->w->dom[1], ports[i])->last_priority;
    }
}

static void restore(struct model *m, const struct state *s)
{
    memcpy(&m->g, &s->guest, sizeof(m->g));
    m->v->pause_flags = (unsigned int)s->pause_flags;
    memcpy(m->v->vcpu_info, s->vcpu_info, sizeof(s->vcpu_info));
    memcpy(map_2l(m, false), s->pending, m->cfg->pv32 ? 16 : 32);
    memcpy(map_2l(m, true), s->mask, m->cfg->pv32 ? 16 : 32);
    if (!m->cfg->fifo)
        return;
    *fifo_control(m) = s->control;
    memcpy(m->v->evtchn_fifo->tail, s->tail, sizeof(s->tail));
    for (unsigned int i = 0; i < 2; i++) {
        *fifo_word(m, i) = s->word[i];
        evtchn_from_port(&m->w->dom[1], ports[i])->priority = s->priority[i];
        evtchn_from_port(&m->w->dom[1], ports[i])->last_priority = s->last_priority[i];
    }
}

/* --- the hypervisor's steps --- */

static void violated(struct model *m, enum violation what) { m->violation = m->violation ? m->violation : what; }

static void step_send(struct model *m, unsigned int i)
{
    const bool masked = get_bit(m, i, true), was_up = m->v->vcpu_info->evtchn_upcall_pending;
    const unsigned int was_paused = m->v->pause_flags;

    assert_int_equal(op_port(m->w->dom[0].vcpu[0], EVTCHNOP_send, 1 + (long)i), 0);
    m->g.outstanding[i] = true;
    if (masked && (was_up != m->v->vcpu_info->evtchn_upcall_pending || was_paused != m->v->pause_flags))
        violated(m, UPCALL_FOR_MASKED);
}

/* What entering a PV guest begins with. */
static void step_upcall(struct model *m)
{
    m->v->vcpu_info->evtchn_upcall_mask = 1;
    m->g.up = UP_CLEAR;
}

/* SCHEDOP_block. */
static void step_block(struct model *m)
{
    m->v->vcpu_info->evtchn_upcall_mask = 0;
    if (!m->v->vcpu_info->evtchn_upcall_pending)
        m->v->pause_flags |= VPF_blocked;
}

/* --- the guest's task: mask and unmask --- */

static void hypercall_unmask(struct model *m)
{
    struct vcpu *caller = m->w->dom[1].vcpu[m->cfg->smp];

    assert_int_equal(op_port(caller, EVTCHNOP_unmask, ports[m->g.task_port]), 0);
    m->g.task = TASK_IDLE;
}

static void task_unmask(struct model *m, unsigned int i)
{
    m->g.task_port = (uint8_t)i;
    if (m->cfg->bug == BUG_UNMASK_ALONE) {
        change_bit(m, i, true, false);
    } else if (m->cfg->hypercall_unmask || m->cfg->smp) {
        m->g.task = TASK_HYPERCALL;
    } else if (m->cfg->fifo) { /* one compare-and-exchange: clear MASKED unless PENDING */
        if (get_bit(m, i, false))
            m->g.task = TASK_HYPERCALL;
        else
            change_bit(m, i, true, false);
    } else {
        change_bit(m, i, true, false);
        m->g.task = TASK_TEST;
    }
}

static void step_task(struct model *m)
{
    const unsigned int i = m->g.task_port;

    switch (m->g.task) {
    case TASK_HYPERCALL: hypercall_unmask(m); break;
    case TASK_TEST: m->g.task = get_bit(m, i, false) ? TASK_SELECT : TASK_IDLE; break;
    case TASK_SELECT: m->g.task = shared_test_and_set_bit(selector(m), word_of(m, i)) ? TASK_IDLE : TASK_UPCALL; break;
    case TASK_UPCALL:
        m->v->vcpu_info->evtchn_upcall_pending = 1;
        m->g.task = TASK_IDLE;
        break;
    }
}

/* --- the guest's handler --- */

static void handle(struct model *m)
{
    const unsigned int i = m->g.up_port;

    if (!m->cfg->smp && !m->cfg->handler_masks && get_bit(m, i, true))
        violated(m, HANDLED_MASKED);
    m->g.outstanding[i] = false;
}

/* Read and clear: both of the ports' selector bits, or all of `ready`. */
static uint32_t take_selector(struct model *m)
{
    uint32_t ready = 0;

    if (m->cfg->fifo)
        return __atomic_exchange_n(&fifo_control(m)->ready, 0, __ATOMIC_SEQ_CST);
    for (unsigned int i = 0; i < 2; i++)
        ready |= (uint32_t)shared_test_and_clear_bit(selector(m), word_of(m, i)) << i;
    return ready;
}

/* The steps in which the ABIs differ: find the next port. */
static void step_find_2l(struct model *m)
{
    struct guest *g = &m->g;

    switch (g->up) {
    case UP_SELECT:
        g->ready = take_selector(m);
        g->up = UP_PENDING;
        break;
    case UP_PENDING: /* there is one port in each word */
        if (!g->ready) {
            g->up = UP_AGAIN;
            break;
        }
        g->up_port = (uint8_t)__builtin_ctz(g->ready);
        g->ready &= g->ready - 1;
        g->bits = get_bit(m, g->up_port, false);
        g->up = UP_MASK;
        break;
    case UP_MASK:
        g->up = g->bits && !get_bit(m, g->up_port, true) ? UP_ACK : UP_PENDING;
        g->bits = 0;
        break;
    }
}

static void step_find_fifo(struct model *m)
{
    struct guest *g = &m->g;
    const unsigned int queue = g->ready ? (unsigned int)__builtin_ctz(g->ready) : 0;
    uint32_t port;

    switch (g->up) {
    case UP_SELECT:
        g->ready |= take_selector(m);
        g->up = UP_PENDING;
        break;
    case UP_PENDING: /* read the head */
        if (!g->ready) {
            g->up = UP_AGAIN;
            break;
        }
        assert_true(queue == 6 || queue == 7);
        port = g->head[queue & 1] ? g->head[queue & 1] : fifo_control(m)->head[queue];
        assert_true(port == ports[0] || port == ports[1]);
        g->up_port = port == ports[1];
        g->up = UP_UNLINK;
        break;
    case UP_UNLINK:
        g->head[queue & 1] = *fifo_word(m, g->up_port) & EVTCHN_FIFO_LINK_MASK;
        *fifo_word(m, g->up_port) &= ~((1u << EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK);
        if (!g->head[queue & 1])
            g->ready &= ~(1u << queue);
        g->up = UP_CHECK;
        break;
    case UP_CHECK: g->up = get_bit(m, g->up_port, false) ? UP_MASK : UP_SELECT; break;
    case UP_MASK: g->up = get_bit(m, g->up_port, true) ? UP_SELECT : UP_ACK; break;
    }
}

static void step_handler(struct model *m)
{
    const uint8_t next_port = m->cfg->fifo ? UP_SELECT : UP_PENDING;
    struct guest *g = &m->g;

    switch (g->up) {
    case UP_CLEAR:
        if (m->cfg->bug != BUG_LATE_UPCALL_CLEAR)
            m->v->vcpu_info->evtchn_upcall_pending = 0;
        g->up = UP_SELECT;
        break;
    case UP_ACK: /* first acknowledge, then handle */
        if (m->cfg->handler_masks)
            change_bit(m, g->up_port, true, true);
        if (m->cfg->bug == BUG_LATE_ACK)
            handle(m);
        else
            change_bit(m, g->up_port, false, false);
        g->up = UP_HANDLE;
        break;
    case UP_HANDLE:
        if (m->cfg->bug == BUG_LATE_ACK)
            change_bit(m, g->up_port, false, false);
        else
            handle(m);
        g->up = next_port;
        break;
    case UP_AGAIN:
        if (m->cfg->bug == BUG_LATE_UPCALL_CLEAR)
            m->v->vcpu_info->evtchn_upcall_pending = 0;
        g->up = m->v->vcpu_info->evtchn_upcall_pending ? UP_CLEAR : UP_IRET;
        break;
    case UP_IRET:
        m->v->vcpu_info->evtchn_upcall_mask = 0;
        g->up_port = 0;
        g->up = UP_IDLE;
        break;
    default:
        if (m->cfg->fifo)
            step_find_fifo(m);
        else
            step_find_2l(m);
    }
}

/* --- exploring --- */

enum { SEND_A, SEND_B, UPCALL, HANDLER, TASK, MASK_A, MASK_B, UNMASK_A, UNMASK_B, CLI, STI, MOVE, BLOCK, NR_CHOICES };
static const char *const choices[] = { "send A",   "send B",   "upcall", "handler", "task",   "mask A", "mask B",
                                       "unmask A", "unmask B", "cli",    "sti",     "move B", "block" };

static bool possible(struct model *m, int choice)
{
    const bool blocked = m->v->pause_flags & VPF_blocked;
    const bool task_runs = m->cfg->smp || (!blocked && m->g.up == UP_IDLE);
    const bool irqs_off = m->v->vcpu_info->evtchn_upcall_mask;

    switch (choice) {
    case SEND_A:
    case SEND_B: return true;
    case UPCALL: return !blocked && local_events_need_delivery(m->v);
    case HANDLER: return m->g.up != UP_IDLE;
    case TASK: return task_runs && m->g.task != TASK_IDLE;
    case MASK_A:
    case MASK_B: return task_runs && m->g.task == TASK_IDLE && !get_bit(m, choice - MASK_A, true);
    case UNMASK_A:
    case UNMASK_B: return task_runs && m->g.task == TASK_IDLE && get_bit(m, choice - UNMASK_A, true);
    case CLI:
    case STI: return !m->cfg->smp && task_runs && irqs_off == (choice == STI);
    case MOVE: return m->cfg->moves && task_runs && m->g.task == TASK_IDLE;
    default: return !blocked && m->g.up == UP_IDLE && (m->cfg->smp || m->g.task == TASK_IDLE);
    }
}

static void apply(struct model *m, int choice)
{
    switch (choice) {
    case SEND_A:
    case SEND_B: step_send(m, (unsigned int)choice - SEND_A); break;
    case UPCALL: step_upcall(m); break;
    case HANDLER: step_handler(m); break;
    case TASK: step_task(m); break;
    case MASK_A:
    case MASK_B: change_bit(m, (unsigned int)choice - MASK_A, true, true); break;
    case UNMASK_A:
    case UNMASK_B: task_unmask(m, (unsigned int)choice - UNMASK_A); break;
    case CLI:
    case STI: m->v->vcpu_info->evtchn_upcall_mask = choice == CLI; break;
    case MOVE: op_set_priority(m->v, ports[1], evtchn_from_port(&m->w->dom[1], ports[1])->priority ^ 1); break;
    default: step_block(m);
    }
    if (m->g.task == TASK_IDLE)
        m->g.task_port = 0;
}

static void check(struct model *m)
{
    if (m->v->pause_flags & VPF_blocked && local_events_need_delivery(m->v))
        violated(m, SLEEPS);
    if (m->g.up != UP_IDLE || m->g.task != TASK_IDLE || m->v->vcpu_info->evtchn_upcall_mask ||
        m->v->vcpu_info->evtchn_upcall_pending)
        return;
    for (unsigned int i = 0; i < 2; i++)
        if (m->g.outstanding[i] && !get_bit(m, i, true))
            violated(m, LOST);
}

static uint64_t hash_of(const struct state *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < sizeof(*s); i++)
        h = (h ^ ((const uint8_t *)s)[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

/* Note the present state unless it is known. */
static void visit(struct model *m, size_t parent, int choice)
{
    struct state s;
    size_t slot;

    save(m, &s);
    for (slot = hash_of(&s) % m->hash_size; m->hash[slot]; slot = (slot + 1) % m->hash_size)
        if (!memcmp(&m->node[m->hash[slot] - 1].state, &s, sizeof(s)))
            return;
    if (m->nr == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 1024;
        m->node = realloc(m->node, m->cap * sizeof(*m->node));
        assert_non_null(m->node);
    }
    assert_true(m->nr < m->hash_size / 2);
    m->node[m->nr++] = (struct node){ .parent = parent, .choice = choice };
    memcpy(&m->node[m->nr - 1].state, &s, sizeof(s));
    m->hash[slot] = (uint32_t)m->nr;
}

static void print_path(const struct model *m, size_t i)
{
    if (m->node[i].parent != i)
        print_path(m, m->node[i].parent);
    print_message("%s", m->node[i].parent != i ? choices[m->node[i].choice] : "    start");
    print_message(", ");
}

static struct world *model_world(const struct config *cfg)
{
    struct world *w = world_create(~0u);
    struct vcpu *v = w->dom[1].vcpu[0], *v0 = w->dom[0].vcpu[0];

    w->edges.trace.sink = NULL;
    w->dom[1].has_32bit_shinfo = cfg->pv32;
    for (unsigned int port = 1; port <= 66; port++)
        assert_int_equal(op_alloc_unbound(v, DOMID_SELF, 0), port);
    if (cfg->fifo) {
        assert_int_equal(op_init_control(v, 0, world_frame(1, 1), 0), 0);
        assert_int_equal(op_expand_array(v, world_frame(1, 2)), 0);
    }
    for (unsigned int i = 0; i < 2; i++)
        assert_int_equal(op_bind_interdomain(v0, 1, ports[i]), 1 + i);
    if (cfg->two_queues)
        assert_int_equal(op_set_priority(v, ports[1], 6), 0);
    return w;
}

static void explore(const struct config *cfg)
{
    struct model m = { .cfg = cfg, .hash_size = 1u << 21 };

    m.w = model_world(cfg);
    m.v = m.w->dom[1].vcpu[0];
    m.hash = calloc(m.hash_size, sizeof(*m.hash));
    visit(&m, 0, 0);
    for (size_t i = 0; i < m.nr && !m.violation; i++) {
        for (int choice = 0; choice < NR_CHOICES && !m.violation; choice++) {
            restore(&m, &m.node[i].state);
            if (!possible(&m, choice))
                continue;
            apply(&m, choice);
            check(&m);
            visit(&m, i, choice);
            if (m.violation) {
                print_path(&m, i);
                print_message("%s: %s\n", choices[choice], violations[m.violation]);
            }
        }
    }
    print_message("%s: %zu states\n", cfg->name, m.nr);
    assert_int_equal(m.violation, cfg->bug ? LOST : OK);
    free(m.node);
    free(m.hash);
    world_destroy(m.w);
}

static void test_two_level(void **state)
{
    const struct config configs[] = {
        { .name = "2-level" },
        { .name = "2-level, EVTCHNOP_unmask", .hypercall_unmask = true },
        { .name = "2-level, PV32", .pv32 = true },
        { .name = "2-level, PV32, EVTCHNOP_unmask", .pv32 = true, .hypercall_unmask = true },
        { .name = "2-level, unmasked by another vCPU", .smp = true },
        { .name = "2-level, handler masks", .handler_masks = true },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(configs); i++)
        explore(&configs[i]);
}

static void test_fifo(void **state)
{
    const struct config configs[] = {
        { .name = "FIFO, one queue", .fifo = true },
        { .name = "FIFO, two queues", .fifo = true, .two_queues = true },
        { .name = "FIFO, EVTCHNOP_unmask", .fifo = true, .hypercall_unmask = true },
        { .name = "FIFO, PV32, two queues", .fifo = true, .pv32 = true, .two_queues = true },
        { .name = "FIFO, unmasked by another vCPU", .fifo = true, .smp = true },
        { .name = "FIFO, changing priorities", .fifo = true, .moves = true },
        { .name = "FIFO, changing priorities, another vCPU", .fifo = true, .moves = true, .smp = true },
        { .name = "FIFO, handler masks", .fifo = true, .handler_masks = true },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(configs); i++)
        explore(&configs[i]);
}

static void test_buggy_guests_are_found(void **state)
{
    const struct config configs[] = {
        { .name = "2-level, unmask without a second look", .bug = BUG_UNMASK_ALONE },
        { .name = "2-level, acknowledges after handling", .bug = BUG_LATE_ACK },
        { .name = "2-level, clears upcall_pending last", .bug = BUG_LATE_UPCALL_CLEAR },
        { .name = "FIFO, unmask without a second look", .fifo = true, .bug = BUG_UNMASK_ALONE },
        { .name = "FIFO, acknowledges after handling", .fifo = true, .bug = BUG_LATE_ACK },
        { .name = "FIFO, clears upcall_pending last", .fifo = true, .bug = BUG_LATE_UPCALL_CLEAR },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(configs); i++)
        explore(&configs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_level),
        cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_buggy_guests_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
