//! The rules that make the table of sessions sound.
//!
//! Each rule is a constant, so that a test can leave one out and check that it finds the defect.
//! The compiler removes the branches for [`Sound`].

/// The rules of a table of sessions.
pub trait Rules {
    /// No number is used twice. Otherwise the lowest free number is used.
    const NUMBERS_ARE_NEW: bool = true;
    /// Numbers continue over a restart of the server. Otherwise they start from 1 again.
    const NUMBERS_OUTLIVE_THE_SERVER: bool = true;
    /// Only the client that opened a session can use it.
    const SESSIONS_HAVE_OWNERS: bool = true;
    /// A connect closes the sessions of the client's earlier incarnations.
    const CONNECT_ENDS_SESSIONS: bool = true;
    /// A connect does not close the sessions of other clients.
    const CONNECT_SPARES_OTHERS: bool = true;
    /// No client has more sessions than the quota.
    const QUOTA_HOLDS: bool = true;
    /// Only clients with the right can report a death.
    const REPORTS_NEED_A_RIGHT: bool = true;
}

/// All rules, as a server uses them.
#[derive(Debug)]
pub enum Sound {}

impl Rules for Sound {}
