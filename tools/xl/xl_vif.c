// SPDX-License-Identifier: GPL-2.0-or-later
/* Network cards of a guest, as they are written: see tools/xl/xl_vif.h. */
#include "tools/xl/xl_vif.h"

#include "tools/printable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libxlutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool fail(char why[XL_VIF_WHY_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, XL_VIF_WHY_SIZE, fmt, ap);
    va_end(ap);
    make_printable(why, strlen(why), false);
    return false;
}

/* --- values --- */

static bool mac_read(struct xl_vif *v, const char *value, char why[XL_VIF_WHY_SIZE])
{
    unsigned int nr = 0;
    const char *p = value;
    char *end;

    for (; nr < 6 && strspn(p, "0123456789abcdefABCDEF") == 2; nr++) {
        v->mac[nr] = (uint8_t)strtoul(p, &end, 16);
        p = end + (*end == ':');
    }
    if (nr != 6 || *p || strlen(value) != 17)
        return fail(why, "mac=%.100s: expected an address such as 00:16:3e:01:02:03", value);
    if (v->mac[0] & 1)
        return fail(why, "mac=%.100s: it is a group's, a card's first byte is even", value);
    v->has_mac = true;
    return true;
}

/* An interface's, as Linux has them. */
static bool name_read(char name[XL_VIF_NAME_SIZE], const char *key, const char *value, char why[XL_VIF_WHY_SIZE])
{
    if (!*value || strlen(value) >= XL_VIF_NAME_SIZE || strpbrk(value, "/: \t") || !strcmp(value, ".") ||
        !strcmp(value, ".."))
        return fail(why, "%s=%.100s: expected a name of 1 to %d characters, without / and :", key, value,
                    XL_VIF_NAME_SIZE - 1);
    strcpy(name, value);
    return true;
}

static bool number_read(uint32_t *n, const char *key, const char *value, uint32_t min, uint32_t max,
                        char why[XL_VIF_WHY_SIZE])
{
    unsigned long long got;
    char *end;

    errno = 0;
    got = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || got < min || got > max)
        return fail(why, "%s=%.100s: expected a number, %u to %u", key, value, min, max);
    *n = (uint32_t)got;
    return true;
}

/* Xen's own library knows "10Mb/s@50ms". */
static bool rate_read(struct xl_vif *v, const char *value, char why[XL_VIF_WHY_SIZE])
{
    char *report = NULL;
    size_t report_size = 0;
    FILE *stream = open_memstream(&report, &report_size);
    XLU_Config *xlu = stream ? xlu_cfg_init(stream, "rate") : NULL;
    libxl_device_nic nic;
    int rc = ENOMEM;

    memset(&nic, 0, sizeof(nic));
    if (xlu) {
        rc = xlu_vif_parse_rate(xlu, value, &nic);
        xlu_cfg_destroy(xlu);
    }
    if (stream)
        fclose(stream);
    free(report);
    if (rc || !nic.rate_bytes_per_interval || nic.rate_bytes_per_interval > INT32_MAX || !nic.rate_interval_usecs)
        return fail(why, "rate=%.100s: expected a rate such as 10Mb/s or 1MB/s@20ms", value);
    v->rate_bytes = nic.rate_bytes_per_interval;
    v->rate_interval_us = nic.rate_interval_usecs;
    return true;
}

static bool script_read(const char *value, char why[XL_VIF_WHY_SIZE])
{
    const char *name = strrchr(value, '/') ? strrchr(value, '/') + 1 : value;

    return !strcmp(name, "vif-bridge") ||
           fail(why, "script=%.100s: scripts are not run; what vif-bridge does is done without", value);
}

static bool type_read(struct xl_vif *v, const char *value, char why[XL_VIF_WHY_SIZE])
{
    v->only_pv = !strcmp(value, "vif") || !strcmp(value, "netfront");
    v->ioemu = !strcmp(value, "ioemu");
    return v->only_pv || v->ioemu || fail(why, "type=%.100s: expected vif or ioemu", value);
}

/* [ADDRESS]:PORT; no address: the one that is there. */
static bool place_read(char *text, uint32_t *addr, uint16_t *port)
{
    char *colon = strrchr(text, ':'), *end;
    struct in_addr in;
    unsigned long n;

    if (!colon)
        return false;
    *colon = 0;
    if (*text && inet_pton(AF_INET, text, &in) != 1)
        return false;
    if (*text)
        *addr = in.s_addr;
    n = strtoul(colon + 1, &end, 10);
    *port = (uint16_t)n;
    return colon[1] >= '0' && colon[1] <= '9' && !*end && n >= 1 && n <= 65535;
}

/* PROTOCOL:[ADDRESS]:PORT-[ADDRESS]:PORT, as QEMU has it, but from this machine alone if no address is said. */
static bool forward_read(struct xl_vif *v, const char *value, char why[XL_VIF_WHY_SIZE])
{
    struct xl_forward f = { .host_addr = htonl(INADDR_LOOPBACK), .guest_addr = htonl(0x0a00020f) };
    char copy[80], *guest;
    bool good;

    if (v->nr_forwards == XL_VIF_FORWARDS)
        return fail(why, "hostfwd=%.100s: more than %d of one card", value, XL_VIF_FORWARDS);
    snprintf(copy, sizeof(copy), "%s", value);
    f.udp = !strncmp(copy, "udp:", 4);
    guest = strchr(copy, '-');
    if (guest)
        *guest++ = 0;
    good = guest && strlen(value) < sizeof(copy) && (f.udp || !strncmp(copy, "tcp:", 4)) &&
           place_read(copy + 4, &f.host_addr, &f.host_port) && place_read(guest, &f.guest_addr, &f.guest_port);
    if (!good)
        return fail(why, "hostfwd=%.100s: expected such as tcp:127.0.0.1:8080-10.0.2.15:80", value);
    v->forward[v->nr_forwards++] = f;
    return true;
}

static bool text_read(char *to, size_t size, const char *key, const char *value, char why[XL_VIF_WHY_SIZE])
{
    if (!*value || strlen(value) >= size)
        return fail(why, "%s=%.100s: expected 1 to %zu characters", key, value, size - 1);
    strcpy(to, value);
    return true;
}

static bool word_read(struct xl_vif *v, const char *key, const char *value, char why[XL_VIF_WHY_SIZE])
{
    static const char refused[] = " gatewaydev netdev forwarddev accel colo_proxy ";
    char padded[40];

    if (!strcmp(key, "mac"))
        return mac_read(v, value, why);
    if (!strcmp(key, "bridge"))
        return name_read(v->bridge, key, value, why);
    if (!strcmp(key, "vifname"))
        return name_read(v->vifname, key, value, why);
    if (!strcmp(key, "rate"))
        return rate_read(v, value, why);
    if (!strcmp(key, "hostfwd"))
        return forward_read(v, value, why);
    if (!strcmp(key, "tftp"))
        return text_read(v->tftp, sizeof(v->tftp), key, value, why);
    if (!strcmp(key, "bootfile"))
        return text_read(v->bootfile, sizeof(v->bootfile), key, value, why);
    if (!strcmp(key, "script"))
        return script_read(value, why);
    if (!strcmp(key, "type"))
        return type_read(v, value, why);
    if (!strcmp(key, "model")) {
        v->other_model = strcmp(value, "rtl8139") != 0;
        return true;
    }
    if (!strcmp(key, "devid"))
        return number_read(&v->devid, key, value, 0, 65535, why);
    if (!strcmp(key, "mtu"))
        return number_read(&v->mtu, key, value, 68, 65521, why);
    if (!strcmp(key, "ip")) {
        if (strlen(value) >= sizeof(v->ip))
            return fail(why, "ip=%.100s...: longer than an address", value);
        strcpy(v->ip, value);
        return true;
    }
    if (!strcmp(key, "backend"))
        return xl_backend_read(value, v->backend) ||
               fail(why, "backend=%.100s...: no domain has so long a name", value);
    snprintf(padded, sizeof(padded), " %.36s ", key);
    if (strstr(refused, padded) || !strncmp(key, "colo_", 5))
        return fail(why, "%.36s is not supported", key);
    return fail(why, "there is no %.100s= of a network card", key);
}

const char *xl_vif_outside_word(const struct xl_vif *v)
{
    return v->nr_forwards ? "hostfwd" : *v->tftp ? "tftp" : *v->bootfile ? "bootfile" : NULL;
}

/* --- what is written --- */

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    return s + strspn(s, " \t");
}

static bool words_read(struct xl_vif *v, char *rest, bool bridge_first, char why[XL_VIF_WHY_SIZE])
{
    char *word;

    for (bool first = true; (word = strsep(&rest, ",")); first = false) {
        char *value = strchr(word = trim(word), '=');

        if (!*word)
            continue;
        if (!strcmp(word, "trusted") || !strcmp(word, "untrusted")) {
            v->untrusted = *word == 'u';
            continue;
        }
        if (!value && first && bridge_first) {
            if (!name_read(v->bridge, "bridge", word, why))
                return false;
            continue;
        }
        if (!value)
            return fail(why, "expected NAME=VALUE, got \"%.100s\"", word);
        *value++ = 0;
        if (!word_read(v, trim(word), trim(value), why))
            return false;
    }
    return true;
}

static struct xl_vif *devid_find(struct xl_vifs *vifs, uint32_t devid)
{
    for (unsigned int i = 0; i < vifs->nr; i++)
        if (vifs->list[i].devid == devid)
            return &vifs->list[i];
    return NULL;
}

/* With the first number that is free, if it has none. */
static bool list_put(struct xl_vifs *vifs, struct xl_vif v, char why[XL_VIF_WHY_SIZE])
{
    if (vifs->nr == XL_VIFS_MAX)
        return fail(why, "more than %d network cards", XL_VIFS_MAX);
    if (v.unnumbered)
        for (v.devid = 0; devid_find(vifs, v.devid);)
            v.devid++;
    vifs->list[vifs->nr++] = v;
    return true;
}

static bool add(struct xl_vifs *vifs, const char *spec, bool bridge_first, char why[XL_VIF_WHY_SIZE])
{
    struct xl_vif v = { .bridge = XL_VIF_DEFAULT_BRIDGE, .mtu = XL_VIF_DEFAULT_MTU, .devid = UINT32_MAX };
    char *copy = strdup(spec);
    bool good = copy ? words_read(&v, copy, bridge_first, why) : fail(why, "not enough memory");

    free(copy);
    if (!good)
        return false;
    if (xl_vif_outside_word(&v) && strcmp(v.bridge, XL_VIF_OUTSIDE))
        return fail(why, "%s=: only the bridge " XL_VIF_OUTSIDE " has an outside", xl_vif_outside_word(&v));
    v.unnumbered = v.devid == UINT32_MAX;
    if (devid_find(vifs, v.devid))
        return fail(why, "devid=%u: there is a card with this number already", v.devid);
    return list_put(vifs, v, why);
}

bool xl_vifs_add(struct xl_vifs *vifs, const char *spec, char why[XL_VIF_WHY_SIZE])
{
    return add(vifs, spec, false, why);
}

bool xl_vifs_add_short(struct xl_vifs *vifs, const char *text, char why[XL_VIF_WHY_SIZE])
{
    return add(vifs, text, true, why);
}

bool xl_vifs_merge(struct xl_vifs *to, const struct xl_vifs *more, char why[XL_VIF_WHY_SIZE])
{
    bool good = true;

    for (unsigned int i = 0; good && i < more->nr; i++) {
        struct xl_vif *there = more->list[i].unnumbered ? NULL : devid_find(to, more->list[i].devid);

        if (there)
            *there = more->list[i];
        else
            good = more->list[i].unnumbered || list_put(to, more->list[i], why);
    }
    for (unsigned int i = 0; good && i < more->nr; i++)
        good = !more->list[i].unnumbered || list_put(to, more->list[i], why);
    return good;
}
