//! The model kernel on QEMU's `virt` machine. This program applies the library `kernel_aarch64`.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(target_os = "none")]
mod metal;

#[cfg(not(target_os = "none"))]
fn main() {
    println!("This is a kernel: build it with --target aarch64-unknown-none.");
}
