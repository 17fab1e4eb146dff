//! The message labels of the requests `CONNECT`, `CLOSE` and `REPORT_END`, and of their replies.
//!
//! These messages travel on the same channel as the protocol of the server. The labels of a
//! `microkit_protocol` start at 0 and never reach the labels in this module. Every request has one
//! word.

/// The version of these messages. Both ends send their version when a client connects.
pub(crate) const VERSION: u64 = 1;

/// The first label: the bytes "sess" above the byte for the number of the message.
const FIRST: u64 = 0x0073_6573_7300;

/// The labels of requests.
pub(crate) mod request {
    /// Starts a new incarnation of the client. The word is the client's version.
    pub(crate) const CONNECT: u64 = super::FIRST;
    /// Closes a session. The word is the session's number.
    pub(crate) const CLOSE: u64 = super::FIRST + 1;
    /// Reports the death of another client. The word is the server's channel to that client.
    pub(crate) const REPORT_END: u64 = super::FIRST + 2;
}

/// The labels of replies.
pub(crate) mod reply {
    /// Success. The reply to `CONNECT` has one word: the server's version.
    pub(crate) const DONE: u64 = super::FIRST + 16;
    pub(crate) const NOT_OPEN: u64 = super::FIRST + 17;
    pub(crate) const STALE: u64 = super::FIRST + 18;
    pub(crate) const NOT_ALLOWED: u64 = super::FIRST + 19;
    pub(crate) const OTHER_VERSION: u64 = super::FIRST + 20;
    /// The request does not have exactly one word.
    pub(crate) const WRONG_LENGTH: u64 = super::FIRST + 21;
}

#[cfg(test)]
mod tests {
    use super::{reply, request};

    /// Asserts the values of the labels, because programs that were built separately use the same
    /// values.
    #[test]
    fn the_labels_of_version_1_do_not_change() {
        let requests = [request::CONNECT, request::CLOSE, request::REPORT_END];
        assert_eq!(requests, [0, 1, 2].map(|number| 0x73_6573_7300 | number));
        let replies = [
            reply::DONE,
            reply::NOT_OPEN,
            reply::STALE,
            reply::NOT_ALLOWED,
            reply::OTHER_VERSION,
            reply::WRONG_LENGTH,
        ];
        assert_eq!(
            replies,
            [0x10, 0x11, 0x12, 0x13, 0x14, 0x15].map(|number| 0x73_6573_7300 | number)
        );
    }
}
