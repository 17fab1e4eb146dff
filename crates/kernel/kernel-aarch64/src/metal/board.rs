//! The machine that the model runs on: implements [`Machine`] for QEMU's `virt`.

use super::console::Console;
use super::gic::Gic;
use super::memory::{self, IpcBuffer};
use super::snapshot;
use super::timer;
use alloc::vec::Vec;
use boot_spec::BootSpec;
use core::fmt::{self, Write};
use kernel_aarch64::layout::GPIO_IRQ;
use kernel_aarch64::report::{ERROR, FaultReport, INFO, ThreadList};
use kernel_model::{CacheMaintenance, CacheRange, HaltReason, Machine, Report, ThreadId, Ticks};

/// QEMU's `virt` machine.
pub(super) struct Board {
    pub(super) console: Console,
    pub(super) gic: Gic,
    /// The IPC buffer of each PD.
    pub(super) ipc_buffers: Vec<IpcBuffer>,
    pub(super) spec: BootSpec,
    /// The physical address of the page tables of each PD.
    pub(super) tables: Vec<u64>,
}

impl Machine for Board {
    fn now(&mut self) -> Ticks {
        timer::now()
    }

    fn read_ipc_buffer(&mut self, thread: ThreadId, index: usize) -> u64 {
        self.ipc_buffers[thread.index()].read(index)
    }

    fn write_ipc_buffer(&mut self, thread: ThreadId, index: usize, word: u64) {
        self.ipc_buffers[thread.index()].write(index, word);
    }

    fn copy_ipc_buffer(&mut self, from: ThreadId, to: ThreadId, indices: core::ops::Range<usize>) {
        let (from, to) = (self.ipc_buffers[from.index()], self.ipc_buffers[to.index()]);
        from.copy(to, indices);
    }

    fn mask_irq(&mut self, number: u32) {
        self.gic.mask(number);
    }

    fn unmask_irq(&mut self, number: u32) {
        self.gic.unmask(number);
    }

    fn put_char(&mut self, byte: u8) {
        self.console.put(byte);
    }

    fn maintain_cache(&mut self, maintenance: CacheMaintenance, range: CacheRange) {
        memory::maintain(maintenance, range.paddr..range.paddr + range.bytes);
    }

    fn report(&mut self, report: Report<'_>) {
        // Writing to the console cannot fail.
        let _ = self.print(report);
    }
}

impl Board {
    fn print(&mut self, report: Report<'_>) -> fmt::Result {
        let name = |thread: ThreadId| {
            let pd = self.spec.pds.get(thread.index());
            pd.map_or("monitor", |pd| pd.name.as_str())
        };
        let console = &mut self.console;
        match report {
            // These reports are not errors. Printing these reports would only clutter the output of
            // PDs.
            Report::MonitorStarted | Report::Passive { .. } | Report::NameThread { .. } => Ok(()),
            Report::Fault(fault) => match self.spec.pds.get(fault.pd_index) {
                Some(pd) => write!(console, "{}", FaultReport { pd, fault }),
                None => Ok(()),
            },
            Report::NotPassive { pd_index, error } => {
                let name = self.spec.pds.get(pd_index).map_or("?", |pd| &pd.name);
                writeln!(console, "{ERROR}{name}: cannot be made passive: {error}")
            }
            Report::NoFaultHandler { thread, fault } => {
                let name = name(thread);
                writeln!(
                    console,
                    "{ERROR}{name}: has no fault handler for {fault:x?}"
                )
            }
            Report::UnhandledIrq {
                number: GPIO_IRQ,
                kernel,
            } => snapshot::take(kernel, &self.tables),
            Report::UnhandledIrq { number, .. } => {
                writeln!(console, "{ERROR}IRQ {number} has no handler")
            }
            Report::DumpScheduler(kernel) => write!(console, "{}", ThreadList(kernel)),
            Report::Snapshot { thread, .. } => {
                let name = name(thread);
                writeln!(
                    console,
                    "{INFO}{name}: DebugSnapshot is not supported by the model kernel"
                )
            }
            Report::Halt { thread, reason } => {
                let name = name(thread);
                let reason = match reason {
                    HaltReason::Asked => "with DebugHalt",
                    HaltReason::NotAThread => "because it named something that is not a thread",
                    HaltReason::NoIpcBuffer => "because it named a thread without an IPC buffer",
                    HaltReason::NameTooLong => {
                        "because the name that it gave a thread does not end"
                    }
                };
                writeln!(console, "{ERROR}{name}: halted the machine, {reason}")
            }
        }
    }
}
