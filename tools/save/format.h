// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file that a saved domain is: Xen's migration stream, version 2 of libxl's format and 3 of libxc's.
 *
 * Concept: three formats, one in the other. Each reader takes its part, and knows where that ends.
 *
 *      xl      "Xen saved domain, xl format\n \0 \r", flags, the domain's configuration
 *      libxl   "LibxlFmt", version 2; records:
 *        LIBXC_CONTEXT              empty, and behind it
 *      libxc     marker, "XENF", version 3; type of the domain; records:
 *                  what does not change (X86_PV_INFO, policies), STATIC_DATA_END, pages, state, END
 *        EMULATOR_XENSTORE_DATA     a device model's: nothing,
 *        EMULATOR_CONTEXT           and what it is (rings/dm/state.h)
 *        END
 *
 *      record    | type 32 | length 32 | body, length bytes | zeroes up to a multiple of 8 |
 *
 * Invariants: headers of libxl and of libxc are big-endian, all else is as the machine has it. What is reserved is 0.
 *
 * Corresponds to docs/specs/libxc-migration-stream.pandoc and libxl-migration-stream.pandoc of Xen, and to xl's header
 * for the first lines; Debian's verify-stream-v2 checks what is written (tests/guest/save.test).
 */
#ifndef TOOLS_SAVE_FORMAT_H
#define TOOLS_SAVE_FORMAT_H

#include <stdint.h>
#include <xen/xen.h>

/* --- xl --- */

#define XL_SAVED_MAGIC "Xen saved domain, xl format\n \0 \r"

struct xl_saved_header {
    char magic[32];
    uint32_t byteorder; /* XL_SAVED_BYTEORDER */
    uint32_t mandatory_flags, optional_flags;
    uint32_t optional_len; /* bytes that follow: the length of the configuration, 32 bits, and it */
};
#define XL_SAVED_BYTEORDER 0x01020304u
#define XL_SAVED_JSON      1u /* mandatory: the configuration is no xl.cfg */
#define XL_SAVED_STREAMV2  2u /* libxl's format follows */

/* --- records, of libxl and of libxc --- */

struct stream_record {
    uint32_t type, length;
};
#define STREAM_PADDED(length) (((uint64_t)(length) + 7) & ~UINT64_C(7))
#define STREAM_RECORD_MAX     (128u << 20) /* Xen's REC_LENGTH_MAX */
#define STREAM_OPTIONAL       (1u << 31)   /* libxc: who does not know such a record may pass it over */

/* --- libxl --- */

struct libxl_header {
    uint64_t ident;
    uint32_t version, options;
};
#define LIBXL_IDENT   UINT64_C(0x4c6962786c466d74) /* "LibxlFmt" */
#define LIBXL_VERSION 2u

enum libxl_record {
    LIBXL_END,
    LIBXL_LIBXC_CONTEXT,
    LIBXL_EMULATOR_XENSTORE_DATA,
    LIBXL_EMULATOR_CONTEXT,
    LIBXL_CHECKPOINT_END,
    LIBXL_CHECKPOINT_STATE,
};

/* In front of what EMULATOR_ records have. */
struct libxl_emulator_header {
    uint32_t id, index; /* which device model; index: 0 */
};
enum libxl_emulator { LIBXL_EMULATOR_UNKNOWN, LIBXL_EMULATOR_QEMU_TRADITIONAL, LIBXL_EMULATOR_QEMU_UPSTREAM };

/* --- libxc --- */

struct libxc_image_header {
    uint64_t marker;
    uint32_t id, version;
    uint16_t options, reserved1;
    uint32_t reserved2;
};
#define LIBXC_MARKER  UINT64_MAX
#define LIBXC_ID      0x58454e46u /* "XENF" */
#define LIBXC_VERSION 3u

struct libxc_domain_header {
    uint32_t type;
    uint16_t page_shift, reserved;
    uint32_t xen_major, xen_minor;
};
enum libxc_domain_type { LIBXC_X86_PV = 1, LIBXC_X86_HVM = 2 };

/* clang-format off */
#define LIBXC_RECORDS(X)                                                                                               \
    X(0x00, END) X(0x01, PAGE_DATA) X(0x02, X86_PV_INFO) X(0x03, X86_PV_P2M_FRAMES) X(0x04, X86_PV_VCPU_BASIC)         \
    X(0x05, X86_PV_VCPU_EXTENDED) X(0x06, X86_PV_VCPU_XSAVE) X(0x07, SHARED_INFO) X(0x08, X86_TSC_INFO)                \
    X(0x09, HVM_CONTEXT) X(0x0a, HVM_PARAMS) X(0x0b, TOOLSTACK) X(0x0c, X86_PV_VCPU_MSRS) X(0x0d, VERIFY)              \
    X(0x0e, CHECKPOINT) X(0x0f, CHECKPOINT_DIRTY_PFN_LIST) X(0x10, STATIC_DATA_END) X(0x11, X86_CPUID_POLICY)          \
    X(0x12, X86_MSR_POLICY)
/* clang-format on */
enum libxc_record {
#define X(number, name) LIBXC_##name = number,
    LIBXC_RECORDS(X)
#undef X
};

struct libxc_pv_info {
    uint8_t width, levels; /* bytes of its words, 4 or 8; levels of its page tables, 3 or 4 */
    uint16_t reserved1;
    uint32_t reserved2;
};

/* Behind it the pfn, 64 bits, of each page of its p2m list from start_pfn to end_pfn. */
struct libxc_p2m_frames {
    uint32_t start_pfn, end_pfn;
};

/* Behind it `count` numbers of 64 bits: pfn, and its type in the upper four; then the pages of those that have data. */
struct libxc_page_data {
    uint32_t count, reserved;
};
#define LIBXC_PFN_MASK   ((UINT64_C(1) << 52) - 1)
#define LIBXC_TYPE_SHIFT 32    /* from XEN_DOMCTL_PFINFO_*, which has the type in bits 28 to 31 */
#define LIBXC_BATCH_MAX  1024u /* pages of a record */

/* Of vCPU records, in front of what the hypervisor has given. */
struct libxc_vcpu_header {
    uint32_t vcpu, reserved;
};

struct libxc_tsc_info {
    uint32_t mode, khz;
    uint64_t nsec;
    uint32_t incarnation, reserved;
};

struct libxc_hvm_params {
    uint32_t count, reserved; /* behind it pairs of 64 bits: index, value */
};

#endif
