// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scene: what several panels show of a machine that stands still, by value.
 *
 * Concept: it is taken once for each picture, and panels draw from it. Whom it is about is the vCPU that commands are
 * about.
 */
#ifndef UI_PANELS_SCENE_H
#define UI_PANELS_SCENE_H

#include "tools/debug/window.h"
#include "ui/debug/debug.h"
#include "ui/screen/style.h"

#define SCENE_CHECKPOINTS 1024
#define SCENE_BRANCHES    16
#define SCENE_CRASHES     16
#define SCENE_PCPUS       64

/* What a panel is about, if that has been said: `panel NAME THING`. */
struct panel_about {
    bool given;
    char text[64]; /* as it was typed */
    struct debug_addr what;
    const char *type; /* of the vCPU's domain, as in the scene */
};

struct scene {
    struct position at, first, end;
    s_time_t now, end_now;
    bool live;
    char branch[REWIND_NAME_SIZE];
    char where[POSITION_TEXT]; /* "107.947us#80747.1" */
    domid_t dom;
    unsigned int vcpu;
    const char *name; /* of the domain, or NULL: good until the machine moves */
    const char *type; /* "pv64", "pv32", "native"; NULL: there is no such domain */
    bool has_vcpu;    /* then: */
    struct look_vcpu v;
    bool at_event; /* the machine has stopped at one: */
    struct trace_record event;
    const struct window *window; /* the trace before here */
    struct condition *filter;    /* of events: those for which it holds; NULL: all */
    unsigned int nr_pcpus;
    struct look_pcpu pcpu[SCENE_PCPUS];
    struct panel_about about;    /* of the panel that looks next */
    bool blocks;                 /* who draws may do so by halves of cells in any colours; else by characters alone */
    unsigned int nr_checkpoints; /* the first of them */
    struct position checkpoint[SCENE_CHECKPOINTS];
    unsigned int nr_marks;
    struct debug_mark mark[DEBUG_MARKS];
    unsigned int nr_crashes; /* of guests, the first of them, those that are known to come as well */
    struct {
        domid_t dom;
        struct position at;
        char why[80];
    } crash[SCENE_CRASHES];
    unsigned int nr_branches; /* where others leave this line */
    struct {
        char name[REWIND_NAME_SIZE];
        struct position parts;
    } other[SCENE_BRANCHES];
};

/* The machine is looked at, and not changed; window is borrowed. */
void scene_take(struct scene *s, struct debug *g, const struct window *window);

/* What a panel may be about: "dN", an address, "dNvM". False, and it has said why. */
bool scene_about_domain(struct debug *g, const char *text, struct debug_addr *what);
bool scene_about_address(struct debug *g, const char *text, struct debug_addr *what);
bool scene_about_vcpu(struct debug *g, const char *text, struct debug_addr *what);
/* Of a panel that may be about a domain: does it want this one's rows? */
static inline bool scene_wants(const struct scene *s, domid_t dom)
{
    return !s->about.given || s->about.what.dom == dom;
}

/* The style of who executes: enum trace_mode. */
enum style scene_mode_style(unsigned int mode);

/* A domain's type, "HVM" or another (look_domain()); NULL: there is no such domain. */
const char *scene_type_of(struct debug *g, domid_t dom);

#endif
