// SPDX-License-Identifier: GPL-2.0-or-later
/* --pcap FILE: see ui/pcap_file.h. */
#include "ui/pcap_file.h"

#include <errno.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

const char *pcap_path(const char *value, char port[PCAP_PORT_SIZE])
{
    const size_t len = strcspn(value, "=/");

    port[0] = '\0';
    if (value[len] != '=' || !len || len >= PCAP_PORT_SIZE)
        return value;
    memcpy(port, value, len);
    port[len] = '\0';
    return value + len + 1;
}

static void put(struct pcap_file *f, const void *bytes, size_t len)
{
    if (!f->error && fwrite(bytes, 1, len, f->out) != len)
        f->error = errno;
}

int pcap_open(struct pcap_files *p, const char *value)
{
    const uint32_t header[] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1 };
    struct pcap_file *f = &p->file[p->nr];

    f->path = pcap_path(value, f->port);
    f->error = 0;
    f->out = fopen(f->path, "we");
    if (!f->out)
        return -1;
    p->nr++;
    put(f, header, sizeof(header));
    return 0;
}

void pcap_packet(struct pcap_files *p, const struct host_packet *packet)
{
    const uint64_t at = (uint64_t)packet->at;
    const uint32_t len = (uint32_t)packet->len,
                   header[] = { (uint32_t)(at / SECOND), (uint32_t)(at % SECOND), len, len };

    for (struct pcap_file *f = p->file; f < p->file + p->nr; f++)
        if (*f->port ? !strcmp(f->port, packet->port) : packet->in) {
            put(f, header, sizeof(header));
            put(f, packet->bytes, packet->len);
        }
}

int pcap_close(struct pcap_files *p, const char **path)
{
    int error = 0;

    for (struct pcap_file *f = p->file; f < p->file + p->nr; f++) {
        if (fclose(f->out) && !f->error)
            f->error = errno;
        if (f->error && !error) {
            error = f->error;
            *path = f->path;
        }
    }
    p->nr = 0;
    return error;
}
