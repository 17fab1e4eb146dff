//! What the kernel measures, in the configuration `benchmark` (seL4 manual, *Benchmarking System
//! Calls*).
//!
//! Elsewhere each call says so, by an error or by `None`, and is no system call.

use sel4_sys as sys;

use crate::context::sealed::{Context, Internal, Uses};
use crate::{Error, ImplicitInvocationContext, Result, Word, cap};

/// Begins to measure (`seL4_BenchmarkResetLog`).
///
/// **Errors:** `IllegalOperation` where the kernel has no benchmarks.
pub fn benchmark_reset_log() -> Result<()> {
    result(sys::benchmark_reset_log())
}

/// Ends the measurement (`seL4_BenchmarkFinalizeLog`): how many entries the kernel's log has, 0
/// where it keeps none.
pub fn benchmark_finalize_log() -> Word {
    sys::benchmark_finalize_log().unwrap_or(0)
}

/// Gives the kernel a page for its log (`seL4_BenchmarkSetLogBuffer`).
///
/// **Errors:** `IllegalOperation` where the kernel keeps no log, as in every configuration of
/// Microkit.
///
/// # Safety
///
/// Nothing else uses the memory of `page`: the kernel writes there from now on.
pub unsafe fn benchmark_set_log_buffer(page: cap::Granule) -> Result<()> {
    // SAFETY: the caller's contract.
    result(unsafe { sys::benchmark_set_log_buffer(page.bits()) })
}

/// Enters the kernel and leaves it (`seL4_BenchmarkNullSyscall`); nothing where the kernel has no
/// benchmarks.
pub fn benchmark_null_syscall() {
    sys::benchmark_null_syscall();
}

/// What was measured of a thread, of the idle thread, and in all, from the last
/// [`benchmark_reset_log`] to the last [`benchmark_finalize_log`]
/// (`seL4_BenchmarkGetThreadUtilisation`); `None` where the kernel measures no threads. Overwrites
/// message registers.
///
/// A capability that is to no thread leaves the message registers as they are, and the numbers are
/// what stood there.
///
/// **Panics:** inside a borrow of the implicit IPC buffer.
#[track_caller]
pub fn benchmark_get_thread_utilisation(tcb: cap::Tcb) -> Option<ThreadUtilisation> {
    ImplicitInvocationContext::new().with_token(Internal, Uses::Memory, |token| {
        sys::benchmark_get_thread_utilisation(token, tcb.bits())
            .then(|| token.with(|buffer| ThreadUtilisation::read(buffer.msg_regs())))
    })
}

/// Forgets what was measured of a thread (`seL4_BenchmarkResetThreadUtilisation`); nothing where
/// the kernel measures none.
pub fn benchmark_reset_thread_utilisation(tcb: cap::Tcb) {
    sys::benchmark_reset_thread_utilisation(tcb.bits());
}

/// Has the kernel print what it has measured of all threads
/// (`seL4_BenchmarkDumpAllThreadsUtilisation`); nothing where the kernel is no debug build that
/// measures them, as in every configuration of Microkit.
pub fn benchmark_dump_all_thread_utilisation() {
    sys::benchmark_dump_all_thread_utilisation();
}

/// Forgets what was measured of all threads (`seL4_BenchmarkResetAllThreadsUtilisation`); nothing
/// where the kernel is no debug build that measures them, as in every configuration of Microkit.
pub fn benchmark_reset_all_thread_utilisation() {
    sys::benchmark_reset_all_thread_utilisation();
}

/// The CPU's cycle counter (Arm ARM, *PMCCNTR_EL0*); `None` where the kernel does not let a PD
/// read it: Microkit does in the configuration `benchmark`.
///
/// It counts every cycle of the CPU, not only this program's.
pub fn cycle_counter() -> Option<u64> {
    sys::cycle_counter()
}

/// What was measured of a thread, of the idle thread, and in all.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct ThreadUtilisation {
    /// Of the thread.
    pub thread: Utilisation,
    /// Of the idle thread: what nobody used.
    pub idle: Utilisation,
    /// Of the CPU.
    pub total: Utilisation,
}

/// What was measured.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Utilisation {
    /// CPU cycles for which it was scheduled.
    pub cycles: u64,
    /// How often it was given the CPU.
    pub schedules: u64,
    /// CPU cycles in the kernel; 0 where the counter does not count there, as it was seen with a
    /// kernel that runs at EL2 (Arm ARM, *PMCCFILTR_EL0*, NSH).
    pub kernel_cycles: u64,
    /// How often it entered the kernel.
    pub kernel_entries: u64,
}

impl ThreadUtilisation {
    /// Where each number stands: `benchmark_utilisation_types.h`.
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
            // 5 is the idle thread's of the CPU that the thread is on: the same, of one CPU.
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
    fn a_kernel_without_benchmarks_is_not_asked() {
        // The host has no kernel here: a system call would panic.
        if sys::config::ENABLE_BENCHMARKS {
            return;
        }
        // SAFETY: there is no kernel, and so no slot.
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
    fn an_answer_is_an_errors_label() {
        assert_eq!(result(Some(0)), Ok(()));
        assert_eq!(result(Some(3)), Err(Error::IllegalOperation));
    }
}
