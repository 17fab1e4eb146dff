//! Benchmark system calls of a kernel in the configuration `benchmark` (seL4 manual, *Benchmarking
//! System Calls*).
//!
//! In all other configurations, the functions do not make a system call. The functions then return
//! an error, `None` or 0, or do nothing.

use sel4_sys as sys;

use crate::context::sealed::{Context, Internal, Uses};
use crate::{Error, ImplicitInvocationContext, Result, Word, cap};

/// Starts a measurement (`seL4_BenchmarkResetLog`).
///
/// # Errors
///
/// Returns [`Error::IllegalOperation`] if the kernel does not support benchmarks.
pub fn benchmark_reset_log() -> Result<()> {
    result(sys::benchmark_reset_log())
}

/// Ends the measurement, and returns the number of entries in the kernel's log
/// (`seL4_BenchmarkFinalizeLog`).
///
/// The number is 0 if the kernel does not keep a log.
pub fn benchmark_finalize_log() -> Word {
    sys::benchmark_finalize_log().unwrap_or(0)
}

/// Gives the kernel a page for its log (`seL4_BenchmarkSetLogBuffer`).
///
/// # Errors
///
/// Returns [`Error::IllegalOperation`] if the kernel does not keep a log. Microkit's kernels never
/// keep a log.
///
/// # Safety
///
/// Nothing else may use the memory of `page`, because the kernel writes its log to the page from
/// now on.
pub unsafe fn benchmark_set_log_buffer(page: cap::Granule) -> Result<()> {
    // SAFETY: the caller's contract.
    result(unsafe { sys::benchmark_set_log_buffer(page.bits()) })
}

/// Enters the kernel and returns at once (`seL4_BenchmarkNullSyscall`).
///
/// Does nothing if the kernel does not support benchmarks.
pub fn benchmark_null_syscall() {
    sys::benchmark_null_syscall();
}

/// Returns the measurements of a thread, of the idle thread and of the CPU
/// (`seL4_BenchmarkGetThreadUtilisation`).
///
/// The measurements cover the time from the last [`benchmark_reset_log`] to the last
/// [`benchmark_finalize_log`]. Returns `None` if the kernel does not measure threads. The call
/// overwrites message registers.
///
/// If `tcb` does not lead to a thread, the kernel writes nothing, and the returned numbers are the
/// old contents of the message registers.
///
/// # Panics
///
/// Panics if the implicit IPC buffer is borrowed.
///
/// # Examples
///
/// ```
/// # sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
/// fn measure(child: sel4::cap::Tcb, work: impl FnOnce()) -> sel4::Result<Option<u64>> {
///     sel4::benchmark_reset_log()?;
///     work();
///     sel4::benchmark_finalize_log();
///     let utilisation = sel4::benchmark_get_thread_utilisation(child);
///     Ok(utilisation.map(|utilisation| utilisation.thread.cycles))
/// }
/// ```
#[track_caller]
pub fn benchmark_get_thread_utilisation(tcb: cap::Tcb) -> Option<ThreadUtilisation> {
    ImplicitInvocationContext::new().with_token(Internal, Uses::Memory, |token| {
        sys::benchmark_get_thread_utilisation(token, tcb.bits())
            .then(|| token.with(|buffer| ThreadUtilisation::read(buffer.msg_regs())))
    })
}

/// Resets the measurements of a thread (`seL4_BenchmarkResetThreadUtilisation`).
///
/// Does nothing if the kernel does not measure threads.
pub fn benchmark_reset_thread_utilisation(tcb: cap::Tcb) {
    sys::benchmark_reset_thread_utilisation(tcb.bits());
}

/// Prints the measurements of all threads on the kernel's console
/// (`seL4_BenchmarkDumpAllThreadsUtilisation`).
///
/// Does nothing unless the kernel is a debug build that measures threads. Microkit does not provide
/// such a kernel.
pub fn benchmark_dump_all_thread_utilisation() {
    sys::benchmark_dump_all_thread_utilisation();
}

/// Resets the measurements of all threads (`seL4_BenchmarkResetAllThreadsUtilisation`).
///
/// Does nothing unless the kernel is a debug build that measures threads. Microkit does not provide
/// such a kernel.
pub fn benchmark_reset_all_thread_utilisation() {
    sys::benchmark_reset_all_thread_utilisation();
}

/// Reads the CPU's cycle counter (Arm ARM, `PMCCNTR_EL0`).
///
/// Returns `None` if PDs cannot read the counter. In Microkit's configuration `benchmark`, PDs can
/// read the counter. The counter counts all cycles of the CPU, including the cycles of other
/// programs.
///
/// ```
/// let before = sel4::cycle_counter();
/// // Work.
/// let after = sel4::cycle_counter();
/// if let (Some(before), Some(after)) = (before, after) {
///     assert!(after >= before);
/// }
/// ```
pub fn cycle_counter() -> Option<u64> {
    sys::cycle_counter()
}

/// The measurements of a thread, of the idle thread and of the CPU.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct ThreadUtilisation {
    /// The measurements of the thread.
    pub thread: Utilisation,
    /// The measurements of the idle thread, which runs when other threads are not ready.
    pub idle: Utilisation,
    /// The measurements of the CPU.
    pub total: Utilisation,
}

/// The measurements of a thread, or of the CPU.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Utilisation {
    /// The CPU cycles while the thread was scheduled.
    pub cycles: u64,
    /// The number of times that the thread was scheduled.
    pub schedules: u64,
    /// The CPU cycles that were spent in the kernel. The value is 0 if the counter does not count
    /// in kernel mode. A kernel at EL2 was observed to return 0 (Arm ARM, `PMCCFILTR_EL0`, NSH).
    pub kernel_cycles: u64,
    /// The number of kernel entries.
    pub kernel_entries: u64,
}

impl ThreadUtilisation {
    /// Reads each number from its message register (`benchmark_utilisation_types.h`).
    fn read(words: &[Word]) -> Self {
        let at = |indexes: [usize; 4]| {
            let [cycles, schedules, kernel_cycles, kernel_entries] = indexes.map(|i| words[i]);
            Utilisation {
                cycles,
                schedules,
                kernel_cycles,
                kernel_entries,
            }
        };
        Self {
            thread: at([0, 1, 2, 3]),
            // Word 5 is for the idle thread of the CPU on which the thread runs. On a single CPU,
            // word 5 equals word 4.
            idle: at([4, 6, 7, 8]),
            total: at([9, 10, 11, 12]),
        }
    }
}

fn result(label: Option<Word>) -> Result<()> {
    match label.map(Error::from_label) {
        Some(None) => Ok(()),
        Some(Some(error)) => Err(error),
        None => Err(Error::IllegalOperation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_read_from_its_word() {
        let words: [Word; 13] = core::array::from_fn(|index| index as Word);
        let utilisation = |cycles, schedules, kernel_cycles, kernel_entries| Utilisation {
            cycles,
            schedules,
            kernel_cycles,
            kernel_entries,
        };
        let expect = ThreadUtilisation {
            thread: utilisation(0, 1, 2, 3),
            idle: utilisation(4, 6, 7, 8),
            total: utilisation(9, 10, 11, 12),
        };
        assert_eq!(ThreadUtilisation::read(&words), expect);
    }

    #[test]
    fn without_benchmarks_no_system_call_is_made() {
        // No host kernel is installed, so a system call would panic.
        if sys::config::ENABLE_BENCHMARKS {
            return;
        }
        // SAFETY: without a kernel, capability slots do not exist.
        let (tcb, page) = unsafe { (cap::Tcb::from_bits(6), cap::Granule::from_bits(7)) };
        crate::set_ipc_buffer(sys::host::new_ipc_buffer());
        assert_eq!(benchmark_reset_log(), Err(Error::IllegalOperation));
        assert_eq!(benchmark_finalize_log(), 0);
        // SAFETY: as above.
        let set = unsafe { benchmark_set_log_buffer(page) };
        assert_eq!(set, Err(Error::IllegalOperation));
        assert_eq!(benchmark_get_thread_utilisation(tcb), None);
        benchmark_null_syscall();
        benchmark_reset_thread_utilisation(tcb);
        benchmark_dump_all_thread_utilisation();
        benchmark_reset_all_thread_utilisation();
        assert_eq!(cycle_counter(), None);
    }

    #[test]
    fn a_nonzero_label_is_an_error() {
        assert_eq!(result(Some(0)), Ok(()));
        assert_eq!(result(Some(3)), Err(Error::IllegalOperation));
    }
}
