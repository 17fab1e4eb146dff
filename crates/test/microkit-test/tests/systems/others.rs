//! The rest of the systems.

use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, IrqAckError, MessageInfo,
    debug_println, with_msg_regs, with_msg_regs_mut,
};

use crate::examples::{bench_server, check_expected, expected, open, smc};

const PLAYER: Channel = Channel::new(1);
const HELPER: Channel = Channel::new(2);

/// What `c-player.c` does, in Rust.
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

fn c_and_rust() -> System {
    open("c-and-rust").program("c-player.elf", Player::default)
}

#[test]
fn those_that_play_with_c_print_what_they_print_on_the_target() {
    let mut run = c_and_rust().start();
    run.until_idle();
    assert_eq!(run.log(), expected("c-and-rust"));
}

#[test]
fn every_schedule_of_those_that_play_with_c() {
    let system = c_and_rust();
    let expected = expected("c-and-rust");
    let explored = Explorer::new(&system).check(|run| assert_eq!(run.log(), expected));
    println!("{explored}");
    assert!(explored.is_complete());
}

#[test]
fn a_system_that_is_not_measured_says_so_as_on_the_target() {
    check_expected("utilisation");
}

/// Without `smc="true"`, which the model kernel does not take.
#[test]
fn who_may_not_ask_the_firmware_is_told_so() {
    let file = include_str!("../../../../../microkit-systems/smc.system");
    let refused = System::parse("smc.system", file).unwrap_err();
    assert!(refused.to_string().contains("smc"), "{refused}");
    let mut run = System::parse("smc.system", &file.replace(r#" smc="true""#, ""))
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("smc.elf", smc::protection_domain)
        .start();
    run.until_idle();
    let error = "the system file lets it: InvalidCapability";
    assert!(run.log().contains(error), "{}", run.log());
}

const SERVER: &str = r#"
    <system>
        <protection_domain name="server" priority="101" passive="true">
            <program_image path="bench-server.elf" />
        </protection_domain>
        <protection_domain name="client" priority="100">
            <program_image path="client.elf" />
        </protection_domain>
        <channel><end pd="client" id="1" pp="true" /><end pd="server" id="1" /></channel>
        <channel><end pd="client" id="3" /><end pd="server" id="3" /></channel>
        <channel><end pd="client" id="4" /><end pd="server" id="4" /></channel>
    </system>"#;

struct Client;

/// Calls the server with every number of words, then notifies it.
fn client() -> Client {
    for count in 0..=64 {
        with_msg_regs_mut(|words| (5..).zip(words).for_each(|(value, word)| *word = value));
        let reply = Channel::new(1).pp_call(MessageInfo::new(0, count));
        assert_eq!(reply, MessageInfo::new(0, count));
        let is_one_more = |words: &[u64]| (6..).zip(words).all(|(value, word)| value == *word);
        with_msg_regs(|words| assert!(is_one_more(&words[..count]), "{count} words"));
    }
    for id in [3, 4] {
        Channel::new(id).notify();
    }
    Client
}

impl Handler for Client {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        channels
            .iter()
            .for_each(|channel| debug_println!("answered on {}", channel.index()));
        Ok(())
    }
}

#[test]
fn the_server_that_is_measured_adds_one_to_each_word_and_answers_notifications() {
    let system = System::parse("server.system", SERVER)
        .unwrap()
        .program("bench-server.elf", bench_server::protection_domain)
        .program("client.elf", client);
    let explored = Explorer::new(&system).check(|run| {
        let log = run.log();
        let mut lines: Vec<&str> = log.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["answered on 3", "answered on 4"]);
    });
    println!("{explored}");
    assert!(explored.is_complete());
}
