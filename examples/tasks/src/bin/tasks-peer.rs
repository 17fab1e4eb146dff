//! The peer of the tasks: answers questions in shared memory. The peer delays some answers until a
//! notification. Then the peer answers and makes a call.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_async::{NothingAsked, SplitServer};
use sel4_microkit::{
    Channel, ChannelSet, Handler, MessageInfo, SharedWord, protection_domain, shared_words, waits,
};

/// The channel of questions and answers.
const ASKS: Channel = Channel::new(1);

/// The channel whose notification asks for the answer to the kept question. The peer also calls on
/// this channel.
const KEPT: Channel = Channel::new(2);

/// The first word of a question that the peer keeps. `tasks` has the same constant.
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
        // Both notifications can arrive together, so the question is taken first.
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
    /// Takes the next question, if any, and answers the question unless it must be kept.
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
