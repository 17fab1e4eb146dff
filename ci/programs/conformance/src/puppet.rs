//! Who takes part.

use core::fmt;

use microkit_abi::slots;
use sel4::cap;

/// A child of the driver, by its identifier in the system file.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Puppet {
    id: u8,
}

/// A client of [`C`] and [`D`], with priority 11.
pub const A: Puppet = Puppet { id: 1 };

/// A client of [`C`] and [`D`], with priority 12.
pub const B: Puppet = Puppet { id: 2 };

/// A server of [`A`] and [`B`], and a client of [`D`], with priority 13.
pub const C: Puppet = Puppet { id: 3 };

/// A server, with priority 14.
pub const D: Puppet = Puppet { id: 4 };

/// The last one to run: it has priority 1.
pub const LAST: Puppet = Puppet { id: 5 };

/// One that gives its scheduling context away: that has a small part of every period.
pub const SMALL: Puppet = Puppet { id: 6 };

/// One that gives its scheduling context away: that has all of a short period.
pub const SHORT: Puppet = Puppet { id: 7 };

/// How many there are at most.
pub(crate) const COUNT: usize = 7;

/// The driver's own thread.
// SAFETY: the system file says so.
pub const DRIVER_TCB: cap::Tcb = unsafe { cap::Tcb::from_bits(in_root(1)) };

/// The driver's own scheduling context.
// SAFETY: the system file says so.
pub const DRIVER_SC: cap::SchedContext = unsafe { cap::SchedContext::from_bits(in_root(2)) };

/// Sets the driver's own priority, which is 200 in the system file.
pub fn set_driver_priority(priority: sel4::Word) {
    DRIVER_TCB
        .tcb_set_priority(DRIVER_TCB, priority)
        .expect("it is not above that of the system file");
}

/// The slot of the root CNode that the system file calls `slot`.
pub const fn in_root(slot: u64) -> sel4::CPtrBits {
    slots::user_cptr(slot).expect("it is one of those that a system file can name")
}

impl Puppet {
    pub(crate) const fn of_child(id: u8) -> Self {
        Self { id }
    }

    pub(crate) const fn index(self) -> usize {
        self.id as usize - 1
    }

    /// Its thread.
    pub const fn tcb(self) -> cap::Tcb {
        // SAFETY: the builder puts a child's thread there.
        unsafe { cap::Tcb::from_bits(slots::BASE_TCB + self.id as u64) }
    }

    /// Stops it.
    pub fn suspend(self) {
        self.tcb().tcb_suspend().expect("it is a child");
    }

    /// Lets it go on.
    pub fn resume(self) {
        self.tcb().tcb_resume().expect("it is a child");
    }

    /// Sets its priority.
    pub fn set_priority(self, priority: sel4::Word) {
        self.tcb()
            .tcb_set_priority(DRIVER_TCB, priority)
            .expect("the driver may give it");
    }

    /// The scheduling context that it has in the beginning.
    pub const fn sched_context(self) -> cap::SchedContext {
        // SAFETY: the system file says so.
        unsafe { cap::SchedContext::from_bits(in_root(10 + self.id as u64)) }
    }

    /// The driver's capability to its notification; the badge has bit 10.
    pub const fn notification(self) -> cap::Notification {
        // SAFETY: the builder puts a channel's notification there.
        unsafe { cap::Notification::from_bits(slots::BASE_OUTPUT_NOTIFICATION + self.id as u64) }
    }
}

impl fmt::Display for Puppet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            A => "a",
            B => "b",
            C => "c",
            D => "d",
            LAST => "last",
            SMALL => "small",
            SHORT => "short",
            _ => "?",
        })
    }
}
