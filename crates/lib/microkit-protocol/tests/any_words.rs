//! Sends random words to a server and to a client. Asserts that both return a value or an error and
//! do not panic.

use std::cell::Cell;
use std::rc::Rc;

use heapless::{String, Vec};
use microkit_protocol::{CallError, Refusal, protocol};
use proptest::prelude::*;
use sel4::sys::MessageInfo as SysMessageInfo;
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{Channel, MessageInfo, with_msg_regs, with_msg_regs_mut};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

#[derive(Debug, Copy, Clone, PartialEq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
enum Kind {
    File = 1,
    Folder = 2,
}

#[derive(Debug, Copy, Clone, PartialEq, TryFromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    number: u32,
    kind: Kind,
    is_hidden: bool,
    letters: [u8; 2],
}

/// A protocol with every type of argument and every form of method.
#[protocol]
trait Everything {
    fn nothing(&self);
    fn number(&mut self, number: u64) -> u64;
    fn flags(&self, one: bool, letter: char, kind: Kind) -> bool;
    fn entry(&mut self, entry: Entry) -> Result<Entry, Kind>;
    fn text(&self, text: String<20>) -> String<24>;
    fn list(&self, list: Vec<Entry, 5>, count: u8) -> Result<Vec<bool, 9>, String<3>>;
    fn largest(&mut self, words: [u64; 64]) -> [u64; 64];
    fn unit(&self, unit: ()) -> Result<(), ()>;
}

/// A server that returns its arguments.
struct Echo;

impl Everything for Echo {
    fn nothing(&self) {}

    fn number(&mut self, number: u64) -> u64 {
        number
    }

    fn flags(&self, one: bool, letter: char, kind: Kind) -> bool {
        one && letter == 'a' && kind == Kind::File
    }

    fn entry(&mut self, entry: Entry) -> Result<Entry, Kind> {
        match entry.kind {
            Kind::File => Ok(entry),
            Kind::Folder => Err(Kind::Folder),
        }
    }

    fn text(&self, text: String<20>) -> String<24> {
        let mut longer: String<24> = "> ".try_into().expect("it fits");
        longer.push_str(&text).expect("it fits");
        longer
    }

    fn list(&self, list: Vec<Entry, 5>, count: u8) -> Result<Vec<bool, 9>, String<3>> {
        if usize::from(count) != list.len() {
            return Err("no".try_into().expect("it fits"));
        }
        Ok(list.iter().map(|entry| entry.is_hidden).collect())
    }

    fn largest(&mut self, words: [u64; 64]) -> [u64; 64] {
        words
    }

    fn unit(&self, _: ()) -> Result<(), ()> {
        Err(())
    }
}

const METHODS: u64 = 8;

const SERVER: Channel = Channel::new(1);

/// Makes this thread a PD whose calls `answer` handles. The closure `answer` maps the label and
/// words of a request to the label and words of the reply.
fn as_client(answer: impl Fn(u64, &[u64]) -> (u64, std::vec::Vec<u64>) + 'static) {
    let kernel = move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
        let mut buffer = buffer;
        let info = SysMessageInfo::from_word(registers.info);
        let request: std::vec::Vec<u64> = (0..info.length())
            .map(|index| match (registers.message.get(index), &mut buffer) {
                (Some(&word), _) => word,
                (None, Some(buffer)) => buffer.read(HostBuffer::MESSAGE + index),
                (None, None) => panic!("a long message needs the buffer"),
            })
            .collect();
        let (label, reply) = answer(info.label(), &request);
        registers.info = SysMessageInfo::new(label, 0, 0, reply.len()).into_word();
        for (index, word) in reply.into_iter().enumerate() {
            match (registers.message.get_mut(index), &mut buffer) {
                (Some(register), _) => *register = word,
                (None, Some(buffer)) => buffer.write(HostBuffer::MESSAGE + index, word),
                (None, None) => panic!("a long message needs the buffer"),
            }
        }
    };
    let pd = ProtectionDomain {
        name: "client",
        pps: !0,
        ..ProtectionDomain::default()
    };
    pd.set();
    kernel::install(Some(Rc::new(kernel)));
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
}

/// Returns the server's answer. Asserts that `dispatch` and `dispatch_with_mrs` answer the same.
fn serve(label: u64, words: &[u64]) -> (u64, std::vec::Vec<u64>) {
    let info = MessageInfo::new(label, words.len());
    with_msg_regs_mut(|regs| regs[..words.len()].copy_from_slice(words));
    let reply = EverythingServer::dispatch(&mut Echo, &info);
    let in_memory = with_msg_regs(|regs| regs[..reply.count()].to_vec());

    let first = core::array::from_fn(|index| words.get(index).copied().unwrap_or_default());
    with_msg_regs_mut(|regs| {
        regs[..words.len()].copy_from_slice(words);
        // The server must read these words from CPU registers, not from the IPC buffer.
        regs[..first.len()].fill(!0);
    });
    let (same, first) = EverythingServer::dispatch_with_mrs(&mut Echo, &info, first);
    let mut in_registers = with_msg_regs(|regs| regs[..same.count()].to_vec());
    for (word, value) in in_registers.iter_mut().zip(first) {
        *word = value;
    }
    assert_eq!((&same, &in_registers), (&reply, &in_memory));
    (reply.label(), in_memory)
}

/// Calls every method, and returns whether each call succeeded.
fn call_all(client: &EverythingClient) -> [bool; METHODS as usize] {
    let entry = Entry {
        number: 7,
        kind: Kind::File,
        is_hidden: true,
        letters: *b"ab",
    };
    [
        client.nothing().is_ok(),
        client.number(7).is_ok(),
        client.flags(true, 'a', Kind::File).is_ok(),
        client.entry(entry).is_ok(),
        client.text("pong".try_into().expect("it fits")).is_ok(),
        client
            .list(Vec::from_slice(&[entry]).expect("it fits"), 1)
            .is_ok(),
        client.largest([7; 64]).is_ok(),
        client.unit(()).is_ok(),
    ]
}

/// Gives this thread an IPC buffer, for a server that is called without a kernel.
fn as_server() {
    ProtectionDomain::default().set();
    sel4::set_ipc_buffer(kernel::new_ipc_buffer());
}

/// Generates words that are often small, because valid lengths and flags are small.
fn words() -> impl Strategy<Value = std::vec::Vec<u64>> {
    let word = prop_oneof![Just(0), Just(1), 0u64..70, any::<u64>()];
    prop::collection::vec(word, 0..=120)
}

proptest! {
    #[test]
    fn a_server_accepts_any_words(label in 0..METHODS + 3, words in words()) {
        as_server();
        let (reply, words) = serve(label, &words);
        prop_assert!(reply <= 5);
        prop_assert!(reply < 2 || words.is_empty());
    }

    /// Each request has the right length for its method, so that the test reaches the decoders.
    #[test]
    fn a_server_accepts_any_words_of_the_right_length(
        method in 1..=METHODS,
        mut words in prop::collection::vec(prop_oneof![0u64..8, any::<u64>()], 64),
    ) {
        as_server();
        const LENGTHS: [usize; METHODS as usize] = [0, 1, 3, 1, 4, 7, 64, 0];
        words.truncate(LENGTHS[method as usize - 1]);
        let (reply, _) = serve(method, &words);
        prop_assert!([0, 1, 4].contains(&reply), "method {}: {}", method, reply);
    }

    #[test]
    fn a_client_accepts_any_reply(label in 0..8u64, words in words()) {
        let is_connecting = Cell::new(true);
        as_client(move |_, _| match is_connecting.replace(false) {
            true => (0, vec![EverythingServer::VERSION]),
            false => (label, words.clone()),
        });
        let client = EverythingClient::connect(SERVER).expect("the version is right");
        call_all(&client);
        prop_assert_eq!(client.channel(), SERVER);
    }
}

/// Tests every method and the request to connect.
#[test]
fn a_server_refuses_messages_that_are_too_long_or_too_short() {
    as_server();
    const LENGTHS: [usize; METHODS as usize + 1] = [1, 0, 1, 3, 1, 4, 7, 64, 0];
    let wrong_length = (3, vec![]);
    for (label, length) in (0..).zip(LENGTHS) {
        for other in (0..=110).filter(|other| *other != length) {
            assert_eq!(
                serve(label, &vec![0; other]),
                wrong_length,
                "{label}, {other}"
            );
        }
        assert_ne!(serve(label, &vec![0; length]), wrong_length, "{label}");
    }
    // The right version with one word too many.
    let version = EverythingServer::VERSION;
    assert_eq!(serve(0, &[version, 0]), wrong_length);
}

#[test]
fn the_client_receives_what_the_server_returns() {
    as_client(|label, words| {
        // The server runs in a separate thread to have its own IPC buffer, like another PD.
        let (label, words) = (label, words.to_vec());
        std::thread::spawn(move || {
            as_server();
            serve(label, &words)
        })
        .join()
        .expect("the server does not panic")
    });
    let client = EverythingClient::connect(SERVER).expect("both use one version");
    assert_eq!(
        call_all(&client),
        [true, true, true, true, true, true, true, false]
    );
    assert_eq!(client.number(9), Ok(9));
    assert_eq!(client.flags(true, 'a', Kind::File), Ok(true));
    let entry = |kind| Entry {
        number: !0,
        kind,
        is_hidden: false,
        letters: [1, 2],
    };
    assert_eq!(client.entry(entry(Kind::File)), Ok(entry(Kind::File)));
    assert_eq!(
        client.entry(entry(Kind::Folder)),
        Err(CallError::Method(Kind::Folder))
    );
    let text = |text: &str| text.try_into().expect("it fits");
    assert_eq!(
        client.text(text("pong")).expect("the server serves"),
        "> pong"
    );
    assert_eq!(
        client.list(Vec::new(), 3),
        Err(CallError::Method("no".try_into().expect("it fits")))
    );
    assert_eq!(
        client.largest(core::array::from_fn(|index| index as u64)),
        Ok(core::array::from_fn(|index| index as u64))
    );
    assert_eq!(client.unit(()), Err(CallError::Method(())));
}

#[test]
fn a_client_of_another_version_is_refused() {
    as_server();
    let ours = EverythingServer::VERSION;
    assert_eq!(serve(0, &[ours]), (0, vec![ours]));
    assert_eq!(serve(0, &[ours ^ 1]), (5, vec![]));
    assert_eq!(serve(0, &[]), (3, vec![]));
    let check = |label: u64, words: &[u64], expect| {
        let words = words.to_vec();
        as_client(move |_, _| (label, words.clone()));
        assert_eq!(EverythingClient::connect(SERVER).map(|_| ()), Err(expect));
    };
    check(5, &[], CallError::Refused(Refusal::OtherVersion));
    check(0, &[ours ^ 1], CallError::Refused(Refusal::OtherVersion));
    check(0, &[], CallError::BadReply);
    check(1, &[ours], CallError::BadReply);
    check(77, &[ours], CallError::BadReply);
}

/// Protocols that each differ from the first protocol in one point.
mod versions {
    use microkit_protocol::protocol;

    pub(crate) mod first {
        #[super::protocol]
        pub(crate) trait Counter {
            fn add(&mut self, amount: u64) -> u64;
        }
    }

    pub(crate) mod same {
        #[super::protocol]
        pub(crate) trait Counter {
            /// Neither this text nor the name of the argument changes the version.
            fn add(&mut self, more: u64) -> u64;
        }
    }

    pub(crate) mod method {
        #[super::protocol]
        pub(crate) trait Counter {
            fn sub(&mut self, amount: u64) -> u64;
        }
    }

    pub(crate) mod argument {
        #[super::protocol]
        pub(crate) trait Counter {
            fn add(&mut self, amount: u32) -> u64;
        }
    }

    pub(crate) mod fallible {
        #[super::protocol]
        pub(crate) trait Counter {
            fn add(&mut self, amount: u64) -> Result<u64, ()>;
        }
    }

    pub(crate) mod size {
        #[expect(
            non_camel_case_types,
            reason = "the source must be the same, and the size must differ"
        )]
        type u64 = [u8; 9];

        #[super::protocol]
        pub(crate) trait Counter {
            fn add(&mut self, amount: u64) -> u64;
        }
    }
}

#[test]
fn the_version_changes_with_names_types_and_sizes() {
    use versions::*;
    let first = first::CounterServer::VERSION;
    assert_eq!(first, same::CounterServer::VERSION);
    let others = [
        method::CounterServer::VERSION,
        argument::CounterServer::VERSION,
        fallible::CounterServer::VERSION,
        size::CounterServer::VERSION,
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, first);
        assert!(!others[..index].contains(other));
    }
}
