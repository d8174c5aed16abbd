// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of xl.cfg(5) that mean nothing here: devices, firmware, HVM.
 *
 * Concept: a key that is not understood is ignored with a warning, and one that looks like a slip of the pen gets the
 * key that was meant. "boot" is one letter from "root" and "hap" one from "cap", and both are keys of xl: what is in
 * this list is no slip. A key that is missing from it is at worst told what it resembles.
 */
#include "tools/xl/xl_cfg_private.h"

#include <string.h>

bool xl_key_of_xl(const char *name)
{
    static const char list[] =
        " acpi_firmware acpi_laptop_slate altp2m altp2mhvm argo autoballoon"
        " blkdev_start bootloader bootloader_args claim_mode colo console"
        " device_model_args device_model_args_hvm device_model_args_pv device_model_override"
        " device_model_stubdomain_override device_model_stubdomain_seclabel device_model_user device_model_version"
        " device_tree dhcp disable_migrate dm_restrict dtdev e820_host gateway "
        "gfx_passthru gic_version"
        " hdtype init_seclabel ioports iomem iommu_memory ip irqs latency loader"
        " max_grant_version monitor ms_vm_genid netmask nics nographic nomigrate"
        " on_xend_start on_xend_stop oos passthrough pci pci_msitranslate pci_permissive"
        " pci_power_mgmt pci_seize pvcalls pvh rdm rdm_mem_boundary"
        " sched seclabel slice smbios smbios_firmware soundhw spice "
        "spice_clipboard_sharing"
        " spice_image_compression spice_streaming_video spiceagent_mouse spicedisable_ticketing spicehost spicepasswd"
        " spiceport spicetls_port spiceusbredirection spicevdagent stubdomain_cmdline stubdomain_kernel"
        " stubdomain_memory stubdomain_ramdisk suppress_spurious_page_faults tee timeoffset "
        "trap_unmapped_accesses usb"
        " usbctrl usbdev usbdevice usbversion vendor_device viommu virtio vdispl"
        " vm_event vmtrace_buf_kb vncconsole vncviewer vnuma vpmu "
        "vscsi"
        " vsnd vtpm vuart xen_9pfs xend_suspend_evtchn_compat ";
    const size_t len = strlen(name);

    for (const char *p = list; len && (p = strstr(p, name)); p++)
        if (p[-1] == ' ' && p[len] == ' ')
            return true;
    return false;
}
