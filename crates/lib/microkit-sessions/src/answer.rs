//! The server's side of what clients say of their sessions and their lives.

use sel4_microkit::{Channel, FastWords, MessageInfo, get_mr, set_mr};

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
        ended: impl FnMut(T),
    ) -> Option<MessageInfo> {
        let (label, word) = self.reply(channel, msg_info, || get_mr(0), ended)?;
        if let Some(word) = word {
            set_mr(0, word);
        }
        Some(MessageInfo::new(label, word.iter().len()))
    }

    /// As [`answer`](Self::answer), but with the first words in CPU registers: what
    /// `Handler::protected_with_mrs` is to return.
    ///
    /// **Blocks:** never, if `ended` does not.
    pub fn answer_with_mrs(
        &mut self,
        channel: Channel,
        msg_info: &MessageInfo,
        [first, ..]: FastWords,
        ended: impl FnMut(T),
    ) -> Option<(MessageInfo, FastWords)> {
        let (label, word) = self.reply(channel, msg_info, || first, ended)?;
        let info = MessageInfo::new(label, word.iter().len());
        Some((info, [word.unwrap_or(0), 0, 0, 0]))
    }

    /// The label of the reply, and its word if it has one.
    fn reply(
        &mut self,
        channel: Channel,
        msg_info: &MessageInfo,
        word: impl FnOnce() -> u64,
        mut ended: impl FnMut(T),
    ) -> Option<(u64, Option<u64>)> {
        let label = msg_info.label();
        if !(request::CONNECT..=request::REPORT_END).contains(&label) {
            return None;
        }
        if msg_info.count() != 1 {
            return Some((reply::WRONG_LENGTH, None));
        }
        let word = word();
        let reply = match label {
            request::CONNECT if word == VERSION => {
                self.begin(channel, ended);
                return Some((reply::DONE, Some(VERSION)));
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
        Some((reply, None))
    }
}

/// The channel with that number, if there can be one.
fn client(word: u64) -> Option<Channel> {
    let index = usize::try_from(word).ok()?;
    (index <= MAX_CHANNEL_ID).then(|| Channel::new(index))
}

/// The highest identifier of a channel (Microkit manual, *Channels*), which `Channel::new` takes.
const MAX_CHANNEL_ID: usize = 61;
