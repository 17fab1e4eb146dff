//! The registers of a puppet before a system call.

use sel4::sys::syscall;
use sel4::{MessageInfo, UserContext, Word};

/// The message registers that travel in CPU registers.
pub type Words = [Word; 4];

/// The general registers and the stack pointer.
#[derive(Copy, Clone)]
pub struct Registers {
    x: [Word; 31],
}

/// The initial stack pointer.
pub(crate) const STACK_POINTER: Word = 0xf1f;

/// Returns a thread's status register (SPSR) without the bit that depends on the configuration:
/// kernels other than debug builds mask system errors.
pub const fn status(spsr: Word) -> Word {
    const SYSTEM_ERRORS: Word = 1 << 8;
    if sel4::config::DEBUG_BUILD {
        spsr
    } else {
        spsr ^ SYSTEM_ERRORS
    }
}

/// Returns a message info without capabilities.
pub const fn info(label: Word, length: usize) -> MessageInfo {
    MessageInfo::new(label, 0, 0, length)
}

impl Default for Registers {
    fn default() -> Self {
        Self::new()
    }
}

impl Registers {
    /// Gives each register a different value. For example, x5 has the value 0xf05.
    pub const fn new() -> Self {
        let mut x = [0; 31];
        let mut index = 0;
        while index < x.len() {
            x[index] = 0xf00 + index as Word;
            index += 1;
        }
        Self { x }
    }

    /// Sets x`index`.
    #[must_use]
    pub const fn with(mut self, index: usize, value: Word) -> Self {
        self.x[index] = value;
        self
    }

    /// Returns the registers of this system call on this capability. All other registers keep the
    /// values of [`new`](Self::new).
    pub const fn system_call(number: i64, capability: Word) -> Self {
        Self::new()
            .with(0, capability)
            .with(7, number.cast_unsigned())
    }

    const fn message(self, info: MessageInfo, words: Words) -> Self {
        self.with(1, info.into_word())
            .with(2, words[0])
            .with(3, words[1])
            .with(4, words[2])
            .with(5, words[3])
    }

    /// `seL4_Call`
    pub const fn call(capability: Word, info: MessageInfo, words: Words) -> Self {
        Self::system_call(syscall::Call, capability).message(info, words)
    }

    /// `seL4_Send`
    pub const fn send(capability: Word, info: MessageInfo, words: Words) -> Self {
        Self::system_call(syscall::Send, capability).message(info, words)
    }

    /// `seL4_NBSend`
    pub const fn nb_send(capability: Word, info: MessageInfo, words: Words) -> Self {
        Self::system_call(syscall::NBSend, capability).message(info, words)
    }

    /// `seL4_Recv`
    pub const fn recv(capability: Word, reply: Word) -> Self {
        Self::system_call(syscall::Recv, capability).with(6, reply)
    }

    /// `seL4_NBRecv`
    pub const fn nb_recv(capability: Word, reply: Word) -> Self {
        Self::system_call(syscall::NBRecv, capability).with(6, reply)
    }

    /// `seL4_Wait`
    pub const fn wait(capability: Word) -> Self {
        Self::system_call(syscall::Wait, capability)
    }

    /// `seL4_NBWait`
    pub const fn nb_wait(capability: Word) -> Self {
        Self::system_call(syscall::NBWait, capability)
    }

    /// `seL4_ReplyRecv`
    pub const fn reply_recv(
        capability: Word,
        info: MessageInfo,
        words: Words,
        reply: Word,
    ) -> Self {
        Self::system_call(syscall::ReplyRecv, capability)
            .message(info, words)
            .with(6, reply)
    }

    /// `seL4_NBSendRecv`: sends to `destination`.
    pub const fn nb_send_recv(
        destination: Word,
        info: MessageInfo,
        words: Words,
        capability: Word,
        reply: Word,
    ) -> Self {
        Self::system_call(syscall::NBSendRecv, capability)
            .message(info, words)
            .with(6, reply)
            .with(8, destination)
    }

    /// `seL4_NBSendWait`: sends to `destination`.
    pub const fn nb_send_wait(
        destination: Word,
        info: MessageInfo,
        words: Words,
        capability: Word,
    ) -> Self {
        Self::system_call(syscall::NBSendWait, capability)
            .message(info, words)
            .with(6, destination)
    }

    /// `seL4_Yield`
    pub const fn r#yield() -> Self {
        Self::system_call(syscall::Yield, 0xf00)
    }

    /// Returns the context of a thread that starts at `pc`.
    pub(crate) fn context(&self, pc: Word) -> UserContext {
        let mut context = UserContext::default();
        *context.pc_mut() = pc;
        *context.sp_mut() = STACK_POINTER;
        for (index, value) in self.x.iter().enumerate() {
            *context.gpr_mut(index) = *value;
        }
        context
    }

    /// Returns whether all registers except x0 to x5 are unchanged. A system call must not change
    /// these registers.
    pub(crate) fn are_kept(&self, context: &UserContext) -> bool {
        *context.sp() == STACK_POINTER
            && (6..self.x.len()).all(|index| self.x[index] == *context.gpr(index))
    }
}
