//! Implementations that are sound only because a PD has one thread (Microkit manual, *Protection
//! Domains*). On a host, a process may have several threads.

// SAFETY: nothing else of this program runs while the thread uses the heap.
unsafe impl<const BYTES: usize> Sync for crate::heap::Heap<BYTES> {}

#[cfg(feature = "critical-section")]
mod critical_section {
    use critical_section::{Impl, RawRestoreState, set_impl};

    struct OneThread;

    set_impl!(OneThread);

    // SAFETY: while a critical section is held, no other section may begin
    // (`critical_section::Impl`, *Safety*).
    // 1. The one thread runs on one core at a time, and no signal handler interrupts it: an
    //    IRQ is a message that the thread receives. So nothing else of this program runs
    //    between `acquire` and `release`. Nested sections are allowed.
    // 2. The contract concerns only this program. A critical section does not exclude accesses of
    //    other PDs to shared memory.
    // 3. A restart inside a section is sound. The program does not record that it is in a section,
    //    so the new incarnation begins outside of every section.
    unsafe impl Impl for OneThread {
        unsafe fn acquire() -> RawRestoreState {
            // A feature of the crate `critical-section` selects the type. `release` ignores the
            // value.
            RawRestoreState::default()
        }

        unsafe fn release(_: RawRestoreState) {}
    }
}
