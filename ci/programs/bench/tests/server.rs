//! Runs the server of the benchmark on the host, with a client that checks the replies.

use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, Handler, IrqAckError, MessageInfo, debug_println, with_msg_regs,
    with_msg_regs_mut,
};

#[path = "../src/bin/bench-server.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod bench_server;

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

/// Calls the server with messages of every length, then notifies it.
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
fn the_server_adds_one_to_each_word_and_answers_notifications() {
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
