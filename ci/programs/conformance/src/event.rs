//! The events that the driver receives from puppets, and their printed form.

use core::fmt;

use microkit_abi::badge::Origin;
use sel4::sys::fault;
use sel4::{Badge, MessageInfo, Word};

use crate::Puppet;
use crate::registers::status;
use crate::stage::{PROGRAM_BYTES, code_of};

/// Words of the longest fault message.
pub(crate) const FAULT_WORDS: usize = 13;

/// A message or signal that the driver has received.
pub struct Event {
    pub(crate) badge: Badge,
    pub(crate) info: MessageInfo,
    pub(crate) words: [Word; FAULT_WORDS],
    /// Set if a puppet has reached the end of its program.
    pub(crate) done: Option<Done>,
}

/// The registers of a puppet at the end of its program.
pub(crate) struct Done {
    /// x0 to x5, which a system call may change.
    pub(crate) registers: [Word; 6],
    /// Whether all other registers are unchanged.
    pub(crate) are_others_kept: bool,
}

impl Event {
    /// Returns the puppet that has faulted.
    pub fn puppet(&self) -> Option<Puppet> {
        match Origin::from_badge(self.badge) {
            Origin::Fault { child } => Some(Puppet::of_child(child)),
            _ => None,
        }
    }

    /// Returns whether the puppet has reached the end of its program.
    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    /// Returns the label of the message.
    pub fn label(&self) -> Word {
        self.info.label()
    }

    /// Returns a word of the message.
    pub fn word(&self, index: usize) -> Word {
        self.words[index]
    }
}

/// Prints events, one per line, after a description of the cause.
#[macro_export]
macro_rules! show {
    ($events:expr, $($what:tt)*) => {
        $crate::show(&$events, ::core::format_args!($($what)*), |line| ::microkit_console::println!("{line}"))
    };
}

/// The function behind the macro of this name.
#[doc(hidden)]
pub fn show(events: &[Event], what: fmt::Arguments<'_>, mut print: impl FnMut(fmt::Arguments<'_>)) {
    if events.is_empty() {
        print(format_args!("{what}: -"));
    }
    for event in events {
        print(format_args!("{what}: {event}"));
    }
}

/// Prints the event in hexadecimal. A message info is printed as label, unwrapped capabilities,
/// extra capabilities and length.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown_info = Info(self.info);
        match Origin::from_badge(self.badge) {
            Origin::Notifications(0) => write!(f, "badge 0: {shown_info}"),
            Origin::Notifications(bits) => write!(f, "the driver is notified: {bits:x}"),
            Origin::Call { channel } => {
                let words = &self.words[..self.info.length().min(FAULT_WORDS)];
                write!(f, "call on {channel}: {shown_info}{}", Hex(words))
            }
            Origin::Fault { child } => {
                let puppet = Puppet::of_child(child);
                match &self.done {
                    Some(done) => {
                        let [x0, x1, words @ ..] = &done.registers;
                        let info = Info(MessageInfo::from_word(*x1));
                        write!(f, "{puppet} x0={x0:x} {info}{}", Hex(words))?;
                        match done.are_others_kept {
                            true => Ok(()),
                            false => f.write_str(" and changed other registers"),
                        }
                    }
                    None => {
                        let fault = Fault {
                            puppet,
                            event: self,
                        };
                        write!(f, "{puppet} {fault}")
                    }
                }
            }
        }
    }
}

/// Prints the name and the words of a fault. An address in the puppet's program is printed as an
/// offset.
struct Fault<'a> {
    puppet: Puppet,
    event: &'a Event,
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fault's name, and the indexes of the program counter and of the status register.
        let (name, place, status_word) = match self.event.info.label() {
            fault::NullFault => ("NullFault", None, None),
            fault::CapFault => ("CapFault", Some(0), None),
            fault::UnknownSyscall => ("UnknownSyscall", Some(8), Some(11)),
            fault::UserException => ("UserException", Some(0), Some(2)),
            fault::Timeout => ("Timeout", None, None),
            fault::VMFault => ("VMFault", Some(0), None),
            fault::VCPUFault => ("VCPUFault", None, None),
            _ => ("another fault", None, None),
        };
        f.write_str(name)?;
        let length = self.event.info.length();
        for (index, &word) in self.event.words.iter().take(length).enumerate() {
            let offset = word.wrapping_sub(code_of(self.puppet));
            if Some(index) == place && offset < PROGRAM_BYTES {
                write!(f, " +{offset:x}")?;
            } else if Some(index) == status_word {
                write!(f, " {:x}", status(word))?;
            } else {
                write!(f, " {word:x}")?;
            }
        }
        Ok(())
    }
}

/// Prints a message info as label, unwrapped capabilities, extra capabilities and length.
struct Info(MessageInfo);

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.0;
        let (label, unwrapped) = (info.label(), info.caps_unwrapped());
        let (caps, length) = (info.extra_caps(), info.length());
        write!(f, "info={label:x}/{unwrapped}/{caps}/{length}")
    }
}

/// Prints words, each after a space.
struct Hex<'a>(&'a [Word]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, " {word:x}"))
    }
}
