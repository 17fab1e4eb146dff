//! The state of the runtime for one PD, if several PDs run in one thread.

use core::cell::Cell;

use super::local::LocalState;
use super::panic::PanicState;
use super::shared_word::PolicyState;
use super::symbols::SymbolState;
use super::{CURRENT, ProtectionDomain};

/// The complete state of the runtime for a PD that is not running.
///
/// An embedder that runs several PDs in one thread keeps one `State` for each PD. The embedder
/// calls [`exchange`](Self::exchange) before and after each turn of the PD. [`local`](super::local)
/// has an example.
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
    /// Makes the state of a PD that has not started.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exchanges this state with the state of the thread.
    pub fn exchange(&mut self) {
        self.buffer.exchange();
        CURRENT.with(|current| current.swap(&self.protection_domain));
        self.symbols.exchange();
        self.panic.exchange();
        self.locals.exchange();
        self.policy.exchange();
    }

    /// Returns the IPC buffer of the PD, unless the buffer is borrowed.
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
