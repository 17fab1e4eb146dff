//! What clients and servers say to each other beside the protocol whose sessions they are: labels,
//! with one word each.
//!
//! A protocol's own labels begin at 0 and are few (`microkit_protocol`).

/// The version of what is said here, which both ends say when they connect.
pub(crate) const VERSION: u64 = 1;

/// "sess", and a number.
const FIRST: u64 = 0x0073_6573_7300;

/// Labels of requests.
pub(crate) mod request {
    /// A life of the client begins, with a version.
    pub(crate) const CONNECT: u64 = super::FIRST;
    /// A session is over, by its number.
    pub(crate) const CLOSE: u64 = super::FIRST + 1;
    /// A client has come to its end, by the number that the server's channel to it has.
    pub(crate) const REPORT_END: u64 = super::FIRST + 2;
}

/// Labels of replies.
pub(crate) mod reply {
    /// It is done. To a connect there is a word: the server's version.
    pub(crate) const DONE: u64 = super::FIRST + 16;
    pub(crate) const NOT_OPEN: u64 = super::FIRST + 17;
    pub(crate) const STALE: u64 = super::FIRST + 18;
    pub(crate) const NOT_ALLOWED: u64 = super::FIRST + 19;
    pub(crate) const OTHER_VERSION: u64 = super::FIRST + 20;
    /// The request has not one word.
    pub(crate) const WRONG_LENGTH: u64 = super::FIRST + 21;
}

#[cfg(test)]
mod tests {
    use super::{reply, request};

    /// Programs that were built apart speak to each other by these numbers.
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
