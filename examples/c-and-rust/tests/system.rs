//! Runs the system on the host. A handler in Rust replaces the program in C.

use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo,
    with_msg_regs, with_msg_regs_mut,
};

#[path = "../src/bin/rust-helper.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod helper;
#[path = "../src/bin/rust-player.rs"]
#[allow(unused_attributes)]
mod player;

const PLAYER: Channel = Channel::new(1);
const HELPER: Channel = Channel::new(2);

/// The behaviour of `c-player.c`, in Rust.
#[derive(Default)]
struct Player {
    notifications: u64,
    deferred: DeferredActionSlot,
}

impl Handler for Player {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        assert!(channels.contains(PLAYER));
        self.notifications += 1;
        if self.notifications == 3 {
            with_msg_regs_mut(|words| words[..64].fill(0x1000));
            assert_eq!(
                HELPER.pp_call(MessageInfo::new(9, 64)),
                MessageInfo::new(10, 64)
            );
            with_msg_regs(|words| assert_eq!(words[..64], [!0x1000; 64]));
        }
        self.deferred.defer_notify(PLAYER)
    }

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, IrqAckError> {
        let count = message.count();
        with_msg_regs_mut(|words| words[..count].iter_mut().for_each(|word| *word += 1));
        Ok(MessageInfo::new(message.label() + 1, count))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/c-and-rust.system"
);

const EXPECTED: &str = include_str!("../../../microkit-systems/c-and-rust.expected");

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("rust-helper.elf", helper::protection_domain)
        .program("rust-player.elf", player::protection_domain)
        .program("c-player.elf", Player::default)
}

#[test]
fn the_partners_of_c_print_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), EXPECTED);
}

#[test]
fn every_schedule_of_the_partners_of_c_prints_the_same() {
    let system = system();
    let explored = Explorer::new(&system).check(|run| assert_eq!(run.log(), EXPECTED));
    println!("{explored}");
    assert!(explored.is_complete());
}
