//! The snapshot that the model kernel writes to its memory, where a debugger finds it through QEMU.
//!
//! The symbol [`SYMBOL`] names [`WORDS`] words. The first is the [`Phase`]. The others are valid
//! once that is [`Phase::Taken`]: the number of PDs, and [`ThreadSnapshot::WORDS`] words for the
//! thread of each PD, in the order of the boot spec.

use microkit_abi::limits::MAX_PROTECTION_DOMAINS;

/// The symbol of the words in the kernel's ELF file.
pub const SYMBOL: &str = "model_kernel_snapshot";

/// The number of words.
pub const WORDS: usize = HEADER_WORDS + MAX_PROTECTION_DOMAINS * ThreadSnapshot::WORDS;

/// The number of words before those of the threads: the phase and the number of PDs.
pub const HEADER_WORDS: usize = 2;

macro_rules! words {
    ($(#[$attr:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$attr])*
        #[derive(Debug, Copy, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant = $word,)*
        }

        impl $name {
            /// Encodes it as a word.
            pub const fn word(self) -> u64 {
                self as u64
            }

            /// Decodes a word.
            pub const fn from_word(word: u64) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// The state of the kernel.
    Phase {
        /// It boots or runs PDs.
        Runs = 0,
        /// Every PD is blocked or stopped, and neither time nor an IRQ can wake one.
        Idle = 1,
        /// It has halted and printed the reason.
        Halted = 2,
        /// It has written the state of all threads here on request, and stopped.
        Taken = 3,
    }
}

words! {
    /// What a thread is doing.
    Doing {
        /// It does nothing until it is resumed.
        Stopped = 0,
        /// It runs.
        Runs = 1,
        /// It is in the ready queue.
        Ready = 2,
        /// It is in the release queue until its next refill.
        AwaitsBudget = 3,
        /// It is runnable but has no scheduling context.
        HasNoSchedContext = 4,
        /// It waits for a message at an endpoint.
        Receives = 5,
        /// It waits for a notification.
        AwaitsNotification = 6,
        /// It waits for a receiver of its message, which needs no reply.
        Sends = 7,
        /// It waits for a receiver of its message, and will then wait for the reply.
        Calls = 8,
        /// It waits for a reply.
        AwaitsReply = 9,
        /// It has faulted and waits for its fault handler.
        Faulted = 10,
    }
}

/// The thread of a PD.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct ThreadSnapshot {
    /// What it is doing.
    pub doing: Doing,
    /// The address of its current instruction: for a blocked thread, the system call.
    pub instruction: u64,
    /// The stack pointer.
    pub stack_pointer: u64,
    /// The frame pointer, `x29`.
    pub frame_pointer: u64,
    /// The link register, `x30`.
    pub link: u64,
    /// The register `x0`: the capability pointer of a system call.
    pub capability: u64,
    /// The physical address of the root of its page tables.
    pub tables: u64,
}

impl ThreadSnapshot {
    /// The number of words of its encoding.
    pub const WORDS: usize = 7;

    /// Encodes it as words.
    pub const fn to_words(self) -> [u64; Self::WORDS] {
        [
            self.doing.word(),
            self.instruction,
            self.stack_pointer,
            self.frame_pointer,
            self.link,
            self.capability,
            self.tables,
        ]
    }

    /// Decodes words.
    pub const fn from_words(words: [u64; Self::WORDS]) -> Option<Self> {
        let [
            doing,
            instruction,
            stack_pointer,
            frame_pointer,
            link,
            capability,
            tables,
        ] = words;
        let Some(doing) = Doing::from_word(doing) else {
            return None;
        };
        Some(Self {
            doing,
            instruction,
            stack_pointer,
            frame_pointer,
            link,
            capability,
            tables,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decode_to_the_thread_that_they_encode() {
        for doing in (0..).map_while(Doing::from_word) {
            let thread = ThreadSnapshot {
                doing,
                instruction: 1,
                stack_pointer: 2,
                frame_pointer: 3,
                link: 4,
                capability: 5,
                tables: 6,
            };
            assert_eq!(ThreadSnapshot::from_words(thread.to_words()), Some(thread));
        }
        assert_eq!(ThreadSnapshot::from_words([11, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Doing::from_word(10), Some(Doing::Faulted));
        assert_eq!(Phase::from_word(3), Some(Phase::Taken));
        assert_eq!(Phase::from_word(4), None);
    }
}
