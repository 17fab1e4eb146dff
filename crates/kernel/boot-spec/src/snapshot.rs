//! The format of the snapshot that the model kernel writes to memory. A debugger reads the snapshot
//! through QEMU.
//!
//! The snapshot consists of [`WORDS`] words at the symbol [`SYMBOL`]. The first word is the
//! [`Phase`]. The other words are valid when the phase is [`Phase::Taken`]: the number of PDs, and
//! [`ThreadSnapshot::WORDS`] words for the thread of each PD, in the order of the boot spec.

use microkit_abi::limits::MAX_PROTECTION_DOMAINS;

/// The symbol of the snapshot in the kernel's ELF file.
pub const SYMBOL: &str = "model_kernel_snapshot";

/// The number of words of the snapshot.
pub const WORDS: usize = HEADER_WORDS + MAX_PROTECTION_DOMAINS * ThreadSnapshot::WORDS;

/// The number of header words: the phase and the number of PDs.
pub const HEADER_WORDS: usize = 2;

macro_rules! words {
    ($(#[$attr:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$attr])*
        #[derive(Debug, Copy, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant = $word,)*
        }

        impl $name {
            /// Encodes the value as a word.
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
        /// The kernel boots or runs PDs.
        Runs = 0,
        /// Every PD is blocked or stopped, and neither time nor an IRQ can wake a PD.
        Idle = 1,
        /// The kernel has printed an error and halted.
        Halted = 2,
        /// The kernel has written the requested snapshot of all threads, and has stopped.
        Taken = 3,
    }
}

words! {
    /// The state of a thread.
    Doing {
        /// The thread is inactive until another thread resumes it.
        Stopped = 0,
        /// The thread is running.
        Runs = 1,
        /// The thread is in the ready queue.
        Ready = 2,
        /// The thread is in the release queue until its next refill.
        AwaitsBudget = 3,
        /// The thread is runnable but has no scheduling context.
        HasNoSchedContext = 4,
        /// The thread waits for a message at an endpoint.
        Receives = 5,
        /// The thread waits for a notification.
        AwaitsNotification = 6,
        /// The thread waits for a receiver of a message that needs no reply.
        Sends = 7,
        /// The thread waits for a receiver of its call.
        Calls = 8,
        /// The thread waits for a reply.
        AwaitsReply = 9,
        /// The thread has faulted and waits for its fault handler.
        Faulted = 10,
    }
}

/// The snapshot of a PD's thread.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct ThreadSnapshot {
    /// The state of the thread.
    pub doing: Doing,
    /// The address of the current instruction. For a blocked thread, this is the instruction of its
    /// system call.
    pub instruction: u64,
    /// The stack pointer.
    pub stack_pointer: u64,
    /// The frame pointer, `x29`.
    pub frame_pointer: u64,
    /// The link register, `x30`.
    pub link: u64,
    /// The register `x0`: the capability pointer of a system call.
    pub capability: u64,
    /// The physical address of the root of the thread's page tables.
    pub tables: u64,
}

impl ThreadSnapshot {
    /// The number of words of an encoded thread snapshot.
    pub const WORDS: usize = 7;

    /// Encodes the thread snapshot as words.
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

    /// Decodes a thread snapshot from words.
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
