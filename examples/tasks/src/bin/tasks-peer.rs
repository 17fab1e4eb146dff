//! Answers questions over shared memory, of which it keeps some until it is told; and then calls who
//! asks.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_async::{NothingAsked, SplitServer};
use sel4_microkit::{
    Channel, ChannelSet, Handler, MessageInfo, SharedWord, protection_domain, shared_words, waits,
};

/// Over which it is asked, and answers.
const ASKS: Channel = Channel::new(1);

/// Over which it is told to answer what it has kept, and over which it calls.
const KEPT: Channel = Channel::new(2);

/// The first word of a question that is kept: `tasks` has the same.
const KEEP: u64 = u64::MAX;

struct Peer {
    server: SplitServer,
}

waits! {
    in notified(KEPT) { call KEPT; }
}

#[protection_domain]
fn init() -> Peer {
    Peer {
        server: SplitServer::new(ASKS, shared_words!(split, split_size, SharedWord)),
    }
}

impl Handler for Peer {
    type Error = NothingAsked;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), NothingAsked> {
        // That it may answer can come together with the question.
        self.answer()?;
        if channels.contains(KEPT) {
            self.server.reply([0; 4])?;
            let (_, [twice, ..]) = KEPT.pp_call_with_mrs(MessageInfo::new(0, 1), [7]);
            assert_eq!(twice, 14);
            self.answer()?;
        }
        Ok(())
    }
}

impl Peer {
    /// Takes a question, if there is one, and answers it unless it is to be kept.
    fn answer(&mut self) -> Result<(), NothingAsked> {
        let Some(words) = self.server.take() else {
            return Ok(());
        };
        if words[0] == KEEP {
            return Ok(());
        }
        self.server.reply([words.iter().sum(), 0, 0, 0])
    }
}
