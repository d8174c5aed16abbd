// SPDX-License-Identifier: GPL-2.0-or-later
/* Core dumps: what is in the file, of both widths, and that a failure leaves none behind. */
#include "tests/vcpu/fixture.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/elfnote.h>
#include <xen/foreign/x86_32.h>

#include "tools/xc/coredump.h"

struct file {
    const uint8_t *data;
    size_t size;
};

static struct file file_map(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    struct file f;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    f.size = (size_t)st.st_size;
    f.data = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_true(f.data != MAP_FAILED);
    close(fd);
    return f;
}

/* A section's contents, by name. */
static const void *section(const struct file *f, const char *name, uint64_t *size)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)f->data;
    const Elf64_Shdr *sh = (const Elf64_Shdr *)(f->data + eh->e_shoff);

    for (int i = 1; i < eh->e_shnum; i++) {
        if (strcmp((const char *)f->data + sh[eh->e_shstrndx].sh_offset + sh[i].sh_name, name))
            continue;
        assert_true(sh[i].sh_offset + sh[i].sh_size <= f->size);
        *size = sh[i].sh_size;
        return f->data + sh[i].sh_offset;
    }
    fail_msg("no section %s", name);
    return NULL;
}

static void check(struct fixture *f, const char *path, bool is64)
{
    const struct file file = file_map(path);
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file.data;
    uint64_t size, nr_tables = 0;
    const uint8_t *pages;
    const uint64_t *p2m;
    const uint32_t *note;

    assert_true(!memcmp(eh->e_ident, ELFMAG, SELFMAG) && eh->e_type == ET_CORE);
    assert_int_equal(eh->e_machine, is64 ? EM_X86_64 : EM_386);
    note = section(&file, ".note.Xen", &size);
    assert_int_equal(note[2], XEN_ELFNOTE_DUMPCORE_NONE);
    assert_int_equal(note[6], XEN_ELFNOTE_DUMPCORE_HEADER);
    assert_int_equal(note[8], 0xf00febed);
    assert_int_equal(note[12], FIX_PAGES);

    /* Only the first vCPU ever ran. */
    if (is64) {
        const struct vcpu_guest_context *c = section(&file, ".xen_prstatus", &size);

        assert_int_equal(size, sizeof(*c));
        assert_true(c->user_regs.rip == f->v->regs->rip && c->user_regs.rsi == f->v->regs->rsi);
    } else {
        const struct vcpu_guest_context_x86_32 *c = section(&file, ".xen_prstatus", &size);

        assert_int_equal(size, sizeof(*c));
        assert_true(c->user_regs.eip == f->v->regs->rip && c->user_regs.esi == f->v->regs->rsi);
    }
    assert_memory_equal(section(&file, ".xen_shared_info", &size), f->d->shared_info, PAGE_SIZE);

    /* Every page, in order, with its contents: page tables too. */
    p2m = section(&file, ".xen_p2m", &size);
    assert_int_equal(size, FIX_PAGES * 16);
    pages = section(&file, ".xen_pages", &size);
    assert_int_equal(size, (uint64_t)FIX_PAGES * PAGE_SIZE);
    for (uint64_t i = 0; i < FIX_PAGES; i++) {
        const mfn_t mfn = _mfn(p2m[2 * i + 1]);

        assert_int_equal(p2m[2 * i], i);
        assert_int_equal(f->xen->m2p[mfn_x(mfn)], i);
        nr_tables += (mfn_to_page(f->xen, mfn)->type_info & PGT_type_mask) == PGT_l1_page_table;
        if (memcmp(pages + i * PAGE_SIZE, mfn_to_virt(f->m, mfn), PAGE_SIZE))
            fail_msg("page %llu differs", (unsigned long long)i);
    }
    assert_true(nr_tables > 0);
    munmap((void *)file.data, file.size);
}

static void everything_is_in_it(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/xenlab-test-XXXXXX", path[64], err[COREDUMP_ERR_SIZE] = "";
    struct stat st;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/core", dir);
    for (int i = 0; i < 2; i++) {
        if (i)
            fix_guest(f, &kernel_legacy32);
        if (coredump_write(f->xc, f->d->domain_id, i == 0, path, err))
            fail_msg("%s", err);
        check(f, path, i == 0);
        assert_true(stat(path, &st) == 0 && st.st_blocks * 512 < st.st_size / 4); /* zeroes take no room */
        unlink(path);
    }
    rmdir(dir);
}

static void failures(void **state)
{
    struct fixture *f = *state;
    char err[COREDUMP_ERR_SIZE];
    uint8_t page[PAGE_SIZE];

    assert_int_equal(coredump_write(f->xc, f->d->domain_id, true, "/nosuch/core", err), -1);
    assert_string_equal(err, "/nosuch/core: No such file or directory");
    assert_int_equal(coredump_write(f->xc, 4711, true, "/nosuch/core", err), -1);
    assert_int_equal(xc_read_foreign(f->xc, f->d->domain_id, f->xen->dom0->shared_info_mfn, page), -EINVAL);
    assert_int_equal(xc_read_foreign(f->xc, f->d->domain_id, _mfn(~UINT64_C(0)), page), -EINVAL);
    assert_int_equal(xc_read_foreign(f->xc, 4711, f->v->pv.guest_table, page), -ESRCH);
    assert_int_equal(xc_read_foreign(f->xc, DOMID_XEN, f->v->pv.guest_table, page), -EINVAL);
}

/* Whether it is written, cannot be, or is not wanted: virtual time goes by the same. */
static void costs_the_same(void **state)
{
    struct fixture *f = *state;
    const char *const paths[] = { NULL, "/nosuch/core", "build/test_coredump.core", "/dev/full", NULL };
    char err[COREDUMP_ERR_SIZE];
    s_time_t first = 0;

    f->xen->dom0->vcpu[0]->native.metered = true;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        const s_time_t before = f->m->clock.now;
        const int rc = coredump_write(f->xc, f->d->domain_id, true, paths[i], err);

        assert_int_equal(rc, paths[i] && paths[i][0] == '/' ? -1 : 0);
        first = first ? first : f->m->clock.now - before;
        assert_true(first > FIX_PAGES);
        assert_int_equal(f->m->clock.now - before, first);
    }
    unlink("build/test_coredump.core");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_in_it, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(failures, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(costs_the_same, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
