//! Enters the kernel: by `svc` on the target, and by a call of the installed kernel on a host.
//!
//! Both modules have the same functions: one for each way in which system calls use registers.

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod aarch64;
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub(crate) use aarch64::{
    bare, call, call_empty, cycle_counter, nb_send_recv, nb_send_recv_empty, recv, send,
    send_empty, send_recv,
};

#[cfg(not(target_os = "none"))]
pub mod host;
#[cfg(not(target_os = "none"))]
pub(crate) use host::{
    bare, call, call_empty, cycle_counter, nb_send_recv, nb_send_recv_empty, recv, send,
    send_empty, send_recv,
};

#[cfg(all(target_os = "none", not(target_arch = "aarch64")))]
compile_error!("sel4-sys supports only AArch64: build for the target aarch64-unknown-none");
