// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's settings as an xl.cfg: what stands in front of a saved domain.
 *
 * Concept: as in what libxl retrieves, they are those that it has now: its name, devices that came and
 * went, the memory that it is to have. What xl.cfg's reader (tools/xl/) makes of the text is what the guest has.
 *
 * Budget: a line for each setting.
 */
#include "tools/host_saved.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* What of an xl.cfg's string is not itself. */
static void escaped(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', f);
        if ((unsigned char)*text < ' ')
            fprintf(f, "\\x%02x", (unsigned char)*text);
        else
            fputc(*text, f);
    }
}

static void string(FILE *f, const char *key, const char *value)
{
    if (!value)
        return;
    fprintf(f, "%s = \"", key);
    escaped(f, value);
    fputs("\"\n", f);
}

static void number(FILE *f, const char *key, long long value) { fprintf(f, "%s = %lld\n", key, value); }

/* --- scheduling, the processor --- */

static void cpus(FILE *f, const struct xl_cpus *c)
{
    bool some = false;

    fputc('"', f);
    for (unsigned int i = 0; i < 64 && c->mask != UINT64_MAX; i++)
        if (c->mask >> i & 1) {
            fprintf(f, "%s%u", some ? "," : "", i);
            some = true;
        }
    fputs(some ? "\"" : "all\"", f);
}

static void affinity(FILE *f, const char *key, const struct xl_affinity *a)
{
    if (!a->where)
        return;
    fprintf(f, "%s = %s", key, a->each ? "[ " : "");
    for (unsigned int i = 0; i < a->nr; i++) {
        cpus(f, &a->cpus[i]);
        fputs(a->each && i + 1 < a->nr ? ", " : "", f);
    }
    fputs(a->each ? " ]\n" : "\n", f);
}

static void scheduling(FILE *f, const struct xl_sched *s)
{
    for (int k = 0; k < XL_SCHED_NR; k++)
        if (s->number[k].where)
            number(f, xl_sched_key_name((enum xl_sched_key)k), s->number[k].value);
    affinity(f, "cpus", &s->hard);
    affinity(f, "cpus_soft", &s->soft);
    if (s->pool_where)
        string(f, "pool", s->pool);
}

static void processor(FILE *f, const struct xl_cpuid *c)
{
    static const char *const regs[] = { "eax", "ebx", "ecx", "edx" };

    for (unsigned int i = 0; i < c->nr; i++) {
        const struct xl_cpuid_leaf *l = &c->leaf[i];
        const char *between = ":";

        fprintf(f, "%s\"%#x", i ? ", " : "cpuid = [ ", l->leaf);
        if (l->subleaf != XL_CPUID_NO_SUBLEAF)
            fprintf(f, ",%#x", l->subleaf);
        for (unsigned int r = 0; r < 4; r++)
            if (*l->reg[r]) {
                fprintf(f, "%s%s=%s", between, regs[r], l->reg[r]);
                between = ",";
            }
        fputc('"', f);
    }
    fputs(c->nr ? " ]\n" : "", f);
}

/* --- devices --- */

void guest_disk_text(FILE *f, const struct xl_disk *d)
{
    fprintf(f, "format=%s,vdev=%s,access=%s,speed=%s", xl_disk_word(d->format), d->vdev, d->readonly ? "ro" : "rw",
            disk_speed_name(d->speed));
    fputs(d->cdrom ? ",devtype=cdrom" : "", f);
    fputs(d->discard ? "" : ",no-discard", f);
    fputs(d->direct_io_safe ? ",direct-io-safe" : "", f);
    fputs(d->untrusted ? ",untrusted" : "", f);
    if (*d->backend)
        fprintf(f, ",backend=%s", d->backend);
    fputs(",target=", f);
    fputs(d->path, f);
}

/* A CD drive without a disc is one of the list. */
static void empty_cds(FILE *f, const struct guest *g, bool first)
{
    for (unsigned int i = 0; i < XL_IDE_DRIVES; i++)
        if (g->hvm.empty_cds >> i & 1) {
            fprintf(f, "%s\"format=raw,vdev=hd%c,access=ro,devtype=cdrom,target=\"", first ? "disk = [ " : ", ",
                    'a' + i);
            first = false;
        }
    fputs(first ? "" : " ]\n", f);
}

static void disks(FILE *f, const struct guest *g)
{
    for (unsigned int i = 0; i < g->nr_disks; i++) {
        char *text = NULL;
        size_t len;
        FILE *t = open_memstream(&text, &len);

        fputs(i ? ", \"" : "disk = [ \"", f);
        if (t) {
            guest_disk_text(t, &g->disks[i].cfg);
            fclose(t);
            escaped(f, text);
        }
        free(text);
        fputc('"', f);
    }
    empty_cds(f, g, !g->nr_disks);
}

static void forward(FILE *f, const struct xl_forward *w)
{
    char host[INET_ADDRSTRLEN], guest[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &w->host_addr, host, sizeof(host));
    inet_ntop(AF_INET, &w->guest_addr, guest, sizeof(guest));
    fprintf(f, ",hostfwd=%s:%s:%u-%s:%u", w->udp ? "udp" : "tcp", host, w->host_port, guest, w->guest_port);
}

static void vif(FILE *f, const struct xl_vif *v)
{
    fprintf(f, "devid=%u,mtu=%u", v->devid, v->mtu);
    if (v->has_mac)
        fprintf(f, ",mac=%02x:%02x:%02x:%02x:%02x:%02x", v->mac[0], v->mac[1], v->mac[2], v->mac[3], v->mac[4],
                v->mac[5]);
    if (*v->bridge)
        fprintf(f, ",bridge=%s", v->bridge);
    if (*v->vifname)
        fprintf(f, ",vifname=%s", v->vifname);
    if (*v->ip)
        fprintf(f, ",ip=%s", v->ip);
    if (*v->backend)
        fprintf(f, ",backend=%s", v->backend);
    if (v->rate_bytes)
        fprintf(f, ",rate=%lluB/s@%uus", (unsigned long long)v->rate_bytes * 1000000 / v->rate_interval_us,
                v->rate_interval_us);
    for (unsigned int i = 0; i < v->nr_forwards; i++)
        forward(f, &v->forward[i]);
    if (*v->tftp)
        fprintf(f, ",tftp=%s", v->tftp);
    if (*v->bootfile)
        fprintf(f, ",bootfile=%s", v->bootfile);
    fputs(v->only_pv ? ",type=vif" : v->ioemu ? ",type=ioemu" : "", f);
    fputs(v->untrusted ? ",untrusted" : "", f);
}

static void vifs(FILE *f, const struct guest *g)
{
    for (unsigned int i = 0; i < g->vifs.nr; i++) {
        fputs(i ? ", \"" : "vif = [ \"", f);
        vif(f, &g->vifs.list[i]);
        fputc('"', f);
    }
    fputs(g->vifs.nr ? " ]\n" : "", f);
}

/* Words of a screen's or a keyboard's, as one of a list's. */
static void words(FILE *f, const struct xl_fb *fb, const char *begin)
{
    fprintf(f, "%s\"", begin);
    for (unsigned int i = 0; i < fb->nr; i++) {
        fprintf(f, "%s%s=", i ? "," : "", fb->words[i].name);
        escaped(f, fb->words[i].value);
    }
    fputc('"', f);
}

/* A screen has brought a keyboard along, of which nothing was said. */
static void screens(FILE *f, const struct xl_fbs *fbs)
{
    unsigned int brought = fbs->nr_fbs, nr = 0;

    for (unsigned int i = 0; i < fbs->nr_fbs; i++)
        words(f, &fbs->fb[i], i ? ", " : "vfb = [ ");
    fputs(fbs->nr_fbs ? " ]\n" : "", f);
    for (unsigned int i = 0; i < fbs->nr_kbds; i++)
        if (fbs->kbd[i].nr || !brought)
            words(f, &fbs->kbd[i], nr++ ? ", " : "vkb = [ ");
        else
            brought--;
    fputs(nr ? " ]\n" : "", f);
}

/* --- all of it --- */

static void uuid(FILE *f, const struct guest *g)
{
    fputs("uuid = \"", f);
    for (unsigned int i = 0; i < sizeof(g->cfg.uuid); i++)
        fprintf(f, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", g->cfg.uuid[i]);
    fputs("\"\n", f);
}

static void limits(FILE *f, const struct build_limits *l)
{
    if (l->event_channels)
        number(f, "max_event_channels", l->event_channels);
    if (l->grant_frames)
        number(f, "max_grant_frames", l->grant_frames);
    if (l->maptrack_frames || l->no_maptrack)
        number(f, "max_maptrack_frames", l->maptrack_frames);
}

/* Serial lines: each as a word. */
static void serials(FILE *f, const struct guest *g)
{
    static const char *const words[] = {
        [XL_SERIAL_NONE] = "none", [XL_SERIAL_STDIO] = "stdio", [XL_SERIAL_PTY] = "pty"
    };

    for (unsigned int i = 0; i < g->hvm.nr_serials; i++)
        fprintf(f, "%s\"%s\"", i ? ", " : "serial = [ ", words[g->hvm.serials[i]]);
    fputs(g->hvm.nr_serials ? " ]\n" : "", f);
}

/* What of an HVM guest is a PC's. What it starts with if nothing is named differs from a machine to the next. */
static void pc(FILE *f, const struct guest *g)
{
    static const char *const vgas[] = {
        [XL_VGA_CIRRUS] = "cirrus", [XL_VGA_STDVGA] = "stdvga", [XL_VGA_NONE] = "none", [XL_VGA_QXL] = "qxl"
    };
    const struct xl_hvm *s = &g->hvm;
    const char *bios = g->host->edges->firmware[HOST_SEABIOS];

    if (!g->cfg.is_firmware)
        string(f, "firmware_override", g->cfg.kernel);
    if (g->cfg.ramdisk && (!bios || strcmp(bios, g->cfg.ramdisk) != 0))
        string(f, "bios_path_override", g->cfg.ramdisk);
    if (*s->boot)
        string(f, "boot", s->boot);
    serials(f, g);
    string(f, "vga", vgas[s->vga]);
    if (s->videoram_mib)
        number(f, "videoram", s->videoram_mib);
    if (s->mmio_hole_mib)
        number(f, "mmio_hole", s->mmio_hole_mib);
    if (s->rtc_timeoffset)
        number(f, "rtc_timeoffset", s->rtc_timeoffset);
    number(f, "localtime", s->localtime);
    number(f, "apic", s->apic);
    number(f, "pae", s->pae);
    number(f, "nx", s->nx);
    number(f, "hpet", s->hpet);
    number(f, "acpi_s3", s->acpi_s3);
    number(f, "acpi_s4", s->acpi_s4);
    number(f, "vpt_align", s->vpt_align);
    number(f, "xen_platform_pci", s->xen_platform_pci);
}

static void hvm(FILE *f, const struct guest *g)
{
    static const char *const modes[] = { "delay_for_missed_ticks", "no_delay_for_missed_ticks",
                                         "no_missed_ticks_pending", "one_missed_tick_pending" };

    static const char *const policies[] = {
        [XL_SHADOW_EMULATE] = "emulate", [XL_SHADOW_DROP] = "drop", [XL_SHADOW_OOS] = "oos"
    };
    static const char *const techniques[] = { [XL_TECHNIQUE_HARDWARE] = "hardware",
                                              [XL_TECHNIQUE_EMULATE] = "emulate",
                                              [XL_TECHNIQUE_RING1] = "ring1",
                                              [XL_TECHNIQUE_TRANSLATE] = "translate" };

    if (guest_has_dm(g))
        pc(f, g);
    number(f, "hap", g->hvm.hap);
    if (!g->hvm.hap)
        string(f, "shadow_policy", policies[g->hvm.shadow_policy]);
    if (g->hvm.technique)
        string(f, "technique", techniques[g->hvm.technique]);
    number(f, "acpi", g->hvm.acpi);
    if (g->hvm.shadow_mib)
        number(f, "shadow_memory", g->hvm.shadow_mib);
    string(f, "timer_mode", modes[g->hvm.timer_mode]);
}

static void all(FILE *f, const struct guest *g)
{
    static const char *const tsc_modes[] = { "default", "always_emulate", "native" };

    string(f, "name", g->cfg.name);
    uuid(f, g);
    string(f, "type", xl_type_name(g->cfg.has_type ? g->cfg.type : XL_TYPE_PV));
    if (!guest_has_dm(g)) {
        string(f, "kernel", g->cfg.kernel);
        string(f, "ramdisk", g->cfg.ramdisk);
        string(f, "cmdline", g->cfg.cmdline);
    }
    number(f, "memory", g->cfg.memory_mib);
    number(f, "maxmem", g->cfg.maxmem_mib);
    number(f, "vcpus", g->cfg.vcpus);
    number(f, "maxvcpus", g->cfg.maxvcpus);
    string(f, "on_poweroff", xl_action_name(g->cfg.on_poweroff));
    string(f, "on_reboot", xl_action_name(g->cfg.on_reboot));
    string(f, "on_crash", xl_action_name(g->cfg.on_crash));
    string(f, "on_watchdog", xl_action_name(g->cfg.on_watchdog));
    string(f, "on_soft_reset", xl_action_name(g->cfg.on_soft_reset));
    if (g->cfg.tsc_mode < ARRAY_SIZE(tsc_modes))
        string(f, "tsc_mode", tsc_modes[g->cfg.tsc_mode]);
    limits(f, &g->cfg.limits);
    scheduling(f, &g->sched);
    processor(f, &g->cpuid);
    disks(f, g);
    vifs(f, g);
    if (g->fbs)
        screens(f, g->fbs);
    if (guest_is_hvm(g))
        hvm(f, g);
}

char *guest_config_text(const struct guest *g)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        return NULL;
    all(f, g);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}
