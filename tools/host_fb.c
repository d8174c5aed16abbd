// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screens, keyboards and pointers of guests (rings/fb/).
 *
 * Concept: as libxl has them, two kinds of devices, whose words are what is noted in xenstore. Who looks at a screen,
 * and who types there, is the affair of host_screen.c.
 */
#include "rings/fb/fbback.h"
#include "rings/fb/kbdback.h"
#include "tools/nodes.h"

static bool fbs_copy(struct guest *g, const struct host_guest *cfg)
{
    if (cfg->fbs && (cfg->fbs->nr_fbs || cfg->fbs->nr_kbds)) {
        g->fbs = xzalloc(g->host->arena, struct xl_fbs);
        if (!g->fbs)
            return false;
        *g->fbs = *cfg->fbs;
    }
    g->cfg.fbs = NULL;
    return true;
}

static void *fbs_data(struct host *h) { return h->arena; }

static unsigned int fbs_nr(const struct guest *g) { return g->fbs ? g->fbs->nr_fbs : 0; }
static unsigned int kbds_nr(const struct guest *g) { return g->fbs ? g->fbs->nr_kbds : 0; }

static void nodes(struct node_writer *w, const char *type, unsigned int i, const struct xl_fb *fb)
{
    struct device_nodes dev;

    device_begin(&dev, w, type, 0, i);
    device_back(&dev, "online", "1");
    for (unsigned int k = 0; k < fb->nr; k++)
        device_back(&dev, fb->words[k].name, "%s", fb->words[k].value);
    device_back(&dev, "state", "1");
}

static void fb_nodes(struct node_writer *w, unsigned int i) { nodes(w, fbback.type, i, &w->g->fbs->fb[i]); }
static void kbd_nodes(struct node_writer *w, unsigned int i) { nodes(w, kbdback.type, i, &w->g->fbs->kbd[i]); }

static void fbs_free(struct guest *g)
{
    xfree(g->fbs);
    g->fbs = NULL;
}

static bool fbs_clone(struct guest *g, const struct guest *of)
{
    if (g->fbs)
        return true;
    g->fbs = xzalloc(g->host->arena, struct xl_fbs);
    if (g->fbs)
        *g->fbs = *of->fbs;
    return g->fbs;
}

const struct device_kind fb_devices = { .back = &fbback,
                                        .data = fbs_data,
                                        .copy = fbs_copy,
                                        .clone = fbs_clone,
                                        .nr = fbs_nr,
                                        .nodes = fb_nodes,
                                        .free = fbs_free };

static bool kbds_copy(struct guest *g, const struct host_guest *cfg)
{
    (void)g, (void)cfg; /* with the screens */
    return true;
}

static void kbds_free(struct guest *g) { (void)g; }

const struct device_kind kbd_devices = { .back = &kbdback,
                                         .data = fbs_data,
                                         .copy = kbds_copy,
                                         .clone = fbs_clone,
                                         .nr = kbds_nr,
                                         .nodes = kbd_nodes,
                                         .free = kbds_free };
