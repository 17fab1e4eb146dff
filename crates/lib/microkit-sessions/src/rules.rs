//! The rules that make the table of sessions sound.
//!
//! Each rule is a constant, so that a test can disable the rule and check that the test finds the
//! defect. The compiler removes the branches for [`Sound`].

/// The rules of a table of sessions.
pub trait Rules {
    /// A number is never reused. Without this rule, a new session gets the lowest free number.
    const NUMBERS_ARE_NEW: bool = true;
    /// Numbers continue after a restart of the server. Without this rule, numbers start from 1
    /// again.
    const NUMBERS_OUTLIVE_THE_SERVER: bool = true;
    /// Only the client that opened a session can use it.
    const SESSIONS_HAVE_OWNERS: bool = true;
    /// When a client connects, the sessions of its earlier incarnations are closed.
    const CONNECT_ENDS_SESSIONS: bool = true;
    /// When a client connects, the sessions of other clients stay open.
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
