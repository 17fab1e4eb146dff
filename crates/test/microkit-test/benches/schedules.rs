//! Measures the schedules per second of small systems, on one core.

use std::time::{Duration, Instant};

use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, NullHandler, debug_println,
    with_msg_regs_mut,
};

const PEER: Channel = Channel::new(1);

const ROUNDS: usize = 10;

/// Makes a system of two PDs. `pp` is an attribute of the client's `<end>`, and `passive` is an
/// attribute of the server.
fn system(pp: &str, passive: &str) -> System {
    let text = format!(
        r#"
        <system>
            <protection_domain name="ping" priority="100">
                <program_image path="ping.elf" />
            </protection_domain>
            <protection_domain name="pong" priority="101" {passive}>
                <program_image path="pong.elf" />
            </protection_domain>
            <channel><end pd="ping" id="1" {pp} /><end pd="pong" id="1" /></channel>
        </system>"#
    );
    System::parse("schedules.system", &text).unwrap()
}

/// Notifies its peer at each notification.
struct Notifies {
    rounds: usize,
}

impl Handler for Notifies {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        if self.rounds > 0 {
            self.rounds -= 1;
            debug_println!("{} rounds are left", self.rounds);
            PEER.notify();
        }
        Ok(())
    }
}

/// Adds one to each word of a call.
struct Adds;

impl Handler for Adds {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let count = info.count();
        with_msg_regs_mut(|words| words[..count].iter_mut().for_each(|word| *word += 1));
        Ok(MessageInfo::new(0, count))
    }
}

/// Calls its server with more words each time.
fn calls() -> NullHandler {
    for count in 0..ROUNDS {
        with_msg_regs_mut(|words| words[..count].fill(7));
        let reply = PEER.pp_call(MessageInfo::new(0, count));
        debug_println!("{} words", reply.count());
    }
    NullHandler::new()
}

fn notifying() -> System {
    system("", "")
        .program("ping.elf", || {
            PEER.notify();
            Notifies { rounds: ROUNDS }
        })
        .program("pong.elf", || Notifies { rounds: ROUNDS })
}

fn calling(passive: &str) -> System {
    system(r#"pp="true""#, passive)
        .program("ping.elf", calls)
        .program("pong.elf", || Adds)
}

fn main() {
    // `cargo test --benches` runs this program briefly, only to test that the program works.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let time = Duration::from_millis(if is_measured { 2000 } else { 1 });
    for (name, system) in [
        ("notifications", notifying()),
        ("calls", calling("")),
        ("calls of a passive server", calling(r#"passive="true""#)),
    ] {
        let explorer = Explorer::new(&system);
        let start = Instant::now();
        let (mut runs, mut steps) = (0_u64, 0_u64);
        while start.elapsed() < time {
            steps += explorer.sample(runs).steps();
            runs += 1;
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{name}: {:.0} random schedules a second, of {} steps each; a step takes {:.0} ns",
            runs as f64 / seconds,
            steps / runs,
            seconds * 1e9 / steps as f64,
        );
        let start = Instant::now();
        let explored = explorer.check(|_| ());
        println!(
            "{name}: {explored}, in {:.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
}
