//! The plan of a boot: the memory to clear and the caches to maintain. [`Plan::new`] also checks
//! that the system uses no resource of the kernel.

use crate::layout::{
    self, ADDRESS_BITS, KERNEL_DEVICES, KERNEL_IRQS, KERNEL_MEMORY, SYSTEM_MEMORY, overlap, within,
};
use alloc::vec::Vec;
use boot_spec::{BootSpec, Mapping, ProtectionDomain};
use core::fmt;
use core::ops::Range;
use kernel_model::numbers::IPC_BUFFER_WORDS;

/// The memory operations that the kernel performs before a PD runs. The ranges are physical, sorted
/// and disjoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All memory that PDs map. The kernel clears this memory before it copies segments.
    pub zero: Vec<Range<u64>>,
    /// Memory that a PD maps uncached. The kernel cleans this memory from the caches.
    pub uncached: Vec<Range<u64>>,
    /// Memory that a PD may execute. The kernel makes this memory visible to instruction fetches.
    pub executable: Vec<Range<u64>>,
    /// The physical address of the IPC buffer of each PD.
    pub ipc_buffers: Vec<u64>,
}

/// The reason why this kernel refuses a system.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are indices of lists and values found there"
)]
pub enum PlanError {
    /// The virtual addresses of PDs have more bits than this machine translates.
    UserTop { user_top: u64 },
    /// A mapping has physical addresses that the machine does not have.
    AddressSize { pd_index: usize, mapping: usize },
    /// A mapping contains memory of the kernel.
    KernelMemory { pd_index: usize, mapping: usize },
    /// A mapping contains a device of the kernel.
    KernelDevice { pd_index: usize, mapping: usize },
    /// An IPC buffer is not in cached memory, or is not within one mapping.
    IpcBuffer { pd_index: usize },
    /// The destination of a segment is outside the memory for systems.
    Segment { segment: usize },
    /// An IRQ belongs to the kernel or does not exist.
    Irq { pd_index: usize, number: u32 },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UserTop { user_top } => write!(
                f,
                "addresses up to {user_top:#x} do not fit in {ADDRESS_BITS} bits"
            ),
            Self::AddressSize { pd_index, mapping } => write!(
                f,
                "PD {pd_index}, mapping {mapping}: the physical address does not fit in \
                 {ADDRESS_BITS} bits"
            ),
            Self::KernelMemory { pd_index, mapping } => {
                write!(
                    f,
                    "PD {pd_index}, mapping {mapping}: contains memory of the kernel"
                )
            }
            Self::KernelDevice { pd_index, mapping } => write!(
                f,
                "PD {pd_index}, mapping {mapping}: contains the interrupt controller, which only \
                 the kernel may use"
            ),
            Self::IpcBuffer { pd_index } => {
                write!(f, "PD {pd_index}: the IPC buffer is not in cached memory")
            }
            Self::Segment { segment } => {
                write!(f, "segment {segment}: is outside the system's memory")
            }
            Self::Irq { pd_index, number } => {
                write!(
                    f,
                    "PD {pd_index}: IRQ {number} belongs to the kernel or does not exist"
                )
            }
        }
    }
}

impl core::error::Error for PlanError {}

impl Plan {
    /// Makes the plan for a valid boot spec and an interrupt controller with `irq_count` IRQs.
    ///
    /// # Errors
    ///
    /// Returns the first reason to refuse the system.
    pub fn new(spec: &BootSpec, irq_count: u32) -> Result<Self, PlanError> {
        if spec.user_top >> ADDRESS_BITS != 0 {
            return Err(PlanError::UserTop {
                user_top: spec.user_top,
            });
        }
        let mut ipc_buffers = Vec::with_capacity(spec.pds.len());
        for (pd_index, pd) in spec.pds.iter().enumerate() {
            check_mappings(pd_index, pd)?;
            check_irqs(pd_index, pd, irq_count)?;
            let buffer = ipc_buffer(pd).ok_or(PlanError::IpcBuffer { pd_index })?;
            ipc_buffers.push(buffer);
        }
        for (segment, place) in spec.segments.iter().enumerate() {
            let range = place.paddr..place.paddr.saturating_add(place.bytes);
            let in_memory = within(&range, &SYSTEM_MEMORY) == range;
            if !in_memory || overlap(&range, &KERNEL_MEMORY) {
                return Err(PlanError::Segment { segment });
            }
        }
        let memory = |wanted: fn(&Mapping) -> bool| {
            let mappings = spec.pds.iter().flat_map(|pd| &pd.mappings);
            let ranges = mappings.filter(|map| wanted(map)).map(physical);
            merged(ranges.map(|range| within(&range, &SYSTEM_MEMORY)).collect())
        };
        Ok(Self {
            zero: memory(|_| true),
            uncached: memory(|map| !map.cached),
            executable: memory(|map| map.perms.execute),
            ipc_buffers,
        })
    }
}

fn check_mappings(pd_index: usize, pd: &ProtectionDomain) -> Result<(), PlanError> {
    for (mapping, map) in pd.mappings.iter().enumerate() {
        let range = physical(map);
        if range.end > 1 << ADDRESS_BITS {
            return Err(PlanError::AddressSize { pd_index, mapping });
        }
        if overlap(&range, &KERNEL_MEMORY) {
            return Err(PlanError::KernelMemory { pd_index, mapping });
        }
        if KERNEL_DEVICES.iter().any(|device| overlap(&range, device)) {
            return Err(PlanError::KernelDevice { pd_index, mapping });
        }
    }
    Ok(())
}

fn check_irqs(pd_index: usize, pd: &ProtectionDomain, irq_count: u32) -> Result<(), PlanError> {
    let numbers = pd.irqs.iter().map(|irq| irq.number);
    for number in numbers {
        if number >= irq_count || KERNEL_IRQS.contains(&number) {
            return Err(PlanError::Irq { pd_index, number });
        }
    }
    Ok(())
}

/// Returns the physical address of a PD's IPC buffer. The kernel accesses the buffer as normal
/// memory.
fn ipc_buffer(pd: &ProtectionDomain) -> Option<u64> {
    const BYTES: u64 = (IPC_BUFFER_WORDS * size_of::<u64>()) as u64;
    let end = pd.ipc_buffer.checked_add(BYTES)?;
    let map = pd.mappings.iter().find(|map| {
        map.vaddr <= pd.ipc_buffer && end <= map.vaddr.saturating_add(map.bytes) && map.cached
    })?;
    let start = map.paddr + (pd.ipc_buffer - map.vaddr);
    let buffer = start..start + BYTES;
    (within(&buffer, &SYSTEM_MEMORY) == buffer && start.is_multiple_of(BYTES)).then_some(start)
}

fn physical(map: &Mapping) -> Range<u64> {
    map.paddr..map.paddr.saturating_add(map.bytes)
}

/// Sorts ranges, and merges ranges that overlap or touch.
fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Returns whether a range is memory for systems: in [`SYSTEM_MEMORY`] and outside
/// [`KERNEL_MEMORY`].
pub fn is_system_memory(range: &Range<u64>) -> bool {
    within(range, &SYSTEM_MEMORY) == *range && !layout::overlap(range, &KERNEL_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use boot_spec::{Irq, PageSize, Perms, Segment, Trigger};

    fn map(paddr: u64, bytes: u64) -> Mapping {
        Mapping {
            vaddr: 0x1_0000_0000 + paddr,
            paddr,
            bytes,
            perms: Perms {
                read: true,
                ..Default::default()
            },
            cached: true,
            page_size: PageSize::Small,
        }
    }

    /// Returns a spec with one PD, whose IPC buffer is at the physical address `0x6000_0000`.
    fn spec() -> BootSpec {
        BootSpec {
            user_top: (1 << 40) - 1,
            pds: vec![ProtectionDomain {
                ipc_buffer: 0x1_6000_0000,
                mappings: vec![map(0x6000_0000, 0x1000)],
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn with(mapping: Mapping) -> BootSpec {
        let mut spec = spec();
        spec.pds[0].mappings.push(mapping);
        spec
    }

    #[track_caller]
    fn refuse(spec: &BootSpec, expect: PlanError) {
        assert_eq!(Plan::new(spec, 64), Err(expect));
    }

    #[test]
    fn memory_that_is_mapped_is_cleared_once() {
        let mut spec = with(map(0x6000_3000, 0x2000));
        spec.pds.push(ProtectionDomain {
            ipc_buffer: 0x1_6000_1000,
            mappings: vec![map(0x6000_1000, 0x1000), map(0x6000_4000, 0x2000)],
            ..Default::default()
        });
        let plan = Plan::new(&spec, 64).expect("nothing is wrong with it");
        assert_eq!(
            plan.zero,
            [0x6000_0000..0x6000_2000, 0x6000_3000..0x6000_6000]
        );
        assert_eq!(plan.ipc_buffers, [0x6000_0000, 0x6000_1000]);
        assert!(plan.uncached.is_empty() && plan.executable.is_empty());
    }

    #[test]
    fn devices_are_not_cleared() {
        let mut across = map(0x5fff_f000, 0x2000);
        across.cached = false;
        let mut spec = with(across);
        spec.pds[0].mappings.push(map(0x0900_0000, 0x1000));
        spec.pds[0].mappings.push(map(0xbfff_f000, 0x2000));
        let plan = Plan::new(&spec, 64).expect("nothing is wrong with it");
        let zero = [0x6000_0000..0x6000_1000, 0xbfff_f000..0xc000_0000];
        assert_eq!(plan.zero, zero);
        assert_eq!(plan.uncached, zero[..1]);
    }

    #[test]
    fn executable_memory_is_listed() {
        let mut code = map(0x6001_0000, 0x3000);
        code.perms.execute = true;
        let plan = Plan::new(&with(code), 64).expect("nothing is wrong with it");
        assert_eq!(plan.executable, plan.zero[1..]);
    }

    #[test]
    fn memory_and_devices_of_the_kernel_are_refused() {
        let (pd_index, mapping) = (0, 1);
        for paddr in [0x6fff_f000, 0x7000_0000, 0x7fff_f000] {
            let error = PlanError::KernelMemory { pd_index, mapping };
            refuse(&with(map(paddr, 0x2000)), error);
        }
        for paddr in [0x0800_0000, 0x07ff_f000, 0x0801_0000, 0x0803_0000] {
            let error = PlanError::KernelDevice { pd_index, mapping };
            refuse(&with(map(paddr, 0x2000)), error);
        }
        let error = PlanError::AddressSize { pd_index, mapping };
        refuse(&with(map((1 << 40) - 0x1000, 0x2000)), error);
    }

    #[test]
    fn irqs_must_exist_and_be_free() {
        for (number, wrong) in [(33, false), (63, false), (64, true), (26, true), (27, true)] {
            let mut spec = spec();
            let trigger = Trigger::Level;
            spec.pds[0].irqs = vec![Irq {
                id: 0,
                number,
                trigger,
            }];
            let expect = wrong.then_some(PlanError::Irq {
                pd_index: 0,
                number,
            });
            assert_eq!(Plan::new(&spec, 64).err(), expect);
        }
    }

    #[test]
    fn the_ipc_buffer_must_be_memory() {
        let error = || PlanError::IpcBuffer { pd_index: 0 };
        let mut uncached = spec();
        uncached.pds[0].mappings[0].cached = false;
        refuse(&uncached, error());
        let mut device = spec();
        device.pds[0].mappings[0].paddr = 0x0900_0000;
        refuse(&device, error());
        let mut elsewhere = spec();
        elsewhere.pds[0].ipc_buffer += 0x1000;
        refuse(&elsewhere, error());
    }

    #[test]
    fn segments_are_copied_to_memory_for_systems_only() {
        for (paddr, wrong) in [
            (0x5fff_ffff, true),
            (0x6000_0000, false),
            (0x6fff_fffe, false),
            (0x6fff_ffff, true),
            (0x7fff_ffff, true),
            (0x8000_0000, false),
            (0xbfff_fffe, false),
            (0xbfff_ffff, true),
            (u64::MAX, true),
        ] {
            let mut spec = spec();
            spec.segments = vec![Segment {
                paddr,
                bytes: 2,
                image_offset: 0,
            }];
            let expect = wrong.then_some(PlanError::Segment { segment: 0 });
            assert_eq!(Plan::new(&spec, 64).err(), expect, "{paddr:#x}");
        }
    }

    #[test]
    fn addresses_of_pds_must_fit() {
        let mut spec = spec();
        spec.user_top = 1 << 40;
        refuse(
            &spec,
            PlanError::UserTop {
                user_top: spec.user_top,
            },
        );
    }
}
