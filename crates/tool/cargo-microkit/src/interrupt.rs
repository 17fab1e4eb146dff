//! Ctrl-C and its kin, as a flag: whoever waits for a guest looks at it and stops the guest first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static FLAG: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on a signal to stop sets the flag instead of ending this program.
pub(crate) fn catch() {
    static CAUGHT: LazyLock<()> = LazyLock::new(|| {
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            // Fails for signals that may not be caught, and these may.
            let _ = signal_hook::flag::register(signal, Arc::clone(&FLAG));
        }
    });
    *CAUGHT
}

/// Sets the flag, as such a signal does.
pub(crate) fn request() {
    FLAG.store(true, Ordering::Relaxed);
}

/// Whether such a signal has come.
pub(crate) fn requested() -> bool {
    FLAG.load(Ordering::Relaxed)
}
