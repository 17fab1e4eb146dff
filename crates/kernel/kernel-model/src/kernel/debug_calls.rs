//! The debugging system calls of the `debug` configuration (seL4 manual, *Debugging System Calls*;
//! seL4's `handleUnknownSyscall`).
//!
//! Debugging calls take no time. The calling thread is not charged, and continues at once.

use super::Kernel;
use crate::cap::Cap;
use crate::context::CAP_REGISTER;
use crate::event::Next;
use crate::ids::ThreadId;
use crate::machine::{HaltReason, Machine, Report};
use crate::numbers::{MAX_MESSAGE_WORDS, syscall};

impl Kernel {
    /// Handles a debugging call. Returns `None` if `number` is not a debugging call.
    pub(super) fn debug_syscall(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        number: u64,
    ) -> Option<Next> {
        let argument = self.sched.thread(thread).context[CAP_REGISTER];
        match number as i64 {
            syscall::DebugPutChar => machine.put_char(argument as u8),
            syscall::DebugDumpScheduler => machine.report(Report::DumpScheduler(self)),
            syscall::DebugSnapshot => machine.report(Report::Snapshot {
                thread,
                kernel: self,
            }),
            syscall::DebugCapIdentify => {
                let cap = self.cap(thread, argument);
                self.sched.thread_mut(thread).context[CAP_REGISTER] = cap.tag();
            }
            syscall::DebugHalt => self.halt(machine, thread, HaltReason::Asked),
            syscall::DebugNameThread => {
                if let Err(reason) = self.name_thread(machine, thread, argument) {
                    self.halt(machine, thread, reason);
                }
            }
            _ => return None,
        }
        Some(self.next())
    }

    fn halt(&mut self, machine: &mut dyn Machine, thread: ThreadId, reason: HaltReason) {
        self.halted = true;
        machine.report(Report::Halt { thread, reason });
    }

    /// Names a thread. The IPC buffer holds the name as a zero-terminated string.
    fn name_thread(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        cptr: u64,
    ) -> Result<(), HaltReason> {
        let Ok(Cap::Thread(named)) = self.system.lookup(thread, cptr) else {
            return Err(HaltReason::NotAThread);
        };
        if !self.sched.thread(thread).has_ipc_buffer {
            return Err(HaltReason::NoIpcBuffer);
        }
        let mut bytes = [[0; size_of::<u64>()]; MAX_MESSAGE_WORDS];
        for (index, word) in bytes.iter_mut().enumerate() {
            *word = machine.read_ipc_buffer(thread, 1 + index).to_le_bytes();
        }
        let bytes = bytes.as_flattened();
        let Some(end) = bytes.iter().position(|byte| *byte == 0) else {
            return Err(HaltReason::NameTooLong);
        };
        machine.report(Report::NameThread {
            thread: named,
            name: &bytes[..end],
        });
        Ok(())
    }
}
