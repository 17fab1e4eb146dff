//! Tests the views of the IPC buffer on a host, with many sequences of safe calls. A writable view
//! must never exist together with another view of the same buffer. The kernel must never write to a
//! buffer that has a view.
//!
//! The operations include nested borrows, swapped tokens, and programs that are set aside. A list
//! records all live views. Under Miri, the memory accesses are checked too.

use std::cell::{Cell, RefCell};
use std::mem::swap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use sel4::sys::host::{self, HostBuffer, Registers};
use sel4::{Cap, IpcBuffer, IpcBufferToken, MessageInfo, SetAside, cap};

// SAFETY: the kernel is part of the test and does not violate memory safety.
const ENDPOINT: cap::Endpoint = unsafe { Cap::from_bits(1) };

/// The message register that all writers use. This register is in memory, not in a CPU register.
const WORD: usize = 7;

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Operation {
    /// Enters `with_ipc_buffer`, until [`End`](Operation::End).
    Read,
    /// Enters `with_ipc_buffer_mut`, until [`End`](Operation::End).
    Write,
    /// Enters `with_ipc_buffer_token`, until [`End`](Operation::End).
    Token,
    /// Enters `with_mut` of the innermost lent token, until [`End`](Operation::End).
    WriteHeld,
    /// Swaps the two innermost lent tokens.
    SwapHeld,
    /// Swaps the innermost lent token with the spare token.
    SwapSpare,
    /// Calls `set_ipc_buffer` with the spare token.
    SetSpare,
    /// Calls `SetAside::exchange`.
    Exchange,
    /// Ends the program that is set aside. Its token becomes the spare token.
    IntoToken,
    /// Makes a system call through the implicit buffer. The kernel writes to the buffer.
    Call,
    /// Makes a system call through the innermost lent token.
    CallHeld,
    /// Ends the innermost scope.
    End,
}

use Operation::*;

const ALL: [Operation; 12] = [
    Read, Write, Token, WriteHeld, SwapHeld, SwapSpare, SetSpare, Exchange, IntoToken, Call,
    CallHeld, End,
];

struct World {
    aside: SetAside,
    spare: Option<IpcBufferToken>,
    value: u64,
}

thread_local! {
    /// The address of each live view, and whether the view is writable.
    static VIEWS: RefCell<Vec<(usize, bool)>> = const { RefCell::new(Vec::new()) };
    /// The number of operations, and the number of operations that panicked.
    static COUNTS: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Keeps a view in the list of live views until this value is dropped.
struct Alive;

impl Alive {
    fn new(view: &IpcBuffer, writes: bool) -> Self {
        let place = std::ptr::from_ref(view).addr();
        VIEWS.with_borrow_mut(|views| {
            let other = views.iter().find(|(other, _)| *other == place);
            assert!(
                other.is_none_or(|(_, other_writes)| !writes && !other_writes),
                "{VIOLATION}: two views of one buffer"
            );
            views.push((place, writes));
        });
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        VIEWS.with_borrow_mut(Vec::pop);
    }
}

/// The text that marks a panic as a failure of the test.
const VIOLATION: &str = "violation";

/// Runs an operation that may panic.
fn attempt(run: impl FnOnce()) {
    let refused = catch_unwind(AssertUnwindSafe(run)).err();
    if let Some(payload) = &refused {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string));
        let text = text.unwrap_or_default();
        assert!(!text.contains(VIOLATION), "{text}");
    }
    let (done, refusals) = COUNTS.get();
    COUNTS.set((done + 1, refusals + usize::from(refused.is_some())));
}

/// Writes to a view, runs the rest of the script, and asserts that the view is unchanged.
fn write(
    view: &mut IpcBuffer,
    script: &mut &[Operation],
    world: &mut World,
    held: Vec<&mut IpcBufferToken>,
) {
    let _alive = Alive::new(view, true);
    world.value += 1;
    let value = world.value;
    view.msg_regs_mut()[WORD] = value;
    run(script, world, held);
    assert!(
        view.msg_regs()[WORD] == value,
        "{VIOLATION}: a view was written by another"
    );
}

fn reborrow<'a>(held: &'a mut [&mut IpcBufferToken]) -> Vec<&'a mut IpcBufferToken> {
    held.iter_mut().map(|token| &mut **token).collect()
}

/// Runs the script to the end of the innermost scope.
fn run(script: &mut &[Operation], world: &mut World, mut held: Vec<&mut IpcBufferToken>) {
    let info = MessageInfo::new(0, 0, 0, WORD + 1);
    while let Some((operation, rest)) = script.split_first() {
        *script = rest;
        match operation {
            Read => attempt(|| {
                sel4::with_ipc_buffer(|view| {
                    let _alive = Alive::new(view, false);
                    let before = view.msg_regs()[WORD];
                    run(script, world, reborrow(&mut held));
                    assert!(
                        view.msg_regs()[WORD] == before,
                        "{VIOLATION}: a view to read was written"
                    );
                });
            }),
            Write => attempt(|| {
                sel4::with_ipc_buffer_mut(|view| {
                    write(view, script, world, reborrow(&mut held));
                });
            }),
            Token => attempt(|| {
                sel4::with_ipc_buffer_token(|token| {
                    let mut held = reborrow(&mut held);
                    held.push(token);
                    run(script, world, held);
                });
            }),
            WriteHeld => {
                if let Some(token) = held.pop() {
                    attempt(|| {
                        token.with_mut(|view| write(view, script, world, reborrow(&mut held)))
                    });
                    held.push(token);
                }
            }
            SwapHeld => {
                if let [.., one, other] = &mut held[..] {
                    swap(*one, *other);
                }
            }
            SwapSpare => {
                if let (Some(token), Some(spare)) = (held.last_mut(), &mut world.spare) {
                    swap(*token, spare);
                }
            }
            SetSpare => {
                if let Some(spare) = world.spare.take() {
                    attempt(|| sel4::set_ipc_buffer(spare));
                }
            }
            Exchange => world.aside.exchange(),
            IntoToken => {
                let token = std::mem::take(&mut world.aside).into_token();
                world.spare = token.or(world.spare.take());
            }
            Call => attempt(|| {
                ENDPOINT.call(info);
            }),
            CallHeld => {
                if let Some(token) = held.last_mut() {
                    attempt(|| {
                        ENDPOINT.with(&mut **token).call(info);
                    });
                }
            }
            End => return,
        }
    }
}

/// Runs one sequence, with two programs and a spare token.
fn check(mut script: &[Operation]) {
    host::install(Some(Rc::new(
        |_: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            let mut buffer = buffer.expect("a call has one");
            let word = HostBuffer::MESSAGE + WORD;
            buffer.write(word, buffer.read(word) + 1000);
        },
    )));
    let mut aside = SetAside::new();
    aside.exchange();
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    aside.exchange();
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    let mut world = World {
        aside,
        spare: Some(host::new_ipc_buffer()),
        value: 0,
    };
    while !script.is_empty() {
        run(&mut script, &mut world, Vec::new());
    }
    // Start the next sequence without borrows.
    SetAside::new().exchange();
}

/// Suppresses the messages of expected panics.
fn be_quiet() {
    std::panic::set_hook(Box::new(|info| {
        if info.to_string().contains(VIOLATION) {
            eprintln!("{info}");
        }
    }));
}

#[test]
fn no_sequence_of_safe_calls_makes_two_views_of_one_buffer() {
    be_quiet();
    // The stride is coprime to the number of sequences. Miri is about a thousand times slower, so
    // the stride under Miri is longer.
    let (length, stride) = (5, if cfg!(miri) { 4999 } else { 7 });
    let sequences = ALL.len().pow(length);
    for number in (0..sequences).step_by(stride) {
        let mut rest = number;
        let script: Vec<Operation> = (0..length)
            .map(|_| {
                let operation = ALL[rest % ALL.len()];
                rest /= ALL.len();
                operation
            })
            .collect();
        check(&script);
    }
    let (done, refused) = COUNTS.get();
    println!("{sequences} sequences, every {stride}th tried: {done} attempts, {refused} refused");
    assert!(
        refused > 10 && done > 2 * refused,
        "{done} attempts, {refused} refused"
    );
}

/// Runs sequences that have failed in the past, and sequences that are longer than in the other
/// test.
#[test]
fn a_swapped_token_ends_in_its_own_record() {
    be_quiet();
    // The script swaps two tokens inside both borrows, and exchanges the programs in between.
    check(&[
        Token, Exchange, Token, SwapHeld, Exchange, End, WriteHeld, Exchange, Write, Read,
    ]);
    check(&[
        Token, Exchange, Token, SwapHeld, Exchange, End, Write, WriteHeld, Call,
    ]);
    check(&[
        Token, Exchange, Token, SwapHeld, Exchange, End, End, Write, Exchange, Write,
    ]);
    // The token of one program becomes the buffer of the other.
    check(&[
        Token, SwapSpare, Exchange, SetSpare, Write, Exchange, CallHeld, End, Call, Write,
    ]);
    check(&[
        Token, SwapSpare, Exchange, SetSpare, Token, SwapHeld, End, Write, Exchange, Write,
    ]);
    // A program ends while its buffer is borrowed.
    check(&[Read, Exchange, IntoToken, SetSpare, Write, Call]);
    check(&[
        Token, Exchange, IntoToken, SetSpare, Write, WriteHeld, CallHeld,
    ]);
    // A borrow ends while the record of another program is current. The end of the borrow must not
    // free that other record.
    check(&[Write, Exchange, Read, Exchange, End, Call, End, Write]);
    check(&[
        Read, Read, Exchange, End, Write, Exchange, Write, End, Write, Call,
    ]);
}

#[test]
fn a_borrow_can_end_while_another_program_runs() {
    let mut aside = SetAside::new();
    sel4::set_ipc_buffer(host::new_ipc_buffer());
    sel4::with_ipc_buffer_mut(|_| aside.exchange());
    aside.exchange();
    sel4::set_msg_reg(WORD, 1);
    assert_eq!(sel4::msg_reg(WORD), 1);
}
