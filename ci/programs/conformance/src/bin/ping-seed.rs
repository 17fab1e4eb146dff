//! Writes a request into the message registers, calls, and reads the reply from the same registers.
//!
//! If a reference to the IPC buffer lives across the call, a release build may read the request
//! instead of the reply: the compiler may assume that nothing else writes to the buffer. In this
//! program each access has its own scope. Both the implicit buffer and a token are tested.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4_microkit::{
    Channel, MessageInfo, NullHandler, get_mr, protection_domain, set_mr, with_msg_regs,
    with_msg_regs_mut,
};

const PONG: Channel = Channel::new(1);

/// The number of words. This program stores the first words, which travel in registers. Only the
/// kernel stores the last words in the buffer.
const WORDS: usize = 6;

const REQUEST: u64 = 0x5eed;

#[protection_domain]
fn init() -> NullHandler {
    println!("one word: {:#x}", one_word());
    println!("in scopes: {:?}", in_scopes().map(Hex));
    println!("with a token: {:?}", with_token().map(Hex));
    println!("the last word: {:#x}", last_word());
    NullHandler::new()
}

fn one_word() -> u64 {
    set_mr(0, REQUEST);
    PONG.pp_call(MessageInfo::new(0, 1));
    get_mr(0)
}

fn in_scopes() -> [u64; WORDS] {
    with_msg_regs_mut(|regs| regs[..WORDS].fill(REQUEST));
    PONG.pp_call(MessageInfo::new(0, WORDS));
    with_msg_regs(|regs| core::array::from_fn(|index| regs[index]))
}

fn with_token() -> [u64; WORDS] {
    let pong = endpoint();
    sel4::with_ipc_buffer_token(|token| {
        token.with_mut(|buffer| buffer.msg_regs_mut()[..WORDS].fill(REQUEST));
        pong.with(&mut *token)
            .call(sel4::MessageInfo::new(0, 0, 0, WORDS));
        token.with(|buffer| core::array::from_fn(|index| buffer.msg_regs()[index]))
    })
}

/// Returns the endpoint of `pong`, for calls with a token.
fn endpoint() -> sel4::cap::Endpoint {
    let slot = microkit_abi::slots::BASE_ENDPOINT + PONG.index() as u64;
    // SAFETY: Microkit puts the endpoint into this slot, and `pong` accepts any message.
    unsafe { sel4::Cap::from_bits(slot) }
}

/// Returns a word that only the kernel stores. A test checks the machine code of this function.
#[inline(never)]
fn last_word() -> u64 {
    let pong = endpoint();
    sel4::with_ipc_buffer_token(|token| {
        token.with_mut(|buffer| buffer.msg_regs_mut()[WORDS - 1] = REQUEST);
        pong.with(&mut *token)
            .call(sel4::MessageInfo::new(0, 0, 0, WORDS));
        token.with(|buffer| buffer.msg_regs()[WORDS - 1])
    })
}

/// Formats a word in hexadecimal on one line, also inside an array.
struct Hex(u64);

impl core::fmt::Debug for Hex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
