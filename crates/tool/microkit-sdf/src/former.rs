//! Attributes and elements of other Microkit versions, each with its replacement in this version.
//!
//! If a file was valid in another version, the help names the replacement instead of all valid
//! names. The table covers the released versions from 1.3.0, and the development versions with
//! public files. The sources of the table are `CHANGES.md` of Microkit and the history of its
//! `tool`.

/// Returns the replacement for `attribute` of `element`, if another version of Microkit had this
/// attribute.
pub(crate) fn attribute(element: &str, attribute: &str) -> Option<&'static str> {
    Some(match (element, attribute) {
        ("protection_domain", "pp") => {
            "since Microkit 2.0.0 the channel says who may call: remove it, and write `pp=\"true\"` \
             at each `<end>` of a protection domain that calls this one"
        }
        ("protection_domain", "id" | "setvar_id") => {
            "only a protection domain inside another has a number; that of a channel is at its \
             `<end>`"
        }
        ("protection_domain", "pd_id") => "write `id`, as since Microkit 1.3.0",
        ("virtual_machine", "id" | "vm_id" | "cpu") => {
            "since Microkit 1.3.0 each virtual CPU has its own: write `<vcpu id=\"0\" />` inside"
        }
        ("virtual_machine", "image" | "load_addr" | "dtb") => VMM_LOADS,
        ("channel", "pp" | "notify" | "id" | "pd" | "setvar_id") => "write it at an `<end>` inside",
        ("memory_region", "vaddr" | "perms" | "cached") => {
            "where and how a region is mapped is written at each `<map>` of it"
        }
        ("map", "phys_addr" | "size" | "page_size") => "write it at the `<memory_region>`",
        _ => return None,
    })
}

/// Returns the replacement for `element` inside `parent`, if another version of Microkit had this
/// element.
pub(crate) fn element(parent: &str, element: &str) -> Option<&'static str> {
    Some(match (parent, element) {
        ("system", "domain_schedule" | "domain") => {
            "since Microkit 2.3.0 domains and their schedule are inside `<domains>`"
        }
        ("domain_schedule", "domain") => {
            "since Microkit 2.3.0 this is `<schedule_entry domain=\"...\" duration=\"... us\" />`, \
             after a `<domain name=\"...\" />` inside `<domains>`"
        }
        ("virtual_machine", "program_image" | "device_tree" | "init_ram_disk") => VMM_LOADS,
        ("system", "map" | "irq" | "setvar" | "program_image" | "cspace") => {
            "write it inside a `<protection_domain>`"
        }
        ("protection_domain", "memory_region" | "channel" | "domains") => {
            "write it inside `<system>`, beside the protection domains"
        }
        _ => return None,
    })
}

const VMM_LOADS: &str = "Microkit loads no guest: the program of the protection domain around the \
                         virtual machine does, from its own image or from a memory region with \
                         `prefill_path`";
