//! The interface between the kernel and its machine.

use crate::clock::Ticks;
use crate::context::UserContext;
use crate::error::InvocationError;
use crate::fault::Fault;
use crate::ids::ThreadId;
use crate::kernel::Kernel;

/// The machine that the kernel runs on: real hardware, or a test.
///
/// The kernel calls these methods during a step. Every thread identifier in a call belongs to a PD,
/// never to the monitor.
///
/// # Examples
///
/// A machine for a test whose PDs use neither long messages nor devices:
///
/// ```
/// use kernel_model::{CacheMaintenance, CacheRange, Machine, Report, ThreadId, Ticks};
///
/// #[derive(Default)]
/// struct Silent {
///     now: Ticks,
///     console: Vec<u8>,
/// }
///
/// impl Machine for Silent {
///     fn now(&mut self) -> Ticks {
///         self.now
///     }
///     fn read_ipc_buffer(&mut self, _: ThreadId, _: usize) -> u64 {
///         0
///     }
///     fn write_ipc_buffer(&mut self, _: ThreadId, _: usize, _: u64) {}
///     fn mask_irq(&mut self, _: u32) {}
///     fn unmask_irq(&mut self, _: u32) {}
///     fn put_char(&mut self, byte: u8) {
///         self.console.push(byte);
///     }
///     fn maintain_cache(&mut self, _: CacheMaintenance, _: CacheRange) {}
///     fn report(&mut self, _: Report<'_>) {}
/// }
/// ```
pub trait Machine {
    /// Returns the current time. If this time is before an earlier result, the kernel uses the
    /// earlier result.
    fn now(&mut self) -> Ticks;

    /// Reads a word of a thread's IPC buffer. `index` is less than
    /// [`IPC_BUFFER_WORDS`](crate::numbers::IPC_BUFFER_WORDS).
    fn read_ipc_buffer(&mut self, thread: ThreadId, index: usize) -> u64;

    /// Writes a word of a thread's IPC buffer.
    fn write_ipc_buffer(&mut self, thread: ThreadId, index: usize, word: u64);

    /// Copies words from one thread's IPC buffer to another's.
    fn copy_ipc_buffer(&mut self, from: ThreadId, to: ThreadId, indices: core::ops::Range<usize>) {
        for index in indices {
            let word = self.read_ipc_buffer(from, index);
            self.write_ipc_buffer(to, index, word);
        }
    }

    /// Masks the IRQ with this number.
    fn mask_irq(&mut self, number: u32);

    /// Unmasks the IRQ with this number.
    fn unmask_irq(&mut self, number: u32);

    /// Writes a byte to the console.
    fn put_char(&mut self, byte: u8);

    /// Maintains the caches for a range of memory.
    fn maintain_cache(&mut self, maintenance: CacheMaintenance, range: CacheRange);

    /// Handles a report that seL4 or the monitor would print.
    fn report(&mut self, report: Report<'_>);
}

/// An operation on caches (seL4 manual, *`seL4_ARM_VSpace_Clean_Data`* and the following sections).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum CacheMaintenance {
    /// Writes data back to memory.
    Clean,
    /// Invalidates data, without writing it back.
    Invalidate,
    /// Writes data back to memory and invalidates it.
    CleanInvalidate,
    /// Makes written instructions visible to instruction fetches.
    UnifyInstruction,
}

/// A range of memory within one page.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct CacheRange {
    /// The thread whose address space contains the range.
    pub thread: ThreadId,
    /// The first virtual address.
    pub vaddr: u64,
    /// The first physical address.
    pub paddr: u64,
    /// The length in bytes.
    pub bytes: u64,
}

/// A message to the user of the machine.
#[derive(Debug, Copy, Clone)]
pub enum Report<'a> {
    /// The monitor has started.
    MonitorStarted,
    /// The monitor has made a PD passive.
    Passive {
        /// The index of the PD.
        pd_index: usize,
    },
    /// The monitor failed to make a PD passive.
    NotPassive {
        /// The index of the PD.
        pd_index: usize,
        /// The reason.
        error: InvocationError,
    },
    /// The monitor has received a fault.
    Fault(MonitorFault<'a>),
    /// A thread has faulted but has no fault handler, because its parent has removed the handler.
    NoFaultHandler {
        /// The thread.
        thread: ThreadId,
        /// The fault.
        fault: Fault,
    },
    /// An IRQ without a handler has arrived.
    UnhandledIrq {
        /// The number of the IRQ.
        number: u32,
        /// The kernel.
        kernel: &'a Kernel,
    },
    /// A thread requests a list of all threads (`DebugDumpScheduler`).
    DumpScheduler(&'a Kernel),
    /// A thread requests a list of all capabilities (`DebugSnapshot`).
    Snapshot {
        /// The thread.
        thread: ThreadId,
        /// The kernel.
        kernel: &'a Kernel,
    },
    /// A thread names a thread (`DebugNameThread`).
    NameThread {
        /// The named thread.
        thread: ThreadId,
        /// The name.
        name: &'a [u8],
    },
    /// A thread halts the machine.
    Halt {
        /// The thread.
        thread: ThreadId,
        /// The reason.
        reason: HaltReason,
    },
}

/// The reason why a thread halts the machine.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum HaltReason {
    /// The thread requested the halt (`DebugHalt`).
    Asked,
    /// The thread named an object that is not a thread (`DebugNameThread`).
    NotAThread,
    /// The thread named a thread but has no IPC buffer to hold the name.
    NoIpcBuffer,
    /// The thread gave a thread a name that does not end within the IPC buffer.
    NameTooLong,
}

/// A message that the monitor has received on its fault endpoint.
#[derive(Debug, Copy, Clone)]
pub struct MonitorFault<'a> {
    /// The index of the PD that has faulted.
    pub pd_index: usize,
    /// The label of the message. The label is one of [`fault`](crate::numbers::fault), unless the
    /// PD has sent the message itself.
    pub label: u64,
    /// The words that the monitor reads. Words that were not sent are zero.
    pub words: [u64; MONITOR_WORDS],
    /// The registers of the PD.
    pub context: &'a UserContext,
}

/// The number of words that the monitor reads of a fault message: the length of a capability fault.
pub const MONITOR_WORDS: usize = 7;
