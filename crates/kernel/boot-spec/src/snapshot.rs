//! What the model kernel leaves in its memory about itself, for whoever can read the machine's: the
//! debugger's side of QEMU.
//!
//! Under the name [`SYMBOL`] lie [`WORDS`] words. The first is the [`Phase`]. The others are there
//! once that is [`Phase::Taken`]: the number of PDs, and [`ThreadSnapshot::WORDS`] for the thread
//! of each, in the order of the boot spec.

use microkit_abi::limits::MAX_PROTECTION_DOMAINS;

/// The symbol of the words in the kernel's ELF file.
pub const SYMBOL: &str = "model_kernel_snapshot";

/// How many words there are.
pub const WORDS: usize = HEADER_WORDS + MAX_PROTECTION_DOMAINS * ThreadSnapshot::WORDS;

/// The words before those of the threads: the phase, and the number of PDs.
pub const HEADER_WORDS: usize = 2;

macro_rules! words {
    ($(#[$attr:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$attr])*
        #[derive(Debug, Copy, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant = $word,)*
        }

        impl $name {
            /// The word for it.
            pub const fn word(self) -> u64 {
                self as u64
            }

            /// What the word stands for.
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
    /// How far the kernel has come.
    Phase {
        /// It boots, or PDs run.
        Runs = 0,
        /// Every PD is blocked or stopped, and neither time nor an interrupt can wake one.
        Idle = 1,
        /// It has halted, and has said why.
        Halted = 2,
        /// It was asked for the state of all threads, which is here, and has stopped.
        Taken = 3,
    }
}

words! {
    /// What a thread does.
    Doing {
        /// Nothing, until someone resumes it.
        Stopped = 0,
        /// It runs.
        Runs = 1,
        /// It is in the ready queue.
        Ready = 2,
        /// It is in the release queue, until its budget is refilled.
        AwaitsBudget = 3,
        /// It would run, but has no scheduling context.
        HasNoSchedContext = 4,
        /// It receives on an endpoint.
        Receives = 5,
        /// It waits for a notification.
        AwaitsNotification = 6,
        /// It waits until a receiver takes its message, which wants no reply.
        Sends = 7,
        /// It waits until a receiver takes its message, and for the reply.
        Calls = 8,
        /// It waits for the reply.
        AwaitsReply = 9,
        /// It has faulted, and waits for its fault handler.
        Faulted = 10,
    }
}

/// The thread of a PD.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct ThreadSnapshot {
    /// What it does.
    pub doing: Doing,
    /// The address of the instruction that it executes: for a blocked thread, its system call.
    pub instruction: u64,
    /// Its stack pointer.
    pub stack_pointer: u64,
    /// Its frame pointer, x29.
    pub frame_pointer: u64,
    /// Its link register, x30.
    pub link: u64,
    /// Its register x0: the capability of a system call.
    pub capability: u64,
    /// The physical address of the root of its page tables.
    pub tables: u64,
}

impl ThreadSnapshot {
    /// How many words it is.
    pub const WORDS: usize = 7;

    /// The words for it.
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

    /// What the words stand for.
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
    fn a_thread_is_what_its_words_say() {
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
