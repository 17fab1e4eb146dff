//! Validates a spec: every reference is valid, and no mappings or segments overlap.

use crate::{BootSpec, Mapping, Perms, ProtectionDomain, SpecError};
use alloc::vec::Vec;
use microkit_abi::limits;
use microkit_abi::slots;

impl BootSpec {
    /// Checks that the spec describes a valid system.
    ///
    /// # Errors
    ///
    /// Returns all errors, not only the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use boot_spec::{BootSpec, SpecError};
    ///
    /// assert_eq!(BootSpec::default().validate(), Err(vec![SpecError::NoPds]));
    /// ```
    pub fn validate(&self) -> Result<(), Vec<SpecError>> {
        let mut errors = Vec::new();
        self.check_pds(&mut errors);
        for (pd_index, pd) in self.pds.iter().enumerate() {
            self.check_mappings(pd_index, pd, &mut errors);
            self.check_threads_memory(pd_index, pd, &mut errors);
            self.check_caps(pd_index, pd, &mut errors);
        }
        self.check_channels(&mut errors);
        self.check_identifiers(&mut errors);
        self.check_irqs(&mut errors);
        self.check_segments(&mut errors);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn check_pds(&self, errors: &mut Vec<SpecError>) {
        let count = self.pds.len();
        if count == 0 {
            errors.push(SpecError::NoPds);
        }
        if count > limits::MAX_PROTECTION_DOMAINS {
            errors.push(SpecError::TooManyPds { count });
        }
        for (pd_index, pd) in self.pds.iter().enumerate() {
            if pd.name.is_empty() || pd.name.len() > limits::NAME_BYTES {
                errors.push(SpecError::Name { pd_index });
            }
            if let Some(of) = self.pds[..pd_index]
                .iter()
                .position(|other| other.name == pd.name)
            {
                errors.push(SpecError::DuplicateName { pd_index, of });
            }
            if pd.priority > limits::MAX_PRIORITY {
                errors.push(SpecError::Priority {
                    pd_index,
                    priority: pd.priority,
                });
            }
            if pd.budget_us == 0 || pd.budget_us > pd.period_us {
                let (budget_us, period_us) = (pd.budget_us, pd.period_us);
                errors.push(SpecError::Budget {
                    pd_index,
                    budget_us,
                    period_us,
                });
            }
            self.check_parent(pd_index, pd, errors);
        }
    }

    fn check_parent(&self, pd_index: usize, pd: &ProtectionDomain, errors: &mut Vec<SpecError>) {
        let Some(parent) = pd.parent else { return };
        if usize::from(parent.pd_index) >= pd_index {
            errors.push(SpecError::Parent {
                pd_index,
                parent: parent.pd_index,
            });
            return;
        }
        if u64::from(parent.child_id) > limits::MAX_CHANNEL_ID {
            errors.push(SpecError::ChildId {
                pd_index,
                id: parent.child_id,
            });
        }
        let twin = self.pds[..pd_index]
            .iter()
            .position(|other| other.parent == pd.parent);
        if let Some(of) = twin {
            errors.push(SpecError::DuplicateChildId { pd_index, of });
        }
        self.check_endpoint(parent.pd_index, errors);
    }

    /// Checks that a PD that receives calls or faults has an endpoint.
    fn check_endpoint(&self, pd_index: u8, errors: &mut Vec<SpecError>) {
        let pd_index = usize::from(pd_index);
        let error = SpecError::NoEndpoint { pd_index };
        if self.pds.get(pd_index).is_some_and(|pd| !pd.needs_endpoint) && !errors.contains(&error) {
            errors.push(error);
        }
    }

    fn check_mappings(&self, pd_index: usize, pd: &ProtectionDomain, errors: &mut Vec<SpecError>) {
        for (mapping, map) in pd.mappings.iter().enumerate() {
            let page = map.page_size.bytes();
            if [map.vaddr, map.paddr, map.bytes]
                .iter()
                .any(|number| number % page != 0)
            {
                errors.push(SpecError::PageAlignment { pd_index, mapping });
            }
            let ends = (last(map.vaddr, map.bytes), last(map.paddr, map.bytes));
            if !matches!(ends, (Some(vaddr), Some(_)) if vaddr <= self.user_top) {
                errors.push(SpecError::AddressRange { pd_index, mapping });
            }
            if !map.perms.read {
                errors.push(SpecError::Permissions { pd_index, mapping });
            }
            let overlapped = pd.mappings[..mapping]
                .iter()
                .position(|other| overlap(map.vaddr, map.bytes, other.vaddr, other.bytes));
            if let Some(with) = overlapped {
                errors.push(SpecError::Overlap {
                    pd_index,
                    mapping,
                    with,
                });
            }
        }
    }

    /// Checks that the entry point, stack and IPC buffer are mapped with the access rights that the
    /// thread needs to start.
    fn check_threads_memory(
        &self,
        pd_index: usize,
        pd: &ProtectionDomain,
        errors: &mut Vec<SpecError>,
    ) {
        let execute = Perms {
            read: true,
            execute: true,
            write: false,
        };
        let write = Perms {
            read: true,
            execute: false,
            write: true,
        };
        let mut check = |what, vaddr, bytes, perms| {
            if !is_mapped(&pd.mappings, vaddr, bytes, perms) {
                errors.push(SpecError::NotMapped {
                    pd_index,
                    what,
                    vaddr,
                });
            }
        };
        check("entry", pd.entry, 4, execute);
        check("stack", pd.stack.bottom, pd.stack.bytes, write);
        check("IPC buffer", pd.ipc_buffer, limits::SMALL_PAGE_BYTES, write);
    }

    fn check_caps(&self, pd_index: usize, pd: &ProtectionDomain, errors: &mut Vec<SpecError>) {
        for (index, cap) in pd.caps.iter().enumerate() {
            if slots::user_cptr(cap.slot.into()).is_none() {
                errors.push(SpecError::CapSlot {
                    pd_index,
                    slot: cap.slot,
                });
            }
            if pd.caps[..index].iter().any(|other| other.slot == cap.slot) {
                errors.push(SpecError::DuplicateCapSlot {
                    pd_index,
                    slot: cap.slot,
                });
            }
            if usize::from(cap.pd_index) >= self.pds.len() {
                errors.push(SpecError::CapPd {
                    pd_index,
                    slot: cap.slot,
                    of: cap.pd_index,
                });
            }
        }
    }

    fn check_channels(&self, errors: &mut Vec<SpecError>) {
        for (channel, ends) in self.channels.iter().map(|channel| channel.ends).enumerate() {
            for end in ends {
                if usize::from(end.pd_index) >= self.pds.len() {
                    errors.push(SpecError::ChannelPd {
                        channel,
                        pd_index: end.pd_index,
                    });
                }
            }
            if ends[0].pd_index == ends[1].pd_index {
                errors.push(SpecError::ChannelToItself { channel });
            }
            if ends[0].pp && ends[1].pp {
                errors.push(SpecError::CallsBothWays { channel });
            }
            for (end, other) in [(ends[0], ends[1]), (ends[1], ends[0])] {
                if end.pp {
                    self.check_endpoint(other.pd_index, errors);
                }
            }
        }
    }

    /// Checks the channel identifiers of each PD. Channels and IRQs share one set of identifiers.
    fn check_identifiers(&self, errors: &mut Vec<SpecError>) {
        for (pd_index, pd) in self.pds.iter().enumerate() {
            let of_channels = self
                .channels
                .iter()
                .flat_map(|channel| channel.ends)
                .filter(|end| usize::from(end.pd_index) == pd_index)
                .map(|end| end.id);
            let mut seen = Vec::new();
            for id in of_channels.chain(pd.irqs.iter().map(|irq| irq.id)) {
                if u64::from(id) > limits::MAX_CHANNEL_ID {
                    errors.push(SpecError::ChannelId { pd_index, id });
                }
                if seen.contains(&id) {
                    errors.push(SpecError::DuplicateChannelId { pd_index, id });
                }
                seen.push(id);
            }
        }
    }

    fn check_irqs(&self, errors: &mut Vec<SpecError>) {
        let mut seen = Vec::new();
        for number in self
            .pds
            .iter()
            .flat_map(|pd| &pd.irqs)
            .map(|irq| irq.number)
        {
            if seen.contains(&number) {
                errors.push(SpecError::DuplicateIrq { number });
            }
            seen.push(number);
        }
    }

    fn check_segments(&self, errors: &mut Vec<SpecError>) {
        for (segment, this) in self.segments.iter().enumerate() {
            let ends = (
                last(this.paddr, this.bytes),
                last(this.image_offset, this.bytes),
            );
            if !matches!(ends, (Some(_), Some(_))) {
                errors.push(SpecError::SegmentRange { segment });
            }
            let overlapped = self.segments[..segment]
                .iter()
                .position(|other| overlap(this.paddr, this.bytes, other.paddr, other.bytes));
            if let Some(with) = overlapped {
                errors.push(SpecError::SegmentOverlap { segment, with });
            }
        }
    }
}

/// Returns the last address of the `bytes` bytes from `start`, or `None` if the range is empty or
/// overflows.
fn last(start: u64, bytes: u64) -> Option<u64> {
    start.checked_add(bytes.checked_sub(1)?)
}

/// Returns whether two ranges share an address. An empty or overflowing range overlaps no range.
fn overlap(start: u64, bytes: u64, other_start: u64, other_bytes: u64) -> bool {
    match (last(start, bytes), last(other_start, other_bytes)) {
        (Some(end), Some(other_end)) => start <= other_end && other_start <= end,
        _ => false,
    }
}

/// Returns whether every address of a range is mapped with at least these access rights.
fn is_mapped(mappings: &[Mapping], start: u64, bytes: u64, perms: Perms) -> bool {
    let allows = |have: Perms| {
        (have.read || !perms.read)
            && (have.write || !perms.write)
            && (have.execute || !perms.execute)
    };
    let Some(end) = last(start, bytes) else {
        return false;
    };
    let mut address = start;
    // Each round finds the mapping that contains `address`, and continues at the first address
    // above that mapping. The loop ends: the address grows in each round, so no mapping is found
    // twice.
    loop {
        let holds = |map: &&Mapping| {
            allows(map.perms)
                && map.vaddr <= address
                && last(map.vaddr, map.bytes).is_some_and(|end| address <= end)
        };
        let Some(map) = mappings.iter().find(holds) else {
            return false;
        };
        match last(map.vaddr, map.bytes).and_then(|end| end.checked_add(1)) {
            Some(next) if next <= end => address = next,
            _ => return true,
        }
    }
}
