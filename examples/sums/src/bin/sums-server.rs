//! The passive server. It keeps the sums of two clients, one sum in each session, and prints a line
//! when a sum is opened or closed. It runs on the scheduling context of its caller.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_sessions::{SessionError, SessionId, Sessions};
use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, pd_is_passive, protection_domain, waits,
};
use sums_protocol::{SUMS_PER_CLIENT, Sums, SumsServer};

microkit_system::system! {
    "sums.system", pd = "server";
    region NUMBERS = "numbers";
}

/// The quota of both clients together.
const MOST_SUMS: usize = 2 * SUMS_PER_CLIENT;

struct Server {
    sums: Sessions<u64, MOST_SUMS>,
}

/// A call of one client.
struct Call<'a> {
    server: &'a mut Server,
    client: Channel,
}

waits! {
    in init { call microkit_console::CHANNEL; }
    in protected { call microkit_console::CHANNEL; }
}

#[protection_domain]
fn init() -> Server {
    println!("server: ready, passive: {}", pd_is_passive());
    Server {
        // The word in the region holds the number of the next session. A restart of the server does
        // not reset the region.
        sums: Sessions::new(&NUMBERS.words().as_slice()[0], SUMS_PER_CLIENT),
    }
}

impl Sums for Call<'_> {
    fn open(&mut self) -> Result<SessionId, SessionError<()>> {
        let client = self.client;
        self.server.sums.open_with(client, || {
            println!("server: client {} opens a sum", client.index());
            Ok(0)
        })
    }

    fn add(&mut self, sum: SessionId, amount: u64) -> Result<u64, SessionError<()>> {
        // The `?` rejects a session that is not open or belongs to another client.
        let sum = self.server.sums.get_mut(self.client, &sum)?;
        *sum = sum.wrapping_add(amount);
        Ok(*sum)
    }
}

impl Handler for Server {
    type Error = Infallible;

    fn protected(
        &mut self,
        client: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let close = |sum| println!("server: client {} closes {sum}", client.index());
        if let Some(reply) = self.sums.answer(client, &msg_info, close) {
            return Ok(reply);
        }
        let server = self;
        Ok(SumsServer::dispatch(
            &mut Call { server, client },
            &msg_info,
        ))
    }
}
