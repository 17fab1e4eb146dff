//! The puppets and their capabilities.

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

/// The last puppet to run, with priority 1.
pub const LAST: Puppet = Puppet { id: 5 };

/// A puppet that lends its scheduling context. The budget is a small part of the period.
pub const SMALL: Puppet = Puppet { id: 6 };

/// A puppet that lends its scheduling context. The period is short, and the budget is as long.
pub const SHORT: Puppet = Puppet { id: 7 };

/// The largest number of puppets in a system.
pub(crate) const COUNT: usize = 7;

/// The driver's own thread.
// SAFETY: the system file puts the capability into this slot.
pub const DRIVER_TCB: cap::Tcb = unsafe { cap::Tcb::from_bits(in_root(1)) };

/// The driver's own scheduling context.
// SAFETY: the system file puts the capability into this slot.
pub const DRIVER_SC: cap::SchedContext = unsafe { cap::SchedContext::from_bits(in_root(2)) };

/// Sets the driver's own priority, which is 200 in the system file.
pub fn set_driver_priority(priority: sel4::Word) {
    DRIVER_TCB
        .tcb_set_priority(DRIVER_TCB, priority)
        .expect("the priority is not above that in the system file");
}

/// Returns the capability pointer of the root CNode's slot with this number in the system file.
pub const fn in_root(slot: u64) -> sel4::CPtrBits {
    slots::user_cptr(slot).expect("a system file can name this slot")
}

impl Puppet {
    pub(crate) const fn of_child(id: u8) -> Self {
        Self { id }
    }

    pub(crate) const fn index(self) -> usize {
        self.id as usize - 1
    }

    /// Returns the puppet's thread.
    pub const fn tcb(self) -> cap::Tcb {
        // SAFETY: Microkit puts the child's TCB into this slot.
        unsafe { cap::Tcb::from_bits(slots::BASE_TCB + self.id as u64) }
    }

    /// Suspends the puppet.
    pub fn suspend(self) {
        self.tcb().tcb_suspend().expect("the puppet is a child");
    }

    /// Resumes the puppet.
    pub fn resume(self) {
        self.tcb().tcb_resume().expect("the puppet is a child");
    }

    /// Sets the puppet's priority.
    pub fn set_priority(self, priority: sel4::Word) {
        self.tcb()
            .tcb_set_priority(DRIVER_TCB, priority)
            .expect("the driver may set it");
    }

    /// Returns the initial scheduling context of the puppet.
    pub const fn sched_context(self) -> cap::SchedContext {
        // SAFETY: the system file puts the capability into this slot.
        unsafe { cap::SchedContext::from_bits(in_root(10 + self.id as u64)) }
    }

    /// Returns the driver's capability to the puppet's notification, with bit 10 as its badge.
    pub const fn notification(self) -> cap::Notification {
        // SAFETY: Microkit puts the channel's notification into this slot.
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
