//! Turns Ctrl-C and other stop signals into a flag. Code that waits for a guest polls the flag, and
//! stops the guest before this program ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static FLAG: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Installs the signal handlers. Afterwards, a stop signal sets the flag instead of ending this
/// program.
pub(crate) fn catch() {
    static CAUGHT: LazyLock<()> = LazyLock::new(|| {
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            // Registration fails only for signals that cannot be caught. These four signals can be
            // caught.
            let _ = signal_hook::flag::register(signal, Arc::clone(&FLAG));
        }
    });
    *CAUGHT
}

/// Sets the flag, as a stop signal does.
pub(crate) fn request() {
    FLAG.store(true, Ordering::Relaxed);
}

/// Returns whether a stop signal has arrived.
pub(crate) fn requested() -> bool {
    FLAG.load(Ordering::Relaxed)
}
