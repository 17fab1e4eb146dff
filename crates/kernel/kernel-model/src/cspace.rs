//! CSpaces: the lookup of a capability pointer (seL4 manual, *Capability Address Lookup*; seL4's
//! `kernel/cspace.c`).
//!
//! No PD can change a CSpace, because no PD can name a capability to a CNode. The capability to the
//! Microkit CNode is in slot 0 of the root CNode. But a lookup uses all 64 bits of an address, so
//! the address of slot 0 leads into the Microkit CNode. For the same reason, no PD can receive a
//! capability in a message.

use crate::cap::{CNodeCap, Cap};
use crate::numbers::lookup_failure;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The CNodes of one PD.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CSpace {
    root: CNodeCap,
    nodes: Vec<CNode>,
    /// The CNode that all small addresses lead to. With this field, a lookup needs only one access.
    small: Option<u8>,
}

/// A table of `2^radix` slots.
#[derive(Debug, PartialEq, Eq)]
struct CNode {
    radix: u32,
    slots: Box<[Cap]>,
}

impl CSpace {
    /// Makes a CSpace whose root CNode is empty.
    pub(crate) fn new(radix: u32) -> Self {
        let mut cspace = Self {
            root: CNodeCap {
                node: 0,
                guard: 0,
                guard_bits: 0,
            },
            nodes: Vec::new(),
            small: None,
        };
        cspace.root = cspace.add_node(radix, 0, 0);
        cspace
    }

    /// Adds an empty CNode, and returns a capability to it.
    pub(crate) fn add_node(&mut self, radix: u32, guard: u64, guard_bits: u32) -> CNodeCap {
        let node = self.nodes.len() as u8;
        let slots = (0..1 << radix).map(|_| Cap::Null).collect();
        self.nodes.push(CNode { radix, slots });
        CNodeCap {
            node,
            guard,
            guard_bits,
        }
    }

    /// Puts a capability into a slot of the root CNode.
    pub(crate) fn put_in_root(&mut self, slot: u64, cap: Cap) {
        self.put(self.root, slot, cap);
        if slot == 0 {
            self.small = match cap {
                Cap::CNode(cap) if cap.guard == 0 && self.fills_the_word(cap) => Some(cap.node),
                _ => None,
            };
        }
    }

    /// Puts a capability into a slot of a CNode.
    pub(crate) fn put(&mut self, node: CNodeCap, slot: u64, cap: Cap) {
        self.nodes[usize::from(node.node)].slots[slot as usize] = cap;
    }

    fn fills_the_word(&self, cap: CNodeCap) -> bool {
        let radix = |cap: CNodeCap| self.nodes[usize::from(cap.node)].radix;
        self.root.guard_bits == 0 && radix(self.root) + cap.guard_bits + radix(cap) == u64::BITS
    }

    /// Looks up a capability pointer (`lookupSlot`). Returns [`Cap::Null`] for an empty slot.
    #[inline]
    pub(crate) fn lookup(&self, cptr: u64) -> Result<Cap, LookupFailure> {
        if let Some(node) = self.small
            && let Some(cap) = self.nodes[usize::from(node)].slots.get(cptr as usize)
        {
            return Ok(*cap);
        }
        self.follow(cptr)
    }

    #[cold]
    fn follow(&self, cptr: u64) -> Result<Cap, LookupFailure> {
        let mut node_cap = self.root;
        let mut bits_left = u64::BITS;
        loop {
            let node = &self.nodes[usize::from(node_cap.node)];
            let guard_bits = node_cap.guard_bits;
            let level_bits = node.radix + guard_bits;
            let bits = |count: u32, from: u32| {
                let mask = (1_u64 << count) - 1;
                cptr.checked_shr(from - count).unwrap_or(0) & mask
            };
            if guard_bits > bits_left || bits(guard_bits, bits_left) != node_cap.guard {
                return Err(LookupFailure::GuardMismatch {
                    bits_left,
                    guard_found: node_cap.guard,
                    bits_found: guard_bits,
                });
            }
            if level_bits > bits_left {
                return Err(LookupFailure::DepthMismatch {
                    bits_left,
                    bits_found: level_bits,
                });
            }
            let slot = bits(node.radix, bits_left - guard_bits);
            let cap = node.slots[slot as usize];
            bits_left -= level_bits;
            match cap {
                Cap::CNode(next) if bits_left > 0 => node_cap = next,
                _ => return Ok(cap),
            }
        }
    }
}

/// The reason why a lookup failed (seL4 manual, *Lookup Failure Description*).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub enum LookupFailure {
    /// The thread has no CSpace.
    InvalidRoot,
    /// The slot does not hold a capability of the required kind.
    MissingCapability {
        /// The number of address bits not yet looked up.
        bits_left: u32,
    },
    /// A CNode resolves more bits than the address has left.
    DepthMismatch {
        /// The number of address bits not yet looked up.
        bits_left: u32,
        /// The number of bits that the CNode resolves.
        bits_found: u32,
    },
    /// Bits of the address differ from the guard of a CNode.
    GuardMismatch {
        /// The number of address bits not yet looked up.
        bits_left: u32,
        /// The guard of the CNode.
        guard_found: u64,
        /// The number of bits of the CNode's guard.
        bits_found: u32,
    },
}

impl LookupFailure {
    /// The failure that seL4 reports for a capability of the wrong kind.
    pub(crate) const MISSING: Self = Self::MissingCapability { bits_left: 0 };

    /// Returns the words that report the failure in a message, and their number. The first word is
    /// the kind.
    pub(crate) fn words(self) -> ([u64; 4], usize) {
        match self {
            Self::InvalidRoot => ([lookup_failure::InvalidRoot, 0, 0, 0], 1),
            Self::MissingCapability { bits_left } => (
                [lookup_failure::MissingCapability, bits_left.into(), 0, 0],
                2,
            ),
            Self::DepthMismatch {
                bits_left,
                bits_found,
            } => (
                [
                    lookup_failure::DepthMismatch,
                    bits_left.into(),
                    bits_found.into(),
                    0,
                ],
                3,
            ),
            Self::GuardMismatch {
                bits_left,
                guard_found,
                bits_found,
            } => (
                [
                    lookup_failure::GuardMismatch,
                    bits_left.into(),
                    guard_found,
                    bits_found.into(),
                ],
                4,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ThreadId;

    const HERE: Cap = Cap::Thread(ThreadId(1));
    const THERE: Cap = Cap::Thread(ThreadId(2));

    /// Returns a CSpace whose root CNode has 6 bits. Slot 0 leads to a CNode of 9 bits with a guard
    /// of 49 zeros. Slot 2 leads to a CNode that resolves more bits than are left.
    fn cspace() -> CSpace {
        let mut cspace = CSpace::new(6);
        let inner = cspace.add_node(9, 0, 49);
        cspace.put_in_root(0, Cap::CNode(inner));
        cspace.put(inner, 4, HERE);
        cspace.put_in_root(1, THERE);
        let deep = cspace.add_node(10, 0, 49);
        cspace.put_in_root(2, Cap::CNode(deep));
        cspace
    }

    #[track_caller]
    fn check(cptr: u64, expect: Result<Cap, LookupFailure>) {
        assert_eq!(cspace().lookup(cptr), expect, "{cptr:#x}");
    }

    #[test]
    fn a_small_number_is_a_slot_of_the_inner_cnode() {
        check(4, Ok(HERE));
        check(0, Ok(Cap::Null));
        check(511, Ok(Cap::Null));
    }

    #[test]
    fn bits_that_the_guard_forbids_are_a_mismatch() {
        let mismatch = LookupFailure::GuardMismatch {
            bits_left: 58,
            guard_found: 0,
            bits_found: 49,
        };
        check(512, Err(mismatch));
        check(4 | 1 << 57, Err(mismatch));
    }

    #[test]
    fn bits_below_a_capability_to_something_else_are_ignored() {
        check(1 << 58, Ok(THERE));
        check(1 << 58 | 0x1234, Ok(THERE));
        check(63 << 58, Ok(Cap::Null));
    }

    #[test]
    fn a_cnode_deeper_than_the_address_is_a_mismatch() {
        let mismatch = LookupFailure::DepthMismatch {
            bits_left: 58,
            bits_found: 59,
        };
        check(2 << 58, Err(mismatch));
    }
}
