//! What makes the table of sessions sound, each as a constant, so that tests can do without it and
//! see that it is missed.

/// What a table of sessions keeps to.
pub trait Rules {
    /// A number is never given twice; otherwise the lowest that is free.
    const NUMBERS_ARE_NEW: bool = true;
    /// Numbers go on where an earlier life of the server has left off; otherwise from the first.
    const NUMBERS_OUTLIVE_THE_SERVER: bool = true;
    /// A session is its client's only.
    const SESSIONS_HAVE_OWNERS: bool = true;
    /// A client's new life ends what its earlier one has left.
    const CONNECT_ENDS_SESSIONS: bool = true;
    /// And nobody else's.
    const CONNECT_SPARES_OTHERS: bool = true;
    /// A client has at most so many sessions.
    const QUOTA_HOLDS: bool = true;
    /// Only who may says that a client has come to its end.
    const REPORTS_NEED_A_RIGHT: bool = true;
}

/// All of them.
#[derive(Debug)]
pub enum Sound {}

impl Rules for Sound {}
