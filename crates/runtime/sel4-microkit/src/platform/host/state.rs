//! What belongs to a protection domain and not to the thread that it shares with others.

use core::cell::Cell;

use super::local::LocalState;
use super::panic::PanicState;
use super::shared_word::PolicyState;
use super::symbols::SymbolState;
use super::{CURRENT, ProtectionDomain};

/// Everything that the runtime keeps of a protection domain which does not run now: for a host on
/// which several run in one thread by turns.
#[derive(Default)]
pub struct State {
    buffer: sel4::SetAside,
    protection_domain: Cell<ProtectionDomain>,
    symbols: SymbolState,
    panic: PanicState,
    locals: LocalState,
    policy: PolicyState,
}

impl State {
    /// That of a protection domain which has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exchanges it with this thread's.
    pub fn exchange(&mut self) {
        self.buffer.exchange();
        CURRENT.with(|current| current.swap(&self.protection_domain));
        self.symbols.exchange();
        self.panic.exchange();
        self.locals.exchange();
        self.policy.exchange();
    }

    /// Gives its IPC buffer back, unless it is borrowed.
    pub fn into_token(self) -> Option<sel4::IpcBufferToken> {
        self.buffer.into_token()
    }
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("State")
            .field("protection_domain", &self.protection_domain)
            .finish_non_exhaustive()
    }
}
