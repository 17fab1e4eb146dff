//! Whatever a hostile client sends the registry, it is answered, nobody is notified because of it, and
//! others get the answers that they would have got.
#![no_main]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use microkit_registry::{Grant, Name, Registry, Service, Table};
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{Channel, Handler, MessageInfo, SharedWord, with_msg_regs, with_msg_regs_mut};

const BELL: Name = Name::new("bell");
const SUM: Name = Name::new("sum");

const ALICE: Channel = Channel::new(1);
const PROVIDER: Channel = Channel::new(2);
const PARENT: Channel = Channel::new(3);
const MALLORY: Channel = Channel::new(4);

static TABLE: Table = Table::new(
    &[
        Service {
            name: BELL,
            provider: PROVIDER,
            parent: Some(PARENT),
        },
        Service {
            name: SUM,
            provider: PROVIDER,
            parent: None,
        },
    ],
    &[
        Grant {
            service: BELL,
            client: ALICE,
            channel: Channel::new(5),
        },
        Grant {
            service: SUM,
            client: MALLORY,
            channel: Channel::new(6),
        },
    ],
);

/// Labels of the protocol's methods, in the order of the trait.
const REGISTER: u64 = 2;
const WITHDRAW: u64 = 3;
const LOOKUP: u64 = 4;

/// One call.
#[derive(Debug, Clone, arbitrary::Arbitrary)]
struct Call {
    is_hostile: bool,
    label: u8,
    name: u8,
    words: Vec<u64>,
}

thread_local! {
    /// Whether `alice` was notified since it was asked.
    static NOTIFIED: Cell<bool> = const { Cell::new(false) };
    static LASTING: RefCell<Option<&'static [SharedWord]>> = const { RefCell::new(None) };
}

/// The only system calls that the registry makes are notifications, which are for `alice` unless
/// `mallory` has asked for hers.
fn system_call(registers: &mut Registers, _: Option<HostBuffer<'_>>) {
    if registers.dest == sel4::Cap::<sel4::cap_type::Notification>::from_bits(0).bits() {
        return;
    }
    NOTIFIED.set(true);
}

fn call(registry: &mut Registry, who: Channel, label: u64, words: &[u64]) -> (u64, Vec<u64>) {
    with_msg_regs_mut(|regs| regs[..words.len()].copy_from_slice(words));
    let info = MessageInfo::new(label, words.len());
    let Ok(reply) = registry.protected(who, info);
    let words = with_msg_regs(|regs| regs[..reply.count()].to_vec());
    (reply.label(), words)
}
