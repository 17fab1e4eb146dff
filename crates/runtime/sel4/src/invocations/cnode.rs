//! CNode invocations. Each invocation acts on one slot (seL4 manual, `seL4_CNode`).
//!
//! These invocations never block. An invocation returns `FailedLookup` if a path does not lead to a
//! slot.
//!
//! Invocations that change a slot are `unsafe`, because a [`Cap`](crate::Cap) relies on the
//! contents of its slot.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{AbsoluteCPtr, CPtrBits, CapRights, InvocationContext, Result, Word};

impl<C: InvocationContext> AbsoluteCPtr<C> {
    /// Deletes all capabilities derived from the capability in this slot (`seL4_CNode_Revoke`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::FailedLookup`](crate::Error::FailedLookup) if a path does not lead to a
    /// slot.
    ///
    /// # Safety
    ///
    /// Afterwards, nothing may use memory that a deleted capability maps. Nothing may rely on an
    /// object whose last capability is deleted.
    #[track_caller]
    pub unsafe fn revoke(self) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeRevoke, &[], &[]) }
    }

    /// Deletes the capability in this slot (`seL4_CNode_Delete`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::FailedLookup`](crate::Error::FailedLookup) if a path does not lead to a
    /// slot.
    ///
    /// # Safety
    ///
    /// Afterwards, nothing may use memory that the deleted capability maps. If the deleted
    /// capability was the last capability to its object, nothing may rely on the object.
    ///
    /// # Examples
    ///
    /// ```
    /// # /// # Safety
    /// # ///
    /// # /// Nothing uses the object of the slot.
    /// unsafe fn discard(slot: sel4::AbsoluteCPtr) -> sel4::Result<()> {
    ///     // SAFETY: the caller no longer uses the object.
    ///     unsafe { slot.delete() }
    /// }
    /// ```
    #[track_caller]
    pub unsafe fn delete(self) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeDelete, &[], &[]) }
    }

    /// Cancels the pending sends that use the badge of the endpoint capability in this slot
    /// (`seL4_CNode_CancelBadgedSends`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::FailedLookup`](crate::Error::FailedLookup) if a path does not lead to a
    /// slot, and [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the slot does not
    /// hold a badged endpoint capability.
    ///
    /// # Examples
    ///
    /// ```
    /// fn reject_pending(client: sel4::AbsoluteCPtr) -> sel4::Result<()> {
    ///     client.cancel_badged_sends()
    /// }
    /// ```
    #[track_caller]
    pub fn cancel_badged_sends(self) -> Result<()> {
        // SAFETY: C-3: the senders repeat their system calls, and the slots do not change.
        unsafe { self.invoke(label::CNodeCancelBadgedSends, &[], &[]) }
    }

    /// Copies the capability in `source` to this slot, with at most `rights` (`seL4_CNode_Copy`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::FailedLookup`](crate::Error::FailedLookup) if a path does not lead to a
    /// slot. Returns [`Error::DeleteFirst`](crate::Error::DeleteFirst) if this slot is not empty.
    /// Returns [`Error::IllegalOperation`](crate::Error::IllegalOperation) if the capability cannot
    /// be copied.
    ///
    /// # Safety
    ///
    /// Afterwards, the slot must meet the conditions of [`from_bits`](crate::Cap::from_bits) for
    /// each [`Cap`](crate::Cap) that leads to the slot.
    ///
    /// # Examples
    ///
    /// ```
    /// use sel4::{AbsoluteCPtr, CapRights};
    ///
    /// /// Copies the capability in `source` to the empty slot `target`.
    /// ///
    /// /// # Safety
    /// ///
    /// /// No capability pointer of this program leads to `target`.
    /// unsafe fn share(target: AbsoluteCPtr, source: &AbsoluteCPtr) -> sel4::Result<()> {
    ///     // SAFETY: the contract of this function.
    ///     unsafe { target.copy(source, CapRights::read_only()) }
    /// }
    /// ```
    #[track_caller]
    pub unsafe fn copy(self, source: &AbsoluteCPtr, rights: CapRights) -> Result<()> {
        let words = [source.path().bits(), depth(source), rights.into_word()];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeCopy, &[source.root().bits()], &words) }
    }

    /// Copies the capability in `source` to this slot, with at most `rights` and with a badge
    /// (`seL4_CNode_Mint`).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`copy`](Self::copy).
    ///
    /// # Safety
    ///
    /// The condition of [`copy`](Self::copy) must hold.
    ///
    /// # Examples
    ///
    /// ```
    /// use sel4::{AbsoluteCPtr, CapRights};
    ///
    /// /// Copies an endpoint to the empty slot `target`, with badge 7.
    /// ///
    /// /// # Safety
    /// ///
    /// /// No capability pointer of this program leads to `target`.
    /// unsafe fn badge(target: AbsoluteCPtr, endpoint: &AbsoluteCPtr) -> sel4::Result<()> {
    ///     // SAFETY: the contract of this function.
    ///     unsafe { target.mint(endpoint, CapRights::write_only(), 7) }
    /// }
    /// ```
    #[track_caller]
    pub unsafe fn mint(self, source: &AbsoluteCPtr, rights: CapRights, badge: Word) -> Result<()> {
        let words = [
            source.path().bits(),
            depth(source),
            rights.into_word(),
            badge,
        ];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeMint, &[source.root().bits()], &words) }
    }

    /// Moves the capability in `source` to this slot (`seL4_CNode_Move`).
    ///
    /// # Errors
    ///
    /// Returns [`Error::FailedLookup`](crate::Error::FailedLookup) if a path does not lead to a
    /// slot, and [`Error::DeleteFirst`](crate::Error::DeleteFirst) if this slot is not empty.
    ///
    /// # Safety
    ///
    /// The condition of [`copy`](Self::copy) must hold.
    #[track_caller]
    pub unsafe fn move_(self, source: &AbsoluteCPtr) -> Result<()> {
        let words = [source.path().bits(), depth(source)];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeMove, &[source.root().bits()], &words) }
    }

    /// Moves the capability in `source` to this slot, with a badge (`seL4_CNode_Mutate`).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`move_`](Self::move_).
    ///
    /// # Safety
    ///
    /// The condition of [`copy`](Self::copy) must hold.
    #[track_caller]
    pub unsafe fn mutate(self, source: &AbsoluteCPtr, badge: Word) -> Result<()> {
        let words = [source.path().bits(), depth(source), badge];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeMutate, &[source.root().bits()], &words) }
    }

    /// Makes an invocation of a CNode. The message is the path to the slot, followed by `words`.
    ///
    /// # Safety
    ///
    /// The invocation must not violate memory safety (C-3).
    #[track_caller]
    unsafe fn invoke(self, label: Word, caps: &[CPtrBits], words: &[Word]) -> Result<()> {
        let mut message = [0; 6];
        message[0] = self.path().bits();
        message[1] = depth(&self);
        message[2..2 + words.len()].copy_from_slice(words);
        let words = &message[..2 + words.len()];
        let invocation = Invocation { label, caps, words };
        // SAFETY: the caller's contract.
        self.into_root()
            .invoke(|cptr, token| unsafe { invocation.make(cptr, token) }.map(drop))
    }
}

/// Returns the depth of a slot. The C interface passes a depth in eight bits (`seL4_Uint8`).
fn depth<C>(slot: &AbsoluteCPtr<C>) -> Word {
    slot.path().depth() as Word & 0xff
}
