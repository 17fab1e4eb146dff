//! The registry. Its table lists the PD that may register a service, and the permitted clients.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_registry::{Registry, table};
use sel4_microkit::{protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "registry";
    region LASTING = "lasting";
}

table! {
    TABLE: "registry.system", pd = "registry";
    service "bell" = "bell", parent = "parent" {
        client "alice";
    }
    service "sum" = "sum", parent = "parent" {
        client "bob";
        client "carol";
    }
}

waits! {}

#[protection_domain]
fn init() -> Registry {
    Registry::new(&TABLE, LASTING.words().as_slice())
}
