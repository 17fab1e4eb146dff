//! Invocations of CNodes (seL4 manual, *seL4_CNode*): what can be done with a slot.
//!
//! All return at once, and with `FailedLookup` where a path leads to no slot.

use sel4_sys::invocation as label;

use super::Invocation;
use crate::{AbsoluteCPtr, CPtrBits, CapRights, InvocationContext, Result, Word};

impl<C: InvocationContext> AbsoluteCPtr<C> {
    /// Deletes all capabilities derived from the one in this slot (`seL4_CNode_Revoke`).
    ///
    /// **Errors:** `FailedLookup`.
    #[track_caller]
    pub fn revoke(self) -> Result<()> {
        self.invoke(label::CNodeRevoke, &[], &[])
    }

    /// Deletes the capability in this slot (`seL4_CNode_Delete`).
    ///
    /// **Errors:** `FailedLookup`.
    #[track_caller]
    pub fn delete(self) -> Result<()> {
        self.invoke(label::CNodeDelete, &[], &[])
    }

    /// Cancels the sends that wait with the badge of the endpoint capability in this slot
    /// (`seL4_CNode_CancelBadgedSends`).
    ///
    /// **Errors:** `FailedLookup`, `IllegalOperation` if it is no such capability.
    #[track_caller]
    pub fn cancel_badged_sends(self) -> Result<()> {
        self.invoke(label::CNodeCancelBadgedSends, &[], &[])
    }

    /// Copies the capability in `source` here, with at most `rights` (`seL4_CNode_Copy`).
    ///
    /// **Errors:** `FailedLookup`, `DeleteFirst` if this slot is taken, `IllegalOperation` if it
    /// cannot be copied.
    #[track_caller]
    pub fn copy(self, source: &AbsoluteCPtr, rights: CapRights) -> Result<()> {
        let words = [source.path().bits(), depth(source), rights.into_word()];
        self.invoke(label::CNodeCopy, &[source.root().bits()], &words)
    }

    /// Copies the capability in `source` here, with at most `rights`, and a badge
    /// (`seL4_CNode_Mint`).
    ///
    /// **Errors:** as [`copy`](Self::copy).
    #[track_caller]
    pub fn mint(self, source: &AbsoluteCPtr, rights: CapRights, badge: Word) -> Result<()> {
        let words = [
            source.path().bits(),
            depth(source),
            rights.into_word(),
            badge,
        ];
        self.invoke(label::CNodeMint, &[source.root().bits()], &words)
    }

    /// Moves the capability in `source` here (`seL4_CNode_Move`).
    ///
    /// **Errors:** `FailedLookup`, `DeleteFirst` if this slot is taken.
    #[track_caller]
    pub fn move_(self, source: &AbsoluteCPtr) -> Result<()> {
        let words = [source.path().bits(), depth(source)];
        self.invoke(label::CNodeMove, &[source.root().bits()], &words)
    }

    /// Moves the capability in `source` here, and gives it a badge (`seL4_CNode_Mutate`).
    ///
    /// **Errors:** as [`move_`](Self::move_).
    #[track_caller]
    pub fn mutate(self, source: &AbsoluteCPtr, badge: Word) -> Result<()> {
        let words = [source.path().bits(), depth(source), badge];
        self.invoke(label::CNodeMutate, &[source.root().bits()], &words)
    }

    /// Every invocation of a CNode begins with the slot it is about; `words` are those after.
    #[track_caller]
    fn invoke(self, label: Word, caps: &[CPtrBits], words: &[Word]) -> Result<()> {
        let mut message = [0; 6];
        message[0] = self.path().bits();
        message[1] = depth(&self);
        message[2..2 + words.len()].copy_from_slice(words);
        let words = &message[..2 + words.len()];
        let invocation = Invocation { label, caps, words };
        self.into_root()
            .invoke(|cptr, token| invocation.make(cptr, token).map(drop))
    }
}

/// The kernel takes eight bits of a depth.
fn depth<C>(slot: &AbsoluteCPtr<C>) -> Word {
    slot.path().depth() as Word & 0xff
}
