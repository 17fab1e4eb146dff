//! What the kernel needs of the machine that it runs on.

use crate::clock::Ticks;
use crate::context::UserContext;
use crate::error::InvocationError;
use crate::fault::Fault;
use crate::ids::ThreadId;
use crate::kernel::Kernel;

/// The machine: real hardware, or a test.
///
/// The kernel calls it in the middle of a step, always with identifiers of PDs' threads, never the
/// monitor's.
pub trait Machine {
    /// What time it is. A time before one given earlier counts as that one.
    fn now(&mut self) -> Ticks;

    /// Reads a word of a thread's IPC buffer; `index` is less than
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

    /// Keeps the interrupt with this number from coming, until it is unmasked.
    fn mask_irq(&mut self, number: u32);

    /// Lets the interrupt with this number come.
    fn unmask_irq(&mut self, number: u32);

    /// Writes a byte to the console.
    fn put_char(&mut self, byte: u8);

    /// Maintains the caches for a range of memory.
    fn maintain_cache(&mut self, maintenance: CacheMaintenance, range: CacheRange);

    /// Something that whoever watches the machine may want to know. seL4 and the monitor print it.
    fn report(&mut self, report: Report<'_>);
}

/// What is to be done to caches (seL4 manual, *seL4_ARM_VSpace_Clean_Data* and those that follow).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum CacheMaintenance {
    /// Write back data.
    Clean,
    /// Forget data.
    Invalidate,
    /// Write back data and forget it.
    CleanInvalidate,
    /// Let instructions be fetched as they were written.
    UnifyInstruction,
}

/// A range of memory within one page.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct CacheRange {
    /// Whose address space it is in.
    pub thread: ThreadId,
    /// Its first virtual address there.
    pub vaddr: u64,
    /// Its first physical address.
    pub paddr: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Something that whoever watches the machine may want to know.
#[derive(Debug, Copy, Clone)]
pub enum Report<'a> {
    /// The monitor has started.
    MonitorStarted,
    /// The monitor has made a PD passive.
    Passive {
        /// Which PD.
        domain: usize,
    },
    /// The monitor could not make a PD passive.
    NotPassive {
        /// Which PD.
        domain: usize,
        /// Why.
        error: InvocationError,
    },
    /// The monitor has received a fault.
    Fault(MonitorFault<'a>),
    /// A thread has faulted, and its parent has left it without a fault handler.
    NoFaultHandler {
        /// Which thread.
        thread: ThreadId,
        /// What it did.
        fault: Fault,
    },
    /// An interrupt has come that has no handler any more, or none at all.
    UnhandledIrq {
        /// Its number.
        number: u32,
        /// The kernel.
        kernel: &'a Kernel,
    },
    /// A thread asks for a list of all threads (`DebugDumpScheduler`).
    DumpScheduler(&'a Kernel),
    /// A thread asks for a list of all capabilities (`DebugSnapshot`).
    Snapshot {
        /// Which thread.
        thread: ThreadId,
        /// The kernel.
        kernel: &'a Kernel,
    },
    /// A thread names a thread (`DebugNameThread`).
    NameThread {
        /// The thread that is named.
        thread: ThreadId,
        /// Its name.
        name: &'a [u8],
    },
    /// A thread halts the machine.
    Halt {
        /// Which thread.
        thread: ThreadId,
        /// Why.
        reason: HaltReason,
    },
}

/// Why a thread halts the machine.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum HaltReason {
    /// It asked to (`DebugHalt`).
    Asked,
    /// It named something that is no thread (`DebugNameThread`).
    NotAThread,
    /// It named a thread without an IPC buffer that would hold the name.
    NoIpcBuffer,
    /// It gave a thread a name without an end.
    NameTooLong,
}

/// A message that the monitor has received on its fault endpoint.
#[derive(Debug, Copy, Clone)]
pub struct MonitorFault<'a> {
    /// The PD whose fault it is.
    pub domain: usize,
    /// The label: the kind of fault (one of [`fault`](crate::numbers::fault)), unless a PD has sent
    /// it itself.
    pub label: u64,
    /// The first words, as many as the monitor reads; those that were not sent are zero.
    pub words: [u64; MONITOR_WORDS],
    /// The PD's registers.
    pub context: &'a UserContext,
}

/// How many words of a fault message the monitor reads: all of a capability fault's.
pub const MONITOR_WORDS: usize = 7;
