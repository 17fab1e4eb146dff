//! Fuzzes both ends of a protocol. Any words decode to a message or an error, without a panic.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;

use heapless::{String, Vec};
use libfuzzer_sys::fuzz_target;
use microkit_protocol::protocol;
use sel4::sys::MessageInfo as SysMessageInfo;
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{Channel, MessageInfo, with_msg_regs_mut};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

#[derive(Debug, Copy, Clone, PartialEq, TryFromBytes, IntoBytes, Immutable)]
#[repr(u8)]
enum Kind {
    File = 1,
    Folder = 2,
}

#[protocol]
trait Everything {
    fn flags(&self, one: bool, letter: char, kind: Kind) -> Kind;
    fn text(&self, text: String<20>) -> String<20>;
    fn list(&self, list: Vec<Kind, 13>, wide: Vec<u128, 3>) -> Result<Vec<Kind, 13>, char>;
    fn largest(&self, words: [u64; 64]) -> [bool; 512];
}

struct Server;

impl Everything for Server {
    fn flags(&self, one: bool, letter: char, kind: Kind) -> Kind {
        assert!(u32::from(letter) <= u32::from(char::MAX));
        if one { kind } else { Kind::File }
    }

    fn text(&self, text: String<20>) -> String<20> {
        assert!(std::str::from_utf8(text.as_bytes()).is_ok());
        text
    }

    fn list(&self, list: Vec<Kind, 13>, wide: Vec<u128, 3>) -> Result<Vec<Kind, 13>, char> {
        assert!(list.len() <= 13 && wide.len() <= 3);
        if wide.is_empty() { Err('e') } else { Ok(list) }
    }

    fn largest(&self, words: [u64; 64]) -> [bool; 512] {
        std::array::from_fn(|index| words[index / 8] >> (index % 8) & 1 == 1)
    }
}

thread_local! {
    /// The answer to every call.
    static REPLY: RefCell<(u64, std::vec::Vec<u64>)> = const { RefCell::new((0, std::vec::Vec::new())) };
}

fn answer(registers: &mut Registers, buffer: Option<HostBuffer<'_>>) {
    let mut buffer = buffer;
    REPLY.with_borrow(|(label, words)| {
        registers.info = SysMessageInfo::new(*label, 0, 0, words.len()).into_word();
        for (index, &word) in words.iter().enumerate() {
            match (registers.message.get_mut(index), &mut buffer) {
                (Some(register), _) => *register = word,
                (None, Some(buffer)) => buffer.write(HostBuffer::MESSAGE + index, word),
                // A reply that exceeds the message registers and the lent buffer is truncated.
                (None, None) => (),
            }
        }
    });
}

fuzz_target!(
    init: {
        ProtectionDomain {
            name: "fuzz",
            pps: !0,
            ..ProtectionDomain::default()
        }
        .set();
        kernel::install(Some(Rc::new(answer)));
        sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    },
    |input: (u8, std::vec::Vec<u64>)| {
        let (label, mut words) = input;
        words.truncate(120);
        let label = u64::from(label % 8);
        // Test the server.
        with_msg_regs_mut(|regs| regs[..words.len()].copy_from_slice(&words));
        let info = MessageInfo::new(label, words.len());
        let first = core::array::from_fn(|index| words.get(index).copied().unwrap_or_default());
        let (reply, _) = EverythingServer::dispatch_with_mrs(&mut Server, &info, first);
        assert!(reply.label() <= 5 && reply.count() <= 64);
        let reply = EverythingServer::dispatch(&mut Server, &info);
        assert!(reply.label() <= 5 && reply.count() <= 64);
        // Test the client, after it has connected to a correct server.
        REPLY.set((0, vec![EverythingServer::VERSION]));
        let client = EverythingClient::connect(Channel::new(0)).expect("it has the version");
        REPLY.set((label, words));
        drop(client.flags(true, 'a', Kind::Folder));
        drop(client.text(String::new()));
        drop(client.list(Vec::new(), Vec::new()));
        drop(client.largest([0; 64]));
    }
);
