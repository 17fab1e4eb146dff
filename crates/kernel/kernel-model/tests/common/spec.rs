//! Builds the systems that tests run.

use boot_spec::{
    BootSpec, Channel, ChannelEnd, Irq, Mapping, PageSize, Parent, Perms, ProtectionDomain, Stack,
    Trigger, UserCap, UserCapKind,
};

/// The IRQ that wakes PD 0. The IRQs of the other PDs follow.
pub const WAKE_IRQ: u32 = 1000;

/// The channel identifier of the wake IRQ in each PD.
pub const WAKE_ID: u8 = 61;

pub const ENTRY: u64 = 0x20_0000;
pub const STACK_TOP: u64 = 0xff_ffff_e000;
pub const IPC_BUFFER: u64 = 0xff_ffff_f000;

/// Returns a PD with this priority. The PD is round robin with a budget of a millisecond.
pub fn pd(name: &str, priority: u8) -> ProtectionDomain {
    let map = |vaddr, paddr, bytes, execute: bool| Mapping {
        vaddr,
        paddr,
        bytes,
        perms: Perms {
            read: true,
            write: !execute,
            execute,
        },
        cached: true,
        page_size: PageSize::Small,
    };
    ProtectionDomain {
        name: name.into(),
        priority,
        budget_us: 1000,
        period_us: 1000,
        fpu: true,
        entry: ENTRY,
        stack: Stack {
            bottom: STACK_TOP - 0x2000,
            bytes: 0x2000,
        },
        ipc_buffer: IPC_BUFFER,
        mappings: vec![
            map(ENTRY, 0x6000_0000, 0x4000, true),
            map(STACK_TOP - 0x2000, 0x6000_4000, 0x2000, false),
            map(IPC_BUFFER, 0x6000_6000, 0x1000, false),
        ],
        ..ProtectionDomain::default()
    }
}

/// Changes to a PD.
pub trait PdExt: Sized {
    fn passive(self) -> Self;
    fn budget(self, budget_us: u64, period_us: u64) -> Self;
    fn child_of(self, parent: u8, id: u8) -> Self;
    fn cap(self, slot: u8, kind: UserCapKind, pd_index: u8) -> Self;
}

impl PdExt for ProtectionDomain {
    fn passive(mut self) -> Self {
        self.passive = true;
        self
    }

    fn budget(mut self, budget_us: u64, period_us: u64) -> Self {
        (self.budget_us, self.period_us) = (budget_us, period_us);
        self
    }

    fn child_of(mut self, parent: u8, child_id: u8) -> Self {
        self.parent = Some(Parent {
            pd_index: parent,
            child_id,
        });
        self
    }

    fn cap(mut self, slot: u8, kind: UserCapKind, pd_index: u8) -> Self {
        self.caps.push(UserCap {
            slot,
            kind,
            pd_index,
        });
        self
    }
}

/// Makes a channel on which the first end may call the second, and each may notify the other.
pub fn pp(caller: (u8, u8), callee: (u8, u8)) -> Channel {
    channel(caller, callee, true)
}

/// Makes a channel on which each end may notify the other.
pub fn notify(one: (u8, u8), other: (u8, u8)) -> Channel {
    channel(one, other, false)
}

fn channel(one: (u8, u8), other: (u8, u8), pp: bool) -> Channel {
    let end = |(pd_index, id), pp| ChannelEnd {
        pd_index,
        id,
        pp,
        notify: true,
    };
    Channel {
        ends: [end(one, pp), end(other, false)],
    }
}

/// Makes a system of these PDs and channels. Each PD gets an IRQ that wakes the PD.
pub fn system(mut pds: Vec<ProtectionDomain>, channels: &[Channel]) -> BootSpec {
    for (pd_index, pd) in (0..).zip(&mut pds) {
        pd.irqs.push(Irq {
            id: WAKE_ID,
            number: WAKE_IRQ + pd_index,
            trigger: Trigger::Level,
        });
    }
    let parents: Vec<Parent> = pds.iter().filter_map(|pd| pd.parent).collect();
    for parent in parents {
        pds[usize::from(parent.pd_index)].needs_endpoint = true;
    }
    for ends in channels.iter().map(|channel| channel.ends) {
        for (end, other) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            pds[usize::from(other.pd_index)].needs_endpoint |= end.pp;
        }
    }
    BootSpec {
        user_top: (1 << 40) - 1,
        pds,
        channels: channels.to_vec(),
        segments: Vec::new(),
    }
}
