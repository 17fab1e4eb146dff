//! Makes a system with a parent that invokes threads. Asserts the answers of invocations.

use super::World;
use super::spec::{PdExt, notify, pd, pp, system};
use boot_spec::UserCapKind;
use microkit_abi::slots;

pub const CHILD: u64 = slots::BASE_TCB;

/// Returns a system with a running parent, its child, and a third PD of the child's priority. The
/// parent has a capability to its own thread in slot 1, and to the third PD's thread in slot 2.
pub fn world() -> World {
    let pds = vec![
        pd("parent", 30)
            .cap(1, UserCapKind::Tcb, 0)
            .cap(2, UserCapKind::Tcb, 2)
            .cap(3, UserCapKind::SchedContext, 1)
            .cap(4, UserCapKind::SchedContext, 2),
        pd("child", 20).child_of(0, 0),
        pd("third", 20),
    ];
    let channels = [pp((1, 1), (0, 1)), notify((0, 2), (2, 2))];
    let mut world = World::init(&system(pds, &channels));
    world.wake(0);
    world
}

pub fn user(slot: u64) -> u64 {
    slots::user_cptr(slot).unwrap()
}

pub fn own() -> u64 {
    user(1)
}

pub fn third() -> u64 {
    user(2)
}

pub type Answer = Result<Vec<u64>, (u64, Vec<u64>)>;

pub fn refused(error: u64, words: &[u64]) -> Answer {
    Err((error, words.to_vec()))
}

pub const OK: Answer = Ok(Vec::new());

/// Asserts the answer of each of these invocations of the child's thread.
#[track_caller]
pub fn check(label: u64, cases: &[(&[u64], &[u64], Answer)]) {
    for (words, caps, answer) in cases {
        let mut world = world();
        let got = world.invoke(CHILD, label, words, caps);
        assert_eq!(got, *answer, "words {words:?}, capabilities {caps:?}");
    }
}
