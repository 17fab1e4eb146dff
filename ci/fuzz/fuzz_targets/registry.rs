//! Fuzzes the registry with a hostile client. The registry answers every call, and a hostile call
//! notifies no other client. Other clients get the same answers as without the hostile client.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use libfuzzer_sys::fuzz_target;
use microkit_abi::slots;
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

/// The labels of the protocol's methods, in the order of the trait.
const BEGIN: u64 = 1;
const REGISTER: u64 = 2;
const WITHDRAW: u64 = 3;
const LOOKUP: u64 = 4;
const FORGET: u64 = 5;

thread_local! {
    /// The notified channels, except the channel of `mallory`.
    static NOTIFIED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    /// The persistent memory of each of the two registries.
    static LASTING: [&'static [SharedWord]; 2] =
        [(); 2].map(|()| &Box::leak(Box::new([const { SharedWord::new(0) }; 3]))[..]);
}

/// A kernel that records notifications. The only other system call of the registry is the first
/// receive, without a reply.
fn system_call(registers: &mut Registers, _: Option<HostBuffer<'_>>) {
    let first = slots::BASE_OUTPUT_NOTIFICATION;
    if (first..first + 62).contains(&registers.capability)
        && registers.capability - first != MALLORY.index() as u64
    {
        NOTIFIED.with_borrow_mut(|notified| notified.push(registers.capability - first));
    }
}

/// Makes a call. Returns the label and words of the reply, and the notified channels.
fn call(
    registry: &mut Registry,
    who: Channel,
    label: u64,
    words: &[u64],
) -> (u64, Vec<u64>, Vec<u64>) {
    with_msg_regs_mut(|regs| regs[..words.len()].copy_from_slice(words));
    let info = MessageInfo::new(label, words.len());
    let Ok(reply) = registry.protected(who, info);
    let words = with_msg_regs(|regs| regs[..reply.count()].to_vec());
    (reply.label(), words, NOTIFIED.take())
}

/// Returns a name as message words.
fn words_of(name: Name) -> [u64; 3] {
    zerocopy::transmute!(name)
}

fuzz_target!(
    init: {
        ProtectionDomain {
            name: "fuzz",
            notifications: !0,
            ..ProtectionDomain::default()
        }
        .set();
        kernel::install(Some(Rc::new(system_call)));
        sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    },
    |input: Vec<(u8, u8, Vec<u64>)>| {
        let lasting = LASTING.with(|lasting| *lasting);
        for word in lasting.iter().flat_map(|words| words.iter()) {
            word.store(0, Ordering::Relaxed);
        }
        let mut with = Registry::new(&TABLE, lasting[0]);
        let mut without = Registry::new(&TABLE, lasting[1]);
        for (who, label, mut words) in input {
            if who % 2 == 0 {
                // The caller is `mallory` or a channel without a table entry. The words of the call
                // are arbitrary.
                words.truncate(64);
                let name = words_of([BELL, SUM][usize::from(who / 8 % 2)]);
                if who & 4 != 0 {
                    words = name.to_vec();
                }
                let caller = [MALLORY, Channel::new(61)][usize::from(who / 2 % 2)];
                let (label, reply, told) = call(&mut with, caller, u64::from(label % 8), &words);
                assert!(label <= 5 && reply.len() <= 2);
                assert_eq!(told, [], "somebody was notified because of a hostile call");
                continue;
            }
            let name = [BELL, SUM][usize::from(who / 2 % 2)];
            let calls = [
                (PROVIDER, BEGIN),
                (PROVIDER, REGISTER),
                (PROVIDER, WITHDRAW),
                (PARENT, WITHDRAW),
                (ALICE, LOOKUP),
                (ALICE, FORGET),
                (ALICE, BEGIN),
            ];
            let (caller, method) = calls[usize::from(label) % calls.len()];
            let name = words_of(name);
            let words: &[u64] = if method == BEGIN { &[] } else { &name };
            let answer = call(&mut with, caller, method, words);
            assert!(answer.0 <= 1, "an honest call was refused");
            assert_eq!(answer, call(&mut without, caller, method, words));
        }
        let kept = lasting.map(|words| words.iter().map(|word| word.load(Ordering::Relaxed)).collect::<Vec<_>>());
        assert_eq!(kept[0], kept[1], "a hostile call has left something");
    }
);
