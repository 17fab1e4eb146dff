//! Replies to faults, which resume the thread that faulted (seL4 manual, *Faults*).
//!
//! The kernel takes registers from the reply to three kinds of fault: an unknown system call, a
//! user exception and a timeout. After a reply to any other fault, the thread repeats the
//! instruction. To resume the thread at another address, the handler writes the thread's registers
//! ([`tcb_write_registers`](crate::Cap::tcb_write_registers)) before the reply.

use crate::{
    DebugException, IpcBuffer, MessageInfo, Timeout, UnknownSyscall, UserContext, UserException,
    Word,
};

/// The size of an instruction, in bytes (Arm ARM, *A64*).
const INSTRUCTION: Word = 4;

/// The number of registers that the reply to an unknown system call sets (`n_syscallMessage` in the
/// kernel).
const SYSCALL_REGISTERS: usize = 12;

/// The number of registers that the reply to a user exception sets (`n_exceptionMessage`).
const EXCEPTION_REGISTERS: usize = 3;

/// The number of registers that the reply to a timeout sets (`seL4_TimeoutReply_Length`).
const TIMEOUT_REGISTERS: usize = 34;

/// A reply to a fault.
///
/// [`write`](Self::write) copies the reply into the message registers. Send the returned message
/// info through the reply object.
///
/// ```
/// use sel4::{FaultReply, UnknownSyscall};
///
/// /// Emulates a system call that returns 7.
/// fn emulate(fault: &UnknownSyscall, reply: sel4::cap::Reply) {
///     let mut registers = fault.reply();
///     *registers.gpr_mut(0) = 7;
///     let info = sel4::with_ipc_buffer_mut(|buffer| FaultReply::from(registers).write(buffer));
///     reply.send(info);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultReply {
    words: [Word; TIMEOUT_REGISTERS],
    length: usize,
}

impl FaultReply {
    /// Creates a reply after which the thread repeats the instruction. This reply is valid for
    /// every kind of fault.
    ///
    /// ```
    /// /// Lets a thread repeat the access after its memory was mapped.
    /// fn resume(reply: sel4::cap::Reply) {
    ///     reply.send(sel4::FaultReply::retry().info());
    /// }
    /// ```
    pub const fn retry() -> Self {
        Self {
            words: [0; TIMEOUT_REGISTERS],
            length: 0,
        }
    }

    /// Returns the message info of the reply.
    pub const fn info(&self) -> MessageInfo {
        MessageInfo::new(0, 0, 0, self.length)
    }

    /// Returns the words of the reply.
    pub fn words(&self) -> &[Word] {
        &self.words[..self.length]
    }

    /// Writes the words of the reply into the message registers, and returns the message info.
    pub fn write(&self, buffer: &mut IpcBuffer) -> MessageInfo {
        buffer.msg_regs_mut()[..self.length].copy_from_slice(self.words());
        self.info()
    }

    fn from_words(words: &[Word]) -> Self {
        let mut reply = Self::retry();
        reply.words[..words.len()].copy_from_slice(words);
        reply.length = words.len();
        reply
    }
}

impl UnknownSyscall {
    /// Creates a reply that resumes the thread after the faulting instruction, with unchanged
    /// registers.
    ///
    /// Set the registers that hold the results of the system call before you send the reply.
    pub fn reply(&self) -> SyscallReply {
        let mut registers = [0; SYSCALL_REGISTERS];
        (0..8).for_each(|index| registers[index] = self.gpr(index));
        registers[8] = self.fault_ip().wrapping_add(INSTRUCTION);
        registers[9] = self.sp();
        registers[10] = self.lr();
        registers[11] = self.spsr();
        SyscallReply(registers)
    }
}

/// A reply to an unknown system call. The reply sets x0 to x7, program counter, stack pointer and
/// program status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyscallReply([Word; SYSCALL_REGISTERS]);

impl SyscallReply {
    /// Returns register x`index` for writing.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above 7.
    pub const fn gpr_mut(&mut self, index: usize) -> &mut Word {
        assert!(index < 8, "the reply sets registers x0 to x7");
        &mut self.0[index]
    }

    /// Returns the program counter for writing.
    pub const fn pc_mut(&mut self) -> &mut Word {
        &mut self.0[8]
    }

    /// Returns the stack pointer for writing.
    pub const fn sp_mut(&mut self) -> &mut Word {
        &mut self.0[9]
    }

    /// Returns the saved program status for writing.
    pub const fn spsr_mut(&mut self) -> &mut Word {
        &mut self.0[11]
    }
}

impl From<SyscallReply> for FaultReply {
    fn from(reply: SyscallReply) -> Self {
        Self::from_words(&reply.0)
    }
}

impl UserException {
    /// Creates a reply that resumes the thread after the faulting instruction, with unchanged
    /// registers.
    pub const fn reply(&self) -> UserExceptionReply {
        UserExceptionReply([
            self.fault_ip().wrapping_add(INSTRUCTION),
            self.sp(),
            self.spsr(),
        ])
    }
}

/// A reply to a user exception. The reply sets the program counter, stack pointer and program
/// status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserExceptionReply([Word; EXCEPTION_REGISTERS]);

impl UserExceptionReply {
    /// Returns the program counter for writing.
    pub const fn pc_mut(&mut self) -> &mut Word {
        &mut self.0[0]
    }

    /// Returns the stack pointer for writing.
    pub const fn sp_mut(&mut self) -> &mut Word {
        &mut self.0[1]
    }

    /// Returns the saved program status for writing.
    pub const fn spsr_mut(&mut self) -> &mut Word {
        &mut self.0[2]
    }
}

impl From<UserExceptionReply> for FaultReply {
    fn from(reply: UserExceptionReply) -> Self {
        Self::from_words(&reply.0)
    }
}

impl DebugException {
    /// Creates a reply to a single step. The thread stops again after `instructions` instructions.
    /// The value 0 ends single stepping.
    pub fn reply_with_steps(&self, instructions: Word) -> FaultReply {
        FaultReply::from_words(&[instructions])
    }
}

impl Timeout {
    /// Creates a reply that sets all registers except the thread pointers.
    ///
    /// [`FaultReply::retry`] resumes the thread at the instruction where it stopped.
    pub fn reply_with_registers(&self, registers: &UserContext) -> FaultReply {
        FaultReply::from_words(&registers.words()[..TIMEOUT_REGISTERS])
    }

    /// Creates a reply that resumes the thread at `pc`, and leaves the other registers unchanged.
    ///
    /// ```
    /// fn abort(fault: &sel4::Timeout, handler: u64) -> sel4::FaultReply {
    ///     fault.reply_with_pc(handler)
    /// }
    /// ```
    pub fn reply_with_pc(&self, pc: Word) -> FaultReply {
        FaultReply::from_words(&[pc])
    }
}

#[cfg(test)]
mod tests {
    use sel4_sys::fault;

    use super::*;
    use crate::Fault;

    /// Returns a fault with the words 100, 101, 102 and so on.
    fn read(label: Word) -> Fault {
        let mut buffer = IpcBuffer::new();
        for (index, word) in buffer.msg_regs_mut().iter_mut().enumerate() {
            *word = 100 + index as Word;
        }
        Fault::new(&buffer, &MessageInfo::new(label, 0, 0, 4))
    }

    #[track_caller]
    fn check(reply: impl Into<FaultReply>, expect: &[Word]) {
        let reply = reply.into();
        let mut buffer = IpcBuffer::new();
        buffer.msg_regs_mut().fill(1);
        let info = reply.write(&mut buffer);
        assert_eq!((info.label(), info.length()), (0, expect.len()));
        assert_eq!(reply.words(), expect);
        let (words, others) = buffer.msg_regs().split_at(expect.len());
        assert_eq!(words, expect);
        assert!(others.iter().all(|&word| word == 1));
    }

    #[test]
    fn a_retry_has_no_words() {
        check(FaultReply::retry(), &[]);
    }

    #[test]
    fn a_reply_to_a_system_call_resumes_after_it() {
        let Fault::UnknownSyscall(fault) = read(fault::UnknownSyscall) else {
            panic!("the wrong kind of fault")
        };
        let kept = [100, 101, 102, 103, 104, 105, 106, 107, 112, 109, 110, 111];
        check(fault.reply(), &kept);
        let mut reply = fault.reply();
        *reply.gpr_mut(0) = 1;
        *reply.gpr_mut(7) = 2;
        *reply.pc_mut() = 3;
        *reply.sp_mut() = 4;
        *reply.spsr_mut() = 5;
        check(reply, &[1, 101, 102, 103, 104, 105, 106, 2, 3, 4, 110, 5]);
    }

    #[test]
    fn a_reply_to_an_exception_resumes_after_it_or_elsewhere() {
        let Fault::UserException(fault) = read(fault::UserException) else {
            panic!("the wrong kind of fault")
        };
        check(fault.reply(), &[104, 101, 102]);
        let mut reply = fault.reply();
        *reply.pc_mut() = 3;
        *reply.sp_mut() = 4;
        *reply.spsr_mut() = 5;
        check(reply, &[3, 4, 5]);
    }

    #[test]
    fn a_reply_to_a_single_step_has_the_number_of_steps() {
        // 4 is the label of `DebugException` in a kernel with the hardware debug API.
        let Fault::DebugException(fault) = read(4) else {
            panic!("the wrong kind of fault")
        };
        check(fault.reply_with_steps(3), &[3]);
    }

    #[test]
    fn a_reply_to_a_timeout_has_registers_in_the_kernels_order() {
        let Fault::Timeout(fault) = read(fault::Timeout) else {
            panic!("the wrong kind of fault")
        };
        let mut registers = UserContext::default();
        *registers.pc_mut() = 1;
        *registers.gpr_mut(16) = 2;
        *registers.gpr_mut(28) = 3;
        let mut expect = [0; TIMEOUT_REGISTERS];
        // The indexes are `seL4_TimeoutReply_FaultIP`, `_X16` and `_X28` in `constants.h`.
        (expect[0], expect[12], expect[33]) = (1, 2, 3);
        check(fault.reply_with_registers(&registers), &expect);
        check(fault.reply_with_pc(9), &[9]);
    }
}
