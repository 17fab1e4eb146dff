//! The server's replies to the requests `CONNECT`, `CLOSE` and `REPORT_END`.

use sel4_microkit::{Channel, FastWords, MessageInfo, get_mr, set_mr};

use crate::rules::Rules;
use crate::wire::{VERSION, reply, request};
use crate::{Refused, Sessions};

impl<T, const N: usize, R: Rules> Sessions<T, N, R> {
    /// Answers a request of this crate: to connect, to close a session, or to report a death.
    ///
    /// Return the result from `Handler::protected`. `None` means that the server's own protocol
    /// must dispatch the request. `ended` receives the state of each session that the request
    /// closes. Pass `drop` to drop the state.
    ///
    /// ```
    /// # use microkit_sessions::Sessions;
    /// use sel4_microkit::{Channel, MessageInfo};
    ///
    /// fn answer(
    ///     sessions: &mut Sessions<u64, 4>,
    ///     client: Channel,
    ///     info: &MessageInfo,
    /// ) -> Option<MessageInfo> {
    ///     sessions.answer(client, info, drop)
    /// }
    /// ```
    ///
    /// **Blocking:** only if `ended` blocks.
    ///
    /// # Panics
    ///
    /// Panics inside a borrow of the message registers. A request of a client never causes a panic.
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

    /// Answers a request like [`answer`](Self::answer), with the first words in CPU registers.
    ///
    /// Return the result from `Handler::protected_with_mrs`.
    ///
    /// ```
    /// # use microkit_sessions::Sessions;
    /// use sel4_microkit::{Channel, FastWords, MessageInfo};
    ///
    /// fn answer(
    ///     sessions: &mut Sessions<u64, 4>,
    ///     client: Channel,
    ///     info: &MessageInfo,
    ///     words: FastWords,
    /// ) -> Option<(MessageInfo, FastWords)> {
    ///     sessions.answer_with_mrs(client, info, words, drop)
    /// }
    /// ```
    ///
    /// **Blocking:** only if `ended` blocks.
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

    /// Handles a request. Returns the label of the reply, and the word of the reply if it has a
    /// word.
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

/// Returns the channel with this identifier, if the identifier is valid.
fn client(word: u64) -> Option<Channel> {
    let index = usize::try_from(word).ok()?;
    (index <= MAX_CHANNEL_ID).then(|| Channel::new(index))
}

/// The highest identifier of a channel (Microkit manual, *Channels*).
const MAX_CHANNEL_ID: usize = 61;
