//! The registers of a thread, and the order of registers in messages.

use crate::numbers::{FAST_MESSAGE_WORDS, PSTATE_FLAGS, PSTATE_USER};
use core::ops::{Index, IndexMut};

/// The saved registers of a thread that is not running, or has just entered the kernel.
///
/// Floating-point registers are not included, because no system call reads or writes them.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct UserContext {
    /// The registers x0 to x30.
    pub x: [u64; 31],
    /// The stack pointer (`SP_EL0`).
    pub sp: u64,
    /// The address at which the thread continues. On entry by an `svc`, this is the address of the
    /// next instruction (`ELR`, seL4's `NextIP`).
    pub pc: u64,
    /// The saved program status (`SPSR`).
    pub spsr: u64,
    /// The address of the instruction that entered the kernel (seL4's `FaultIP`). A restarted
    /// thread runs this instruction again. The kernel sets this field on entry.
    pub fault_ip: u64,
    /// The thread pointer (`TPIDR_EL0`).
    pub tpidr: u64,
    /// The read-only thread pointer (`TPIDRRO_EL0`).
    pub tpidrro: u64,
}

impl UserContext {
    /// The registers of a thread that has never run (`Arch_initContext`).
    pub const NEW: Self = Self {
        x: [0; 31],
        sp: 0,
        pc: 0,
        spsr: PSTATE_USER,
        fault_ip: 0,
        tpidr: 0,
        tpidrro: 0,
    };

    /// Sets a register to a value from another thread. Of the program status, only the condition
    /// flags change (`sanitiseRegister` for a thread without a virtual CPU).
    pub fn set_sanitised(&mut self, register: Register, value: u64) {
        self[register] = match register {
            Register::Spsr => value & PSTATE_FLAGS | PSTATE_USER,
            _ => value,
        };
    }
}

impl Default for UserContext {
    fn default() -> Self {
        Self::NEW
    }
}

/// A register of a [`UserContext`].
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum Register {
    /// The registers x0 to x30.
    X(u8),
    /// [`UserContext::sp`].
    Sp,
    /// [`UserContext::pc`].
    Pc,
    /// [`UserContext::spsr`].
    Spsr,
    /// [`UserContext::fault_ip`].
    FaultIp,
    /// [`UserContext::tpidr`].
    Tpidr,
    /// [`UserContext::tpidrro`].
    Tpidrro,
}

impl Index<Register> for UserContext {
    type Output = u64;

    fn index(&self, register: Register) -> &u64 {
        match register {
            Register::X(number) => &self.x[usize::from(number)],
            Register::Sp => &self.sp,
            Register::Pc => &self.pc,
            Register::Spsr => &self.spsr,
            Register::FaultIp => &self.fault_ip,
            Register::Tpidr => &self.tpidr,
            Register::Tpidrro => &self.tpidrro,
        }
    }
}

impl IndexMut<Register> for UserContext {
    fn index_mut(&mut self, register: Register) -> &mut u64 {
        match register {
            Register::X(number) => &mut self.x[usize::from(number)],
            Register::Sp => &mut self.sp,
            Register::Pc => &mut self.pc,
            Register::Spsr => &mut self.spsr,
            Register::FaultIp => &mut self.fault_ip,
            Register::Tpidr => &mut self.tpidr,
            Register::Tpidrro => &mut self.tpidrro,
        }
    }
}

/// The register of the capability pointer to invoke or to receive from. A received badge replaces
/// the pointer.
pub const CAP_REGISTER: Register = Register::X(0);
/// The register of a received badge after a system call.
pub const BADGE_REGISTER: Register = Register::X(0);
/// The register of the [`MessageInfo`](crate::MessageInfo).
pub const INFO_REGISTER: Register = Register::X(1);
/// The register of the reply object's capability pointer.
pub const REPLY_REGISTER: Register = Register::X(6);
/// The register of the capability pointer that `NBSendRecv` sends to.
pub const NB_SEND_RECV_DEST: Register = Register::X(8);

/// The registers of the first words of a message.
pub const MESSAGE_REGISTERS: [Register; FAST_MESSAGE_WORDS] = x([2, 3, 4, 5]);

/// The registers in the order of `seL4_UserContext`. `ReadRegisters` and `WriteRegisters` number
/// the registers in this order (seL4 manual, *`seL4_TCB_ReadRegisters`*).
pub const CONTEXT_REGISTERS: [Register; FRAME_REGISTERS + INTEGER_REGISTERS] = join(
    join::<3, 14, FRAME_REGISTERS>([Register::FaultIp, Register::Sp, Register::Spsr], FRAME_X),
    join::<17, 2, INTEGER_REGISTERS>(INTEGER_X, [Register::Tpidr, Register::Tpidrro]),
);

/// The number of frame registers in `CopyRegisters`. The frame registers are the first of
/// [`CONTEXT_REGISTERS`].
pub const FRAME_REGISTERS: usize = 17;

/// The number of integer registers in `CopyRegisters`. The integer registers are the rest of
/// [`CONTEXT_REGISTERS`].
pub const INTEGER_REGISTERS: usize = 19;

const FRAME_X: [Register; 14] = x([0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 29, 30]);
const INTEGER_X: [Register; 17] = x([
    9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
]);

/// The registers in the message of an unknown system call fault. The number of the system call
/// follows the registers (`seL4_UnknownSyscall_Msg`).
pub const UNKNOWN_SYSCALL_REGISTERS: [Register; 12] = join(
    x([0, 1, 2, 3, 4, 5, 6, 7]),
    [
        Register::FaultIp,
        Register::Sp,
        Register::Pc,
        Register::Spsr,
    ],
);

/// The registers in the message of a user exception. The number and the code of the exception
/// follow the registers (`seL4_UserException_Msg`).
pub const USER_EXCEPTION_REGISTERS: [Register; 3] =
    [Register::FaultIp, Register::Sp, Register::Spsr];

/// The registers that the reply to a timeout fault sets (`seL4_TimeoutReply_Msg`).
pub const TIMEOUT_REPLY_REGISTERS: [Register; 34] = join(
    join::<3, 14, 17>([Register::FaultIp, Register::Sp, Register::Spsr], FRAME_X),
    INTEGER_X,
);

const fn x<const N: usize>(numbers: [u8; N]) -> [Register; N] {
    let mut registers = [Register::X(0); N];
    let mut index = 0;
    while index < N {
        registers[index] = Register::X(numbers[index]);
        index += 1;
    }
    registers
}

const fn join<const A: usize, const B: usize, const N: usize>(
    first: [Register; A],
    second: [Register; B],
) -> [Register; N] {
    assert!(A + B == N);
    let mut registers = [Register::X(0); N];
    let mut index = 0;
    while index < N {
        registers[index] = if index < A {
            first[index]
        } else {
            second[index - A]
        };
        index += 1;
    }
    registers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_context_lists_every_register_but_the_pc_once() {
        let mut context = UserContext::default();
        for (value, register) in (1..).zip(CONTEXT_REGISTERS) {
            assert!(context[register] == 0 || register == Register::Spsr);
            context[register] = value;
        }
        assert_eq!(context.pc, 0);
        assert!(context.x.iter().all(|value| *value != 0));
        // The first and last registers of both halves, as in `seL4_UserContext`.
        assert_eq!(context.fault_ip, 1);
        assert_eq!(context.x[30], FRAME_REGISTERS as u64);
        assert_eq!(context.x[9], FRAME_REGISTERS as u64 + 1);
        assert_eq!(context.tpidrro, 36);
    }

    #[test]
    fn only_the_condition_flags_of_the_program_status_can_be_chosen() {
        let mut context = UserContext::default();
        context.set_sanitised(Register::Spsr, u64::MAX);
        assert_eq!(context.spsr, 0xf000_0040);
        context.set_sanitised(Register::X(3), u64::MAX);
        assert_eq!(context.x[3], u64::MAX);
    }
}
