//! The model kernel: what `kernel_aarch64` decides, done to QEMU's `virt` machine.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(target_os = "none")]
mod metal;

#[cfg(not(target_os = "none"))]
fn main() {
    println!("This is a kernel: build it with --target aarch64-unknown-none.");
}
