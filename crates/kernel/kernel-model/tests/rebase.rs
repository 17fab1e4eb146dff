//! Asserts that rebased states are equal if they differ only in absolute times.

mod common;

use common::spec::{PdExt, pd, pp, system};
use common::{World, msg};

#[test]
fn systems_that_have_waited_longer_are_equal() {
    let pds = vec![
        pd("client", 10).budget(300, 1000),
        pd("server", 20).passive(),
        pd("other", 5).budget(100, 700),
    ];
    let mut world = World::init(&system(pds, &[pp((0, 1), (1, 1))]));
    world.wake(0);
    world.use_time(100);
    world.pp_call(1, &msg(1, &[]));
    world.reply_recv(&msg(2, &[]));
    let after = |us| {
        let mut world = world.clone();
        world.recv();
        world.pass(us);
        world.wake(0);
        world.recv();
        world.kernel.rebase();
        // The wake IRQs leave the same values in registers in every run.
        world.kernel
    };
    assert!(after(5000) == after(5001));
    assert!(after(5000) == after(1_000_000));
    assert!(after(500) != after(5000), "what was used is not back yet");
}
