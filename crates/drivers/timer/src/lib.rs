//! The time, and time-outs for several protection domains (PDs).
//!
//! The crate has two parts:
//!
//! - a library for clients: [`Timer`];
//! - the PD `timer`, which drives the processor's timer. Its binary is `timer`, and a system file
//!   names the binary `timer.elf`.
//!
//! A client calls the driver, and the driver answers at once. When time-outs of a client expire,
//! the driver notifies the client once. The client then calls [`Timer::expired`] to get the expired
//! time-outs, in the order of their deadlines.
//!
//! # Which timer
//!
//! The PD drives the physical timer of the processor (the EL1 physical timer of Arm's Generic
//! Timer: `CNTP_CVAL_EL0`, `CNTP_CTL_EL0`), and reads its counter (`CNTPCT_EL0`). The PD maps no
//! memory region. The driver requires two conditions. Both are true on `qemu_virt_aarch64`:
//!
//! - The kernel allows PDs to use these registers (`EXPORT_PCNT_USER` and `EXPORT_PTMR_USER`), and
//!   the kernel itself uses another timer. Every PD can then access the registers, so a malicious
//!   PD can change the driver's alarm.
//! - The timer has interrupt 30, and only this PD handles the interrupt.
//!
//! # The dependency
//!
//! In the `Cargo.toml` of the package with the system file:
//!
//! ```toml
//! [dependencies]
//! microkit-timer = { path = "../sel4-microkit-rs/crates/drivers/timer" }
//! ```
//!
//! `cargo microkit` then builds `timer.elf`, the program of the PD, from this dependency.
//!
//! # The system file
//!
//! ```xml
//! <protection_domain name="timer" priority="200" stack_size="0x4000">
//!     <program_image path="timer.elf" />
//!     <irq irq="30" id="0" />
//! </protection_domain>
//!
//! <!-- For each client. -->
//! <channel>
//!     <end pd="timer" id="1" />
//!     <end pd="client" id="1" pp="true" />
//! </channel>
//! ```
//!
//! - The interrupt has the `id` 0 at the driver.
//! - Up to four clients have the `id`s 1 to 4 at the driver. Each client has `pp="true"` and any
//!   `id` at its own end.
//! - The driver must have a higher priority than each client. The driver must not be passive,
//!   because it runs at the interrupt.
//!
//! # A client
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use microkit_timer::{Error, Timer};
//! use sel4_microkit::{Channel, ChannelSet, Handler, debug_println, protection_domain};
//!
//! const TIMER: Channel = Channel::new(1);
//! const SECOND_NS: u64 = 1_000_000_000;
//!
//! struct Blinker(Timer);
//!
//! #[protection_domain]
//! fn init() -> Blinker {
//!     let timer = Timer::new(TIMER);
//!     timer.set(timer.now_ns() + SECOND_NS, 0).expect("it is the only time-out");
//!     Blinker(timer)
//! }
//!
//! impl Handler for Blinker {
//!     type Error = Error;
//!
//!     fn notified(&mut self, _: ChannelSet) -> Result<(), Error> {
//!         for expired in self.0.expired() {
//!             debug_println!("blink");
//!             self.0.set(expired.deadline_ns + SECOND_NS, 0)?;
//!         }
//!         Ok(())
//!     }
//! }
//! ```
//!
//! A PD that declares its calls by `waits!` lists `call TIMER`.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `async` | `Timer` is an `Alarm` of `microkit-async`, so that tasks can wait by `embassy-time` |
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod alarm;

use core::fmt;
use sel4_microkit::{Channel, MessageInfo, with_msg_regs};

/// The largest number of time-outs of each client. A time-out counts from [`Timer::set`] until it
/// is cancelled or returned by [`Timer::expired`].
pub const TIMEOUTS_PER_CLIENT: usize = 8;

/// The requests of clients, which are the labels of the calls. [`Timer`] makes these calls.
///
/// The words are the message registers of the call.
pub mod request {
    /// Returns the time. The reply is one word: nanoseconds.
    pub const NOW: u64 = 0;
    /// Sets a time-out at a time in nanoseconds (word 0), with a tag (word 1). The reply is one
    /// word: the identifier of the time-out.
    pub const SET: u64 = 1;
    /// Cancels the time-out with an identifier (word 0).
    pub const CANCEL: u64 = 2;
    /// Returns the time-outs that have expired. The reply has three words for each time-out: tag,
    /// deadline, order.
    pub const EXPIRED: u64 = 3;
    /// Cancels all time-outs of the client, and drops its expired time-outs.
    pub const RESET: u64 = 4;
}

/// The labels of the driver's replies.
pub mod reply {
    /// The request was executed.
    pub const DONE: u64 = 0;
    /// The client already has [`TIMEOUTS_PER_CLIENT`](super::TIMEOUTS_PER_CLIENT) time-outs.
    pub const FULL: u64 = 1;
    /// The client has not set this time-out, or the time-out has expired.
    pub const NOT_SET: u64 = 2;
    /// The request is unknown, or the channel does not belong to a client.
    pub const UNKNOWN: u64 = 3;
}

/// The client's end of the timer.
#[derive(Debug)]
pub struct Timer {
    driver: Channel,
}

/// The identifier of a time-out, for [`Timer::cancel`].
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Timeout(u64);

/// A time-out that has expired.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The tag that the client has given to [`Timer::set`].
    pub tag: u64,
    /// The time at which the time-out was due, in nanoseconds.
    pub deadline_ns: u64,
    /// The number of time-outs, of all clients, that have expired before this one since the driver
    /// started.
    pub order: u64,
}

/// The error of setting or cancelling a time-out.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Error {
    /// The client already has [`TIMEOUTS_PER_CLIENT`] time-outs.
    Full,
    /// The time-out has expired, or was cancelled before.
    NotSet,
    /// The driver has sent an unknown answer.
    Driver,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(
                f,
                "this client has {TIMEOUTS_PER_CLIENT} time-outs, the most that it can have: \
                 cancel one, or ask which have expired"
            ),
            Self::NotSet => f.write_str("no such time-out is set"),
            Self::Driver => f.write_str(
                "the timer driver has sent an unknown answer: is the channel that of the timer?",
            ),
        }
    }
}

impl core::error::Error for Error {}

/// **Blocking:** all methods wait for the driver's answer. The driver answers at once.
///
/// # Panics
///
/// All methods panic inside a borrow of the message registers.
impl Timer {
    /// Creates the client's end, and [resets](Self::reset) the client's time-outs at the driver. So
    /// a restarted client has no time-outs of its earlier incarnation.
    ///
    /// **Rights:** a channel with `pp="true"` to the driver. The driver must have a higher
    /// priority.
    pub fn new(driver: Channel) -> Self {
        let timer = Self { driver };
        timer.reset();
        timer
    }

    /// Returns the time in nanoseconds since the processor's counter started.
    pub fn now_ns(&self) -> u64 {
        self.call(request::NOW, [0; 2]).1
    }

    /// Sets a time-out. The driver notifies the client at `deadline_ns`, or at once if that time
    /// has passed. [`expired`](Self::expired) returns `tag` unchanged.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Full`] if the client already has [`TIMEOUTS_PER_CLIENT`] time-outs.
    pub fn set(&self, deadline_ns: u64, tag: u64) -> Result<Timeout, Error> {
        match self.call(request::SET, [deadline_ns, tag]) {
            (reply::DONE, id) => Ok(Timeout(id)),
            (reply::FULL, _) => Err(Error::Full),
            _ => Err(Error::Driver),
        }
    }

    /// Cancels a time-out.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotSet`] if the time-out has expired, or was cancelled before.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn wait(timer: &microkit_timer::Timer) -> Result<(), microkit_timer::Error> {
    /// let timeout = timer.set(timer.now_ns() + 5_000_000, 7)?;
    /// // … the answer comes in time …
    /// timer.cancel(timeout)
    /// # }
    /// ```
    pub fn cancel(&self, timeout: Timeout) -> Result<(), Error> {
        match self.call(request::CANCEL, [timeout.0, 0]) {
            (reply::DONE, _) => Ok(()),
            (reply::NOT_SET, _) => Err(Error::NotSet),
            _ => Err(Error::Driver),
        }
    }

    /// Cancels all time-outs of this client, and drops its expired time-outs.
    pub fn reset(&self) {
        self.call(request::RESET, [0; 2]);
    }

    /// Returns the time-outs that have expired since the last call, in the order of their
    /// deadlines. Time-outs with the same deadline are in the order in which they were set.
    pub fn expired(&self) -> impl Iterator<Item = Expired> + use<> {
        let info = self.driver.pp_call(MessageInfo::new(request::EXPIRED, 0));
        let mut all = [None; TIMEOUTS_PER_CLIENT];
        with_msg_regs(|words| {
            let (expired, _) = words[..info.count()].as_chunks();
            for (place, &[tag, deadline_ns, order]) in all.iter_mut().zip(expired) {
                *place = Some(Expired {
                    tag,
                    deadline_ns,
                    order,
                });
            }
        });
        all.into_iter().flatten()
    }

    /// Calls the driver. Returns the label and the first word of the reply.
    fn call(&self, request: u64, words: [u64; 2]) -> (u64, u64) {
        let info = MessageInfo::new(request, words.len());
        let (info, reply) = self.driver.pp_call_with_mrs(info, words);
        (info.label(), reply[0])
    }
}
