//! The immutable part of a system: the boot spec, the clock, the IRQ numbers, and the CSpaces. The
//! CSpaces have the layout of the Microkit tool.

use crate::cap::{Cap, EndpointCap, NotificationCap};
use crate::clock::Clock;
use crate::cspace::{CSpace, LookupFailure};
use crate::ids::{EndpointId, Id, IrqId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::irq::IrqHandler;
use alloc::vec::Vec;
use boot_spec::{BootSpec, ProtectionDomain, UserCapKind};
use core::fmt;
use microkit_abi::{badge, slots};

/// The immutable part of a kernel. All copies of the kernel share this part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) spec: BootSpec,
    pub(crate) clock: Clock,
    pub(crate) cspaces: Vec<CSpace>,
    /// The IRQs of all PDs: their numbers, and their handlers at boot.
    pub(crate) irqs: Vec<(u32, IrqHandler)>,
}

/// The reason why this kernel cannot run a boot spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemError {
    /// The boot spec contradicts itself.
    Spec(Vec<boot_spec::SpecError>),
    /// The budget of a PD is too small for a thread to enter the kernel, or the period is too long.
    Budget {
        /// The index of the PD.
        pd_index: usize,
    },
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(errors) => {
                write!(f, "the boot spec is not valid")?;
                errors.iter().try_for_each(|error| write!(f, "; {error}"))
            }
            Self::Budget { pd_index } => {
                write!(
                    f,
                    "PD {pd_index}: the budget is too small or the period too long"
                )
            }
        }
    }
}

impl core::error::Error for SystemError {}

impl System {
    pub(crate) fn new(spec: &BootSpec, clock: Clock) -> Result<Self, SystemError> {
        spec.validate().map_err(SystemError::Spec)?;
        let unfit = |pd: &ProtectionDomain| {
            clock.ticks(pd.budget_us) < clock.min_budget() || pd.period_us > clock.max_period_us()
        };
        if let Some(pd_index) = spec.pds.iter().position(unfit) {
            return Err(SystemError::Budget { pd_index });
        }
        let mut irqs = Vec::new();
        let cspaces = (0..spec.pds.len())
            .map(|pd_index| cspace(spec, pd_index, &mut irqs))
            .collect();
        Ok(Self {
            spec: spec.clone(),
            clock,
            cspaces,
            irqs,
        })
    }

    /// Returns the thread of the monitor. This thread comes after the threads of the PDs.
    pub(crate) fn monitor_thread(&self) -> ThreadId {
        ThreadId::nth(self.spec.pds.len())
    }

    /// Returns the number of an IRQ at the interrupt controller.
    pub(crate) fn irq_number(&self, irq: IrqId) -> u32 {
        self.irqs[irq.index()].0
    }

    /// Returns the IRQ with this number, if a PD handles it.
    pub(crate) fn irq_with_number(&self, number: u32) -> Option<IrqId> {
        let irq = self.irqs.iter().position(|(of, _)| *of == number);
        irq.map(IrqId::nth)
    }

    /// Looks up a capability pointer in a thread's CSpace.
    ///
    /// # Errors
    ///
    /// Returns the reason why the lookup failed. The monitor has no CSpace.
    pub(crate) fn lookup(&self, thread: ThreadId, cptr: u64) -> Result<Cap, LookupFailure> {
        match self.cspaces.get(thread.index()) {
            Some(cspace) => cspace.lookup(cptr),
            None => Err(LookupFailure::InvalidRoot),
        }
    }

    /// Returns the capability that is used to send a PD's faults. The PD's CSpace also contains
    /// this capability.
    pub(crate) fn fault_handler(&self, pd_index: usize) -> EndpointCap {
        fault_handler(&self.spec, pd_index)
    }
}

/// Returns the capability that is used to send a PD's faults to its parent or to the monitor. The
/// monitor identifies the PD by the badge, which is the PD's index plus one.
fn fault_handler(spec: &BootSpec, pd_index: usize) -> EndpointCap {
    match spec.pds[pd_index].parent {
        Some(parent) => EndpointCap::new(
            EndpointId::nth(parent.pd_index.into()),
            badge::fault(parent.child_id),
        ),
        None => monitor_endpoint(spec, pd_index),
    }
}

fn monitor_endpoint(spec: &BootSpec, pd_index: usize) -> EndpointCap {
    EndpointCap::new(EndpointId::nth(spec.pds.len()), pd_index as u64 + 1)
}

/// Creates the CSpace of a PD (Microkit tool, `capdl/builder.rs`, steps 3 to 5), and adds the PD's
/// IRQs to `irqs`.
fn cspace(spec: &BootSpec, pd_index: usize, irqs: &mut Vec<(u32, IrqHandler)>) -> CSpace {
    let pd = &spec.pds[pd_index];
    let notification = NotificationId::nth(pd_index);
    let mut cspace = CSpace::new(slots::ROOT_CNODE_BITS);
    let node = cspace.add_node(
        slots::MICROKIT_CNODE_BITS,
        0,
        slots::MICROKIT_CNODE_GUARD_BITS,
    );
    cspace.put_in_root(0, Cap::CNode(node));

    let mut put = |slot, cap| cspace.put(node, slot, cap);
    let input = if pd.needs_endpoint {
        Cap::Endpoint(EndpointCap::new(EndpointId::nth(pd_index), 0))
    } else {
        Cap::Notification(NotificationCap::new(notification, 0))
    };
    put(slots::INPUT, input);
    put(
        slots::FAULT_ENDPOINT,
        Cap::Endpoint(fault_handler(spec, pd_index)),
    );
    put(slots::VSPACE, Cap::VSpace(ThreadId::nth(pd_index)));
    put(slots::REPLY, Cap::Reply(ReplyId::nth(pd_index)));
    if pd.passive {
        let cap = monitor_endpoint(spec, pd_index);
        put(slots::MONITOR_ENDPOINT, Cap::Endpoint(cap));
    }
    for (own, other) in own_channels(spec, pd_index) {
        let id = u64::from(own.id);
        let of_other = usize::from(other.pd_index);
        if own.notify {
            let cap =
                NotificationCap::new(NotificationId::nth(of_other), badge::notification(other.id));
            put(slots::BASE_OUTPUT_NOTIFICATION + id, Cap::Notification(cap));
        }
        if own.pp {
            let cap = EndpointCap::new(EndpointId::nth(of_other), badge::call(other.id));
            put(slots::BASE_ENDPOINT + id, Cap::Endpoint(cap));
        }
    }
    for irq in &pd.irqs {
        let id = IrqId::nth(irqs.len());
        put(slots::BASE_IRQ + u64::from(irq.id), Cap::IrqHandler(id));
        let badge = badge::notification(irq.id);
        irqs.push((
            irq.number,
            IrqHandler {
                notification,
                badge,
            },
        ));
    }
    for (child, parent) in spec
        .pds
        .iter()
        .enumerate()
        .filter_map(|(child, pd)| pd.parent.map(|parent| (child, parent)))
        .filter(|(_, parent)| usize::from(parent.pd_index) == pd_index)
    {
        let slot = slots::BASE_TCB + u64::from(parent.child_id);
        put(slot, Cap::Thread(ThreadId::nth(child)));
    }
    for cap in &pd.caps {
        let of = usize::from(cap.pd_index);
        let user_cap = match cap.kind {
            UserCapKind::Tcb => Cap::Thread(ThreadId::nth(of)),
            UserCapKind::SchedContext => Cap::SchedContext(SchedContextId::nth(of)),
            UserCapKind::VSpace => Cap::VSpace(ThreadId::nth(of)),
        };
        cspace.put_in_root(cap.slot.into(), user_cap);
    }
    cspace
}

/// Iterates over the channel ends of a PD, each with the other end of its channel.
fn own_channels(
    spec: &BootSpec,
    pd_index: usize,
) -> impl Iterator<Item = (boot_spec::ChannelEnd, boot_spec::ChannelEnd)> + '_ {
    spec.channels
        .iter()
        .flat_map(|channel| {
            let [a, b] = channel.ends;
            [(a, b), (b, a)]
        })
        .filter(move |(own, _)| usize::from(own.pd_index) == pd_index)
}
