use std::cell::RefCell;

use sel4_sys::host::{HostBuffer, HostKernel, Registers};

struct Kernel(RefCell<Option<HostBuffer<'static>>>);

impl HostKernel for Kernel {
    fn system_call(&self, _: &mut Registers, buffer: Option<HostBuffer<'_>>) {
        self.0.replace(buffer);
    }
}

fn main() {}
