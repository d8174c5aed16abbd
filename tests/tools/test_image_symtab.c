// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The symbol table behind the kernel: what lies there is an ELF file that readelf can read, and it reaches the guest.
 *
 * Could it pass wrongly? readelf knows nothing of the program; and where the symbols are told of in the kernel's own
 * file, those of the made-up kernels are written down here.
 */
#include "tests/vcpu/fixture.h"

#include "tools/build/image.h"

#include <elf.h>
#include <unistd.h>
#include <xen/elfnote.h>

#define BASE64 UINT64_C(0xffffffff80000000)

static const struct kernel_spec kernel64 = {
    .paddr = 0x100000,
    .entry = BASE64 + 0x100000,
    .symbols = true,
    .symbol_base = BASE64 + 0x100000,
    .notes = { { XEN_ELFNOTE_LOADER, "generic", 0, 0 },
               { XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 0, 0 },
               { XEN_ELFNOTE_VIRT_BASE, NULL, BASE64, 8 },
               { XEN_ELFNOTE_BSD_SYMTAB, "yes", 0, 0 } },
};

static const struct kernel_spec kernel32 = {
    .narrow = true,
    .paddr = 0x100000,
    .entry = 0xc0100000,
    .symbols = true,
    .symbol_base = 0xc0100000,
    .notes = { { XEN_ELFNOTE_LOADER, "generic", 0, 0 },
               { XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 0, 0 },
               { XEN_ELFNOTE_PAE_MODE, "yes", 0, 0 },
               { XEN_ELFNOTE_VIRT_BASE, NULL, 0xc0000000, 4 },
               { XEN_ELFNOTE_BSD_SYMTAB, "yes", 0, 0 } },
};

static const struct image_segment *last_segment(const struct image *img)
{
    return &img->segments[img->nr_segments - 1];
}

/*
 * What readelf says of it, spaces squeezed. Where sections have no names that of binutils 2.44 writes "<no-strings>"
 * for the number of a symbol's section, too; there the number is not looked at.
 */
static void readelf(const char *options, const uint8_t *data, size_t size, char *said, size_t said_size)
{
    char path[] = "/tmp/xenlab-test-XXXXXX", command[192];
    int fd = mkstemp(path);
    FILE *out;
    size_t n;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
    snprintf(command, sizeof(command),
             "LC_ALL=C readelf %s %s 2>&1 | tr -s ' ' | sed 's/DEFAULT <no-strings> /DEFAULT 2 /'", options, path);
    out = popen(command, "r");
    assert_non_null(out);
    n = fread(said, 1, said_size - 1, out);
    said[n] = 0;
    assert_int_equal(pclose(out), 0);
    unlink(path);
}

static void expect_words(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("no \"%s\" in:\n%s", words, text);
}

static void readable(const struct kernel_spec *spec, uint64_t align, const char *start, const char *label)
{
    size_t size;
    uint8_t *file = kernel_elf(spec, &size);
    char err[IMAGE_ERR_SIZE] = "", said[8192];
    const struct image_segment *s;
    struct image img;
    uint32_t length;

    if (image_parse(&img, file, size, IMAGE_PV, err))
        fail_msg("%s", err);
    assert_true(img.bsd_symtab && !img.symtab_lost);
    assert_int_equal(img.nr_segments, 3);
    s = last_segment(&img);
    assert_int_equal(s->paddr, 0x101000 + KERNEL_BSS_SIZE); /* aligned already */
    assert_int_equal(s->vaddr - s->paddr, img.virt_base);
    assert_int_equal(img.virt_kend, s->vaddr + s->memsz);
    assert_int_equal(s->memsz, s->filesz);
    assert_int_equal(s->memsz % align, 0);
    memcpy(&length, s->data, sizeof(length));
    assert_in_range(s->memsz - 4 - length, 0, align - 1);

    readelf("-hSsW", s->data + 4, length, said, sizeof(said));
    expect_words(said, spec->narrow ? "Class: ELF32" : "Class: ELF64");
    expect_words(said, "Start of program headers: 0");
    expect_words(said, "Start of section headers: 64");
    expect_words(said, "Number of program headers: 0");
    expect_words(said, "Number of section headers: 3");
    expect_words(said, "contains 4 entries:");
    expect_words(said, start);
    expect_words(said, label);
    expect_words(said, "OBJECT GLOBAL DEFAULT 2 object\n");
    if (strstr(said, "rror") || strstr(said, "arning"))
        fail_msg("%s", strstr(said, "Key to Flags"));
    image_free(&img);
    free(file);
}

static void readable64(void **state)
{
    readable(&kernel64, 8, "ffffffff80100000 16 FUNC GLOBAL DEFAULT 2 start\n",
             "ffffffff80100100 0 NOTYPE GLOBAL DEFAULT 2 label\n");
}

static void readable32(void **state)
{
    readable(&kernel32, 4, "c0100000 16 FUNC GLOBAL DEFAULT 2 start\n", "c0100100 0 NOTYPE GLOBAL DEFAULT 2 label\n");
}

/* As the section __xen_guest asks for it: and where p_paddr are virtual addresses. */
static void legacy(void **state)
{
    size_t size;
    uint8_t *file = kernel_elf(&kernel_legacy32, &size);
    char err[IMAGE_ERR_SIZE];
    struct image img;

    assert_int_equal(image_parse(&img, file, size, IMAGE_PV, err), 0);
    assert_true(img.bsd_symtab && !img.symtab_lost);
    assert_int_equal(last_segment(&img)->paddr, 0x101000 + KERNEL_BSS_SIZE);
    assert_int_equal(img.virt_kend, last_segment(&img)->vaddr + last_segment(&img)->memsz);
    image_free(&img);
    free(file);
}

/* Who does not ask gets none; who asks and has none is loaded without. */
static void without(void **state)
{
    struct kernel_spec spec = kernel64;
    char err[IMAGE_ERR_SIZE];
    struct image img;
    uint8_t *file;
    size_t size;

    for (unsigned int i = 0; i < 2; i++) {
        spec.symbols = i == 0;
        spec.notes[3].text = i ? "yes" : "no";
        file = kernel_elf(&spec, &size);
        assert_int_equal(image_parse(&img, file, size, IMAGE_PV, err), 0);
        assert_int_equal(img.nr_segments, 2);
        assert_int_equal(img.symtab_lost, i);
        assert_int_equal(img.virt_kend, BASE64 + 0x101000 + KERNEL_BSS_SIZE);
        image_free(&img);
        free(file);
    }
}

/* Where a section header of the symbol table or of the strings is, in the kernel's file. */
static uint8_t *shdr_find(uint8_t *file, bool narrow, uint32_t type, unsigned int nth)
{
    const size_t entry = narrow ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
    uint64_t shoff = 0;
    uint16_t shnum;

    memcpy(&shoff, file + (narrow ? offsetof(Elf32_Ehdr, e_shoff) : offsetof(Elf64_Ehdr, e_shoff)), narrow ? 4 : 8);
    memcpy(&shnum, file + (narrow ? offsetof(Elf32_Ehdr, e_shnum) : offsetof(Elf64_Ehdr, e_shnum)), 2);
    for (unsigned int i = 0; i < shnum; i++) {
        uint32_t is;

        memcpy(&is, file + shoff + i * entry + 4, 4);
        if (is == type && nth-- == 0)
            return file + shoff + i * entry;
    }
    fail();
    return NULL;
}

/* Damaged in each of its fields: loaded without, or with what is in the file; never anything else. */
static void damaged(void **state)
{
    static const uint64_t values[] = { 0, 1, 3, 4, 6, 0xff, 0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX - 4095 };
    unsigned int lost = 0, loaded = 0;

    for (unsigned int narrow = 0; narrow < 2; narrow++) {
        const unsigned int word = narrow ? 4 : 8, fields = narrow ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);

        for (unsigned int at = 0; at < 2 * fields; at += 4) {
            for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
                size_t size;
                uint8_t *file = kernel_elf(narrow ? &kernel32 : &kernel64, &size);
                const bool symtab = at < fields;
                char err[IMAGE_ERR_SIZE];
                struct image img;

                memcpy(shdr_find(file, narrow, symtab ? SHT_SYMTAB : SHT_STRTAB, symtab ? 0 : 1) + at % fields,
                       &values[v], at % fields + word <= fields ? word : 4);
                if (image_parse(&img, file, size, IMAGE_PV, err) == 0) {
                    assert_int_equal(img.nr_segments, img.symtab_lost ? 2 : 3);
                    lost += img.symtab_lost;
                    loaded += !img.symtab_lost;
                    if (!img.symtab_lost)
                        assert_in_range(last_segment(&img)->filesz, 260, 260 + 2 * size + 16);
                    image_free(&img);
                }
                free(file);
            }
        }
    }
    assert_true(lost > 100 && loaded > 100);
}

/* In a domain's memory, before everything else that the builder puts there. */
static void reaches_the_guest(void **state)
{
    const struct kernel_spec *specs[] = { &kernel64, &kernel32 };

    for (unsigned int i = 0; i < 2; i++) {
        struct fixture *f = *state;
        size_t size;
        uint8_t *file = kernel_elf(specs[i], &size), *got;
        char err[IMAGE_ERR_SIZE];
        const struct image_segment *s;
        struct image img;

        fix_guest(f, specs[i]);
        assert_int_equal(image_parse(&img, file, size, IMAGE_PV, err), 0);
        s = last_segment(&img);
        got = malloc(s->filesz);
        assert_int_equal(copy_from_guest(f->v, got, s->vaddr, s->filesz), 0);
        assert_memory_equal(got, s->data, s->filesz);
        if (i == 0) { /* RSI: start_info; the p2m list is the first thing behind the kernel */
            struct start_info si;

            assert_int_equal(copy_from_guest(f->v, &si, f->v->regs->rsi, sizeof(si)), 0);
            assert_int_equal(si.mfn_list, (img.virt_kend + PAGE_SIZE - 1) & PAGE_MASK);
        }
        free(got);
        image_free(&img);
        free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable64), cmocka_unit_test(readable32),
        cmocka_unit_test(legacy),     cmocka_unit_test(without),
        cmocka_unit_test(damaged),    cmocka_unit_test_setup_teardown(reaches_the_guest, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
