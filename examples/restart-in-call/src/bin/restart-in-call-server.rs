//! Two servers in one program: `front` forwards each call to `back`, which divides. Each server
//! panics in some calls. After a restart, the next incarnation answers the call.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_protocol::{CallError, RESTARTED};
use restart_in_call::{BackRestarted, Division, DivisionClient, DivisionServer, LARGEST, connect};
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, RestartReply, panicking, pd_name, protection_domain,
    restart_reply,
};

/// The server that `front` calls.
const BACK: Channel = Channel::new(1);

struct Server {
    back: Option<DivisionClient>,
}

#[protection_domain]
fn init() -> Server {
    panicking::set_hook(&microkit_console::panic_hook);
    let is_front = pd_name() == Ok("front");
    Server {
        back: is_front.then(|| connect(BACK)),
    }
}

impl Division for Server {
    fn divide(&mut self, dividend: u64, divisor: u64) -> Result<u64, BackRestarted> {
        let Some(back) = &self.back else {
            return Ok(dividend / divisor);
        };
        assert!(dividend <= LARGEST, "{dividend} is above {LARGEST}");
        back.divide(dividend, divisor).map_err(|error| match error {
            CallError::Method(error) => error,
            CallError::Refused(_) | CallError::BadReply => BackRestarted,
        })
    }
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(DivisionServer::dispatch(self, &msg_info))
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(RESTARTED))
    }
}
