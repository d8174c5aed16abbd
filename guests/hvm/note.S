// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To be included: how a guest without an operating system, which is started without paging, says where it begins
 * (`start`). By the note PHYS32_ENTRY it can stand in hvmloader's place (firmware_override) or be a PVH kernel; by the
 * header of Multiboot a boot loader, or QEMU's -kernel, can start it as well.
 */
#include <xen/elfnote.h>

#define MULTIBOOT_MAGIC 0x1badb002

        .pushsection .note.Xen, "a", @note
        .balign 4
        .long   4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   start
        .popsection

        .pushsection .multiboot, "a"
        .balign 4
        .long   MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC
        .popsection
