//! What the crate `critical-section` needs: nothing has to be done.

use critical_section::{Impl, RawRestoreState, set_impl};

struct OneThread;

set_impl!(OneThread);

// SAFETY: while a critical section is held, no other may begin (`critical_section::Impl`, *Safety*).
// 1. A protection domain has one thread (Microkit manual, *Protection Domains*), which runs on one
//    core at a time, and no signal handler interrupts it: an interrupt is a message that it asks for.
//    So nothing else of this program runs between `acquire` and `release`; sections that are nested
//    are allowed.
// 2. What another protection domain does in shared memory is no part of this program, and not what a
//    critical section keeps out.
// 3. A thread that is restarted begins outside of every section: nothing that was held is recorded.
unsafe impl Impl for OneThread {
    unsafe fn acquire() -> RawRestoreState {
        // Of whichever type a feature of the crate makes it, it is not looked at.
        RawRestoreState::default()
    }

    unsafe fn release(_: RawRestoreState) {}
}
