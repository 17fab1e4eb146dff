//! Sets alarms of one second, and prints a line when an alarm rings.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use clock_protocol::ClockClient;
use microkit_console::println;
use microkit_protocol::CallError;
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, protection_domain, waits};

const CLOCK: Channel = Channel::new(1);

const ALARMS: usize = 2;

struct Client {
    clock: ClockClient,
    /// The time in seconds at which the alarm was set.
    set_at: u32,
    rung: usize,
}

waits! {
    in init { call CLOCK; call microkit_console::CHANNEL; }
    in notified(CLOCK) { call CLOCK; call microkit_console::CHANNEL; }
}

#[protection_domain]
fn init() -> Client {
    let clock = ClockClient::connect(CLOCK).expect("both were built with the same protocol");
    let mut client = Client {
        clock,
        set_at: 0,
        rung: 0,
    };
    println!("client: sets an alarm");
    client.set_alarm().expect("the driver answers");
    client
}

impl Client {
    fn set_alarm(&mut self) -> Result<(), CallError> {
        self.set_at = self.clock.now()?;
        self.clock.set_alarm(1)
    }

    fn rings(&mut self) -> Result<(), CallError> {
        self.rung += 1;
        let passed_s = self.clock.now()?.wrapping_sub(self.set_at);
        let when = if passed_s < 1 { "too early" } else { "in time" };
        println!("client: alarm {} rings {when}", self.rung);
        if self.rung < ALARMS {
            self.set_alarm()?;
        }
        Ok(())
    }
}

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(CLOCK) {
            self.rings().expect("the driver answers");
        }
        Ok(())
    }
}
