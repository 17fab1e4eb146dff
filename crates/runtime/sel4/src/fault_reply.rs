//! Replies to faults: what lets a thread that has faulted go on (seL4 manual, *Faults*).
//!
//! The kernel takes registers from the replies to three kinds of fault: an unknown system call, a
//! user exception, and a timeout. To any other, a reply lets the thread try again; where it is to
//! go on elsewhere, its handler writes its registers
//! ([`tcb_write_registers`](crate::Cap::tcb_write_registers)) before it replies.

use crate::{
    DebugException, IpcBuffer, MessageInfo, Timeout, UnknownSyscall, UserContext, UserException,
    Word,
};

/// Bytes of an instruction (Arm ARM, *A64*).
const INSTRUCTION: Word = 4;

/// Registers that the reply to an unknown system call sets (`n_syscallMessage` in the kernel).
const SYSCALL_REGISTERS: usize = 12;

/// Registers that the reply to a user exception sets (`n_exceptionMessage`).
const EXCEPTION_REGISTERS: usize = 3;

/// Registers that the reply to a timeout sets (`seL4_TimeoutReply_Length`).
const TIMEOUT_REGISTERS: usize = 34;

/// A reply to a fault, to be left in the message registers ([`write`](Self::write)) and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultReply {
    words: [Word; TIMEOUT_REGISTERS],
    length: usize,
}

impl FaultReply {
    /// Lets the thread try again what has faulted. Answers every kind of fault.
    pub const fn retry() -> Self {
        Self {
            words: [0; TIMEOUT_REGISTERS],
            length: 0,
        }
    }

    /// Describes the message.
    pub const fn info(&self) -> MessageInfo {
        MessageInfo::new(0, 0, 0, self.length)
    }

    /// Its words.
    pub fn words(&self) -> &[Word] {
        &self.words[..self.length]
    }

    /// Writes the words into the message registers, and describes them.
    pub fn write(&self, buffer: &mut IpcBuffer) -> MessageInfo {
        buffer.msg_regs_mut()[..self.length].copy_from_slice(self.words());
        self.info()
    }

    fn of(words: &[Word]) -> Self {
        let mut reply = Self::retry();
        reply.words[..words.len()].copy_from_slice(words);
        reply.length = words.len();
        reply
    }
}

impl UnknownSyscall {
    /// A reply that has the thread go on after the instruction, with the registers that it has.
    /// Change those that the system call is to return.
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

/// A reply to an unknown system call: x0 to x7, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyscallReply([Word; SYSCALL_REGISTERS]);

impl SyscallReply {
    /// Register x`index`, to be written.
    ///
    /// **Panics:** if `index` is above 7.
    pub const fn gpr_mut(&mut self, index: usize) -> &mut Word {
        assert!(index < 8, "the reply sets registers x0 to x7");
        &mut self.0[index]
    }

    /// Where it goes on, to be written.
    pub const fn pc_mut(&mut self) -> &mut Word {
        &mut self.0[8]
    }

    /// The stack pointer, to be written.
    pub const fn sp_mut(&mut self) -> &mut Word {
        &mut self.0[9]
    }

    /// The saved program status, to be written.
    pub const fn spsr_mut(&mut self) -> &mut Word {
        &mut self.0[11]
    }
}

impl From<SyscallReply> for FaultReply {
    fn from(reply: SyscallReply) -> Self {
        Self::of(&reply.0)
    }
}

impl UserException {
    /// A reply that has the thread go on after the instruction, with the registers that it has.
    pub const fn reply(&self) -> UserExceptionReply {
        UserExceptionReply([
            self.fault_ip().wrapping_add(INSTRUCTION),
            self.sp(),
            self.spsr(),
        ])
    }
}

/// A reply to a user exception: where to go on, and with which stack pointer and status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserExceptionReply([Word; EXCEPTION_REGISTERS]);

impl UserExceptionReply {
    /// Where it goes on, to be written.
    pub const fn pc_mut(&mut self) -> &mut Word {
        &mut self.0[0]
    }

    /// The stack pointer, to be written.
    pub const fn sp_mut(&mut self) -> &mut Word {
        &mut self.0[1]
    }

    /// The saved program status, to be written.
    pub const fn spsr_mut(&mut self) -> &mut Word {
        &mut self.0[2]
    }
}

impl From<UserExceptionReply> for FaultReply {
    fn from(reply: UserExceptionReply) -> Self {
        Self::of(&reply.0)
    }
}

impl DebugException {
    /// A reply to a single step: the thread stops again after so many instructions; 0 ends the
    /// stepping.
    pub fn reply_with_steps(&self, instructions: Word) -> FaultReply {
        FaultReply::of(&[instructions])
    }
}

impl Timeout {
    /// A reply that has the thread go on with other registers: all of them but the thread
    /// pointers. [`FaultReply::retry`] lets it go on where it was.
    pub fn reply_with_registers(&self, registers: &UserContext) -> FaultReply {
        FaultReply::of(&registers.words()[..TIMEOUT_REGISTERS])
    }

    /// A reply that has the thread go on elsewhere, with the registers that it has.
    pub fn reply_with_pc(&self, pc: Word) -> FaultReply {
        FaultReply::of(&[pc])
    }
}

#[cfg(test)]
mod tests {
    use sel4_sys::fault;

    use super::*;
    use crate::Fault;

    /// A fault whose words count up from 100.
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
    fn to_try_again_takes_no_word() {
        check(FaultReply::retry(), &[]);
    }

    #[test]
    fn a_system_call_goes_on_after_it_with_what_it_returns() {
        let Fault::UnknownSyscall(fault) = read(fault::UnknownSyscall) else {
            panic!("that")
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
    fn an_exception_goes_on_after_its_instruction_or_elsewhere() {
        let Fault::UserException(fault) = read(fault::UserException) else {
            panic!("that")
        };
        check(fault.reply(), &[104, 101, 102]);
        let mut reply = fault.reply();
        *reply.pc_mut() = 3;
        *reply.sp_mut() = 4;
        *reply.spsr_mut() = 5;
        check(reply, &[3, 4, 5]);
    }

    #[test]
    fn a_single_step_goes_on_for_so_many_more() {
        // `DebugException` is 4 where the kernel has it.
        let Fault::DebugException(fault) = read(4) else {
            panic!("that")
        };
        check(fault.reply_with_steps(3), &[3]);
    }

    #[test]
    fn a_timeout_goes_on_with_the_registers_given_in_the_kernels_order() {
        let Fault::Timeout(fault) = read(fault::Timeout) else {
            panic!("that")
        };
        let mut registers = UserContext::default();
        *registers.pc_mut() = 1;
        *registers.gpr_mut(16) = 2;
        *registers.gpr_mut(28) = 3;
        let mut expect = [0; TIMEOUT_REGISTERS];
        // `seL4_TimeoutReply_FaultIP`, `_X16` and `_X28` in `constants.h`.
        (expect[0], expect[12], expect[33]) = (1, 2, 3);
        check(fault.reply_with_registers(&registers), &expect);
        check(fault.reply_with_pc(9), &[9]);
    }
}
