//! The server's side of what clients say of their sessions and their lives.

use sel4_microkit::{Channel, MessageInfo, get_mr, set_mr};

use crate::rules::Rules;
use crate::wire::{VERSION, reply, request};
use crate::{Refused, Sessions};

impl<T, const N: usize, R: Rules> Sessions<T, N, R> {
    /// Answers a call that is about sessions and lives, with what `Handler::protected` is to return:
    /// a client's connect, a close, a report. `None` if the call is another, and to be dispatched by
    /// the protocol.
    ///
    /// What the sessions were that this closes is handed to `ended`: `|_| ()` drops it.
    ///
    /// **Blocks:** never, if `ended` does not.
    /// **Panics:** inside a borrow of the message registers; never for what a client sends.
    #[track_caller]
    pub fn answer(
        &mut self,
        channel: Channel,
        msg_info: &MessageInfo,
        mut ended: impl FnMut(T),
    ) -> Option<MessageInfo> {
        let label = msg_info.label();
        if !(request::CONNECT..=request::REPORT_END).contains(&label) {
            return None;
        }
        if msg_info.count() != 1 {
            return Some(MessageInfo::new(reply::WRONG_LENGTH, 0));
        }
        let word = get_mr(0);
        let reply = match label {
            request::CONNECT if word == VERSION => {
                self.begin(channel, ended);
                set_mr(0, VERSION);
                return Some(MessageInfo::new(reply::DONE, 1));
            }
            request::CONNECT => reply::OTHER_VERSION,
            request::CLOSE => match self.close_number(channel, word) {
                Ok(state) => {
                    ended(state);
                    reply::DONE
                }
                Err(Refused::Stale) => reply::STALE,
                Err(_) => reply::NOT_OPEN,
            },
            _ => match client(word).filter(|client| self.may_report(channel, *client)) {
                Some(client) => {
                    self.close_all(client, ended);
                    reply::DONE
                }
                None => reply::NOT_ALLOWED,
            },
        };
        Some(MessageInfo::new(reply, 0))
    }
}

/// The channel with that number, if there can be one.
fn client(word: u64) -> Option<Channel> {
    let index = usize::try_from(word).ok()?;
    (index <= MAX_CHANNEL_ID).then(|| Channel::new(index))
}

/// The highest identifier of a channel (Microkit manual, *Channels*), which `Channel::new` takes.
const MAX_CHANNEL_ID: usize = 61;
