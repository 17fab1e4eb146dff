//! The machine of the model kernel: programs on a host, and a clock that the test advances.

use kernel_model::{CacheMaintenance, CacheRange, Machine, Report, ThreadId, Ticks};

use crate::program::Actor;

/// A fault that Microkit's monitor has received: the fault of a PD without a parent.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct MonitorFault {
    pub(crate) pd: usize,
    pub(crate) name: &'static str,
    /// The kind of fault (`seL4_Fault_tag`).
    pub label: u64,
}

impl MonitorFault {
    /// Returns the name of the PD.
    pub const fn protection_domain(&self) -> &'static str {
        self.name
    }
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) now: Ticks,
    pub(crate) actors: Vec<Actor>,
    pub(crate) names: Vec<&'static str>,
    /// The output on the kernel's console.
    pub(crate) console: Vec<u8>,
    pub(crate) masked: Vec<u32>,
    pub(crate) faults: Vec<MonitorFault>,
}

impl Machine for Host {
    fn now(&mut self) -> Ticks {
        self.now
    }

    fn read_ipc_buffer(&mut self, thread: ThreadId, index: usize) -> u64 {
        self.actors[thread.index()].read_buffer(index)
    }

    fn write_ipc_buffer(&mut self, thread: ThreadId, index: usize, word: u64) {
        self.actors[thread.index()].write_buffer(index, word);
    }

    fn mask_irq(&mut self, number: u32) {
        if !self.masked.contains(&number) {
            self.masked.push(number);
        }
    }

    fn unmask_irq(&mut self, number: u32) {
        self.masked.retain(|masked| *masked != number);
    }

    fn put_char(&mut self, byte: u8) {
        self.console.push(byte);
    }

    fn maintain_cache(&mut self, _: CacheMaintenance, _: CacheRange) {}

    fn report(&mut self, report: Report<'_>) {
        match report {
            Report::Fault(fault) => self.faults.push(MonitorFault {
                pd: fault.pd_index,
                name: self.names[fault.pd_index],
                label: fault.label,
            }),
            Report::NoFaultHandler { thread, fault } => self.faults.push(MonitorFault {
                pd: thread.index(),
                name: self.names[thread.index()],
                label: fault.label(),
            }),
            // The log of a system does not include the output of the monitor.
            _ => {}
        }
    }
}
