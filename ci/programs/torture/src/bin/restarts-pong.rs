//! Serves `ping` and counts its calls and notifications. Serves the child too, and asks for a
//! restart of the child before every third reply.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, get_mr, panicking, protection_domain,
    set_mr, with_msg_regs_mut,
};

const PARENT: Channel = Channel::new(1);
const PING: Channel = Channel::new(2);
const CHILD: Channel = Channel::new(3);

#[derive(Default)]
struct Pong {
    calls: u64,
    notifications: u64,
    childs_calls: u64,
}

#[protection_domain]
fn init() -> Pong {
    panicking::set_hook(&microkit_console::panic_hook);
    Pong::default()
}

impl Handler for Pong {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(PING) {
            self.notifications += 1;
            PING.notify();
        }
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        request: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        if channel == CHILD {
            self.childs_calls += 1;
            let length = request.count();
            with_msg_regs_mut(|registers| {
                for word in &mut registers[..length] {
                    *word = !*word;
                }
            });
            if self.childs_calls.is_multiple_of(3) {
                // The parent has a higher priority, so the child is restarted before the reply.
                PARENT.notify();
            }
            return Ok(request);
        }
        if request.label() == 1 {
            let words = [get_mr(0), get_mr(1)];
            assert_eq!(
                words,
                [self.calls, self.notifications],
                "a call or a notification was lost"
            );
            self.calls += 1;
            set_mr(0, !words[0]);
            set_mr(1, !words[1]);
        } else {
            set_mr(0, self.calls);
            set_mr(1, self.notifications);
        }
        Ok(MessageInfo::new(1, 2))
    }
}
