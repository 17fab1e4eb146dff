//! Invocations of CNodes (seL4 manual, *seL4_CNode*): what can be done with a slot.
//!
//! All return at once, and with `FailedLookup` where a path leads to no slot.
//!
//! What changes a slot is `unsafe`: a [`Cap`](crate::Cap) relies on what its slot holds.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{AbsoluteCPtr, CPtrBits, CapRights, InvocationContext, Result, Word};

impl<C: InvocationContext> AbsoluteCPtr<C> {
    /// Deletes all capabilities derived from the one in this slot (`seL4_CNode_Revoke`).
    ///
    /// **Errors:** `FailedLookup`.
    ///
    /// # Safety
    ///
    /// Nothing uses memory that a deleted capability maps, or relies on an object whose last
    /// capability is deleted, any more.
    #[track_caller]
    pub unsafe fn revoke(self) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeRevoke, &[], &[]) }
    }

    /// Deletes the capability in this slot (`seL4_CNode_Delete`).
    ///
    /// **Errors:** `FailedLookup`.
    ///
    /// # Safety
    ///
    /// Nothing uses memory that the deleted capability maps, or relies on an object whose last
    /// capability it is, any more.
    #[track_caller]
    pub unsafe fn delete(self) -> Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeDelete, &[], &[]) }
    }

    /// Cancels the sends that wait with the badge of the endpoint capability in this slot
    /// (`seL4_CNode_CancelBadgedSends`).
    ///
    /// **Errors:** `FailedLookup`, `IllegalOperation` if it is no such capability.
    #[track_caller]
    pub fn cancel_badged_sends(self) -> Result<()> {
        // SAFETY: C-3: who waits to send makes its call again; no slot changes.
        unsafe { self.invoke(label::CNodeCancelBadgedSends, &[], &[]) }
    }

    /// Copies the capability in `source` here, with at most `rights` (`seL4_CNode_Copy`).
    ///
    /// **Errors:** `FailedLookup`, `DeleteFirst` if this slot is taken, `IllegalOperation` if it
    /// cannot be copied.
    ///
    /// # Safety
    ///
    /// Each [`Cap`](crate::Cap) that leads to this slot still says what the slot holds
    /// ([`from_bits`](crate::Cap::from_bits)).
    #[track_caller]
    pub unsafe fn copy(self, source: &AbsoluteCPtr, rights: CapRights) -> Result<()> {
        let words = [source.path().bits(), depth(source), rights.into_word()];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeCopy, &[source.root().bits()], &words) }
    }

    /// Copies the capability in `source` here, with at most `rights`, and a badge
    /// (`seL4_CNode_Mint`).
    ///
    /// **Errors:** as [`copy`](Self::copy).
    ///
    /// # Safety
    ///
    /// As for [`copy`](Self::copy).
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

    /// Moves the capability in `source` here (`seL4_CNode_Move`).
    ///
    /// **Errors:** `FailedLookup`, `DeleteFirst` if this slot is taken.
    ///
    /// # Safety
    ///
    /// As for [`copy`](Self::copy).
    #[track_caller]
    pub unsafe fn move_(self, source: &AbsoluteCPtr) -> Result<()> {
        let words = [source.path().bits(), depth(source)];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeMove, &[source.root().bits()], &words) }
    }

    /// Moves the capability in `source` here, and gives it a badge (`seL4_CNode_Mutate`).
    ///
    /// **Errors:** as [`move_`](Self::move_).
    ///
    /// # Safety
    ///
    /// As for [`copy`](Self::copy).
    #[track_caller]
    pub unsafe fn mutate(self, source: &AbsoluteCPtr, badge: Word) -> Result<()> {
        let words = [source.path().bits(), depth(source), badge];
        // SAFETY: the caller's contract.
        unsafe { self.invoke(label::CNodeMutate, &[source.root().bits()], &words) }
    }

    /// Every invocation of a CNode begins with the slot it is about; `words` are those after.
    ///
    /// # Safety
    ///
    /// The invocation breaks no memory (C-3).
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

/// The kernel takes eight bits of a depth.
fn depth<C>(slot: &AbsoluteCPtr<C>) -> Word {
    slot.path().depth() as Word & 0xff
}
