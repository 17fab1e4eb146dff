//! The lender's side of leases: the table of the ranges that borrowers may access.

use core::fmt;
use core::sync::atomic::Ordering;

use super::terms::{Epochs, Grant, LEASE_UNIT_BYTES, Refusal, Request, Rights, Terms, next_epoch};
use super::{EPOCH, board_words, range_words, slot_word, writer_word};
use crate::{Memory, TooSmall, WritableMemory};

/// Lends ranges of a region to protection domains that map the region.
///
/// The table has `LEASES` slots, and each borrower has a reserved share of the slots. So the
/// requests of one borrower never use slots of another borrower. A borrower excludes other
/// borrowers from its leased ranges until it gives the ranges back or is declared
/// [gone](Self::declare_gone). A malicious borrower cannot keep more ranges than its [`Terms`]
/// allow.
///
/// These limits also apply after a restart of the lender. The board records the ranges that earlier
/// incarnations have lent for writing. Other borrowers cannot lease such a range until its borrower
/// has acknowledged the new incarnation.
///
/// `M` is the board, with [`board_words`](crate::board_words) words. `B` is the word of each
/// borrower.
///
/// # Examples
///
/// ```
/// use microkit_shared_memory::{Borrower, Lender, Part, Rights, Terms, board_words};
/// # use sel4_microkit::SharedWord;
/// # let words = |count| -> &'static [SharedWord] {
/// #     Box::leak((0..count).map(|_| SharedWord::new(0)).collect())
/// # };
/// # let (board, own, lent) = (words(board_words(2)), words(1), words(64));
///
/// let terms = Terms { leases: 2, bytes: 128, rights: Rights::Write };
/// let mut lender: Lender<_, _, 1, 2> = Lender::open(board, 512, [(own, terms)])?;
/// let mut borrower = Borrower::open(own, board, lent)?; // In another PD.
///
/// let request = borrower.request(64, 8, Rights::Write);
/// let grant = lender.request(0, &request)?; // The request came in a message.
/// let lease = borrower.accept(grant)?; // So did the grant.
/// borrower.write(&lease, 0, b"12345678")?;
///
/// assert!(!lender.is_free(64, 8));
/// lender.give_back(0, &lease.give_back())?;
/// assert!(lender.is_free(64, 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Lender<M, B, const BORROWERS: usize, const LEASES: usize> {
    board: M,
    bytes: u64,
    epoch: u32,
    borrowers: [Known<B>; BORROWERS],
    leases: [Option<Lease>; LEASES],
}

#[derive(Debug)]
struct Known<B> {
    memory: B,
    terms: Terms,
    /// The last borrower epoch that the lender has seen.
    epoch: u32,
    /// Whether this incarnation of the borrower was declared gone.
    is_gone: bool,
    /// Whether the borrower has acknowledged this incarnation of the lender. The borrower cannot
    /// undo the acknowledgement.
    is_settled: bool,
}

#[derive(Debug, Copy, Clone)]
struct Lease {
    borrower: usize,
    grant: Grant,
}

impl<M, B, const BORROWERS: usize, const LEASES: usize> Lender<M, B, BORROWERS, LEASES>
where
    M: WritableMemory,
    B: Memory,
{
    /// Opens the lender as a new incarnation. All leases of earlier incarnations end.
    ///
    /// `board` is memory that only the lender writes and every borrower can read. `bytes` is the
    /// size of the lent region.
    ///
    /// **Rights:** a `<map>` with `w` for `board`, a `<map>` for each borrower's memory.
    ///
    /// # Errors
    ///
    /// Returns [`LenderError::Memory`] if the board or a borrower's memory is too small. Returns
    /// [`LenderError::Table`] if the table has fewer slots than the sum of `Terms::leases` over all
    /// borrowers.
    pub fn open(
        board: M,
        bytes: u64,
        borrowers: [(B, Terms); BORROWERS],
    ) -> Result<Self, LenderError> {
        let least = borrowers.iter().map(|(memory, _)| (1, memory.words()));
        for (needs, has) in least.chain([(board_words(LEASES), board.words())]) {
            if has < needs {
                return Err(TooSmall { needs, has }.into());
            }
        }
        let needs = borrowers
            .iter()
            .fold(0_usize, |sum, (_, terms)| sum.saturating_add(terms.leases));
        if needs > LEASES {
            return Err(LenderError::Table { needs, has: LEASES });
        }
        let epoch = next_epoch(board.load(EPOCH, Ordering::Relaxed) as u32);
        board.store(EPOCH, epoch.into(), Ordering::Release);
        // Release: a borrower that sees a later write of this incarnation also sees the new epoch.
        board.fence(Ordering::Release);
        for slot in 0..LEASES {
            let generation = board.load(slot_word(slot), Ordering::Relaxed);
            board.store(
                slot_word(slot),
                generation.wrapping_add(generation & 1),
                Ordering::Relaxed,
            );
        }
        let leases =
            core::array::from_fn(|slot| Lease::of_earlier_incarnation(&board, slot, BORROWERS));
        let borrowers = borrowers.map(|(memory, terms)| Known {
            epoch: epochs(&memory).borrower,
            memory,
            terms,
            is_gone: false,
            is_settled: false,
        });
        Ok(Self {
            board,
            bytes,
            epoch,
            borrowers,
            leases,
        })
    }

    /// Grants a lease to a borrower. Every byte of a granted range is usable.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns the [`Refusal`] if the request is not granted.
    pub fn request(&mut self, borrower: usize, request: &Request) -> Result<Grant, Refusal> {
        self.look();
        let Some(known) = self.borrowers.get(borrower) else {
            return Err(Refusal::Unknown);
        };
        let (terms, current) = (known.terms, self.epochs_with(known));
        if request.epochs != current || known.is_gone {
            return Err(Refusal::Ended);
        }
        let Request {
            offset,
            bytes,
            rights,
            epochs,
        } = *request;
        let end = offset.checked_add(bytes).ok_or(Refusal::Bounds)?;
        if bytes == 0 || end > self.bytes {
            return Err(Refusal::Bounds);
        }
        if !(offset | bytes).is_multiple_of(LEASE_UNIT_BYTES) {
            return Err(Refusal::Alignment);
        }
        if rights > terms.rights {
            return Err(Refusal::Rights);
        }
        let theirs = self.leases_of(borrower);
        let (count, sum) = theirs.fold((0, bytes), |(count, sum), lease| {
            (count + 1, lease.grant.bytes.saturating_add(sum))
        });
        if count >= terms.leases || sum > terms.bytes {
            return Err(Refusal::Quota);
        }
        if let Some(lease) = self.in_the_way(offset, end, rights) {
            return Err(match lease.is_of_earlier_incarnation() {
                true => Refusal::Unsettled,
                false => Refusal::Overlap,
            });
        }
        // A slot is free: `open` has checked that the table has a slot for each lease that the
        // terms allow.
        let free = self.leases.iter().position(Option::is_none);
        let slot = free.ok_or(Refusal::Quota)?;
        if rights == Rights::Write {
            self.note_writer(slot, borrower, [offset, bytes]);
        }
        let generation = self.advance(slot);
        let grant = Grant {
            offset,
            bytes,
            rights,
            epochs,
            slot: slot as u64,
            generation,
        };
        self.leases[slot] = Some(Lease { borrower, grant });
        Ok(grant)
    }

    /// Ends a lease that its borrower has given back.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Refusal::Ended`] if `grant` is not a current lease of this borrower.
    pub fn give_back(&mut self, borrower: usize, grant: &Grant) -> Result<(), Refusal> {
        self.look();
        let slot = self.find(borrower, grant)?;
        self.end(slot);
        Ok(())
    }

    /// Recalls a lease. The borrower's next access under the lease is refused.
    ///
    /// The borrower may be in the middle of an access. So the range stays reserved until the lease
    /// is [given back](Self::give_back), or the borrower's incarnation ends.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns [`Refusal::Ended`] if `grant` is not a current lease of this borrower.
    pub fn recall(&mut self, borrower: usize, grant: &Grant) -> Result<(), Refusal> {
        self.look();
        let slot = self.find(borrower, grant)?;
        if self.is_live(slot) {
            self.advance(slot);
        }
        Ok(())
    }

    /// Reclaims all leases of a dead borrower. Call this only if the borrower's parent has stopped
    /// the borrower, or reports its death. Never call this at the request of the borrower.
    ///
    /// A restart of the borrower need not be declared: the lender detects the new epoch.
    pub fn declare_gone(&mut self, borrower: usize) {
        // Update the borrower's epoch first: the lender may not have seen the borrower's last
        // incarnation.
        self.look();
        if let Some(known) = self.borrowers.get_mut(borrower) {
            known.is_gone = true;
            self.end_all_of(borrower, |_| true);
        }
    }

    /// Checks the epochs of all borrowers. Reclaims all leases of restarted borrowers. Also
    /// reclaims the leases of earlier lender incarnations from borrowers that have acknowledged the
    /// current lender incarnation. All other methods with `&mut self` call `look` first.
    pub fn look(&mut self) {
        for borrower in 0..BORROWERS {
            let known = &mut self.borrowers[borrower];
            // One load reads both epochs, so that the two epochs are consistent.
            let seen = epochs(&known.memory);
            if seen.borrower != known.epoch {
                known.epoch = seen.borrower;
                known.is_gone = false;
                self.end_all_of(borrower, |_| true);
            } else if seen.lender == self.epoch && !known.is_settled {
                known.is_settled = true;
                self.end_all_of(borrower, Lease::is_of_earlier_incarnation);
            }
        }
    }

    /// Returns whether no lease allows a borrower to write these bytes. If true, the lender can
    /// write the bytes itself.
    pub fn is_free(&mut self, offset: u64, bytes: u64) -> bool {
        self.look();
        self.in_the_way(offset, offset.saturating_add(bytes), Rights::Read)
            .is_none()
    }

    /// Returns the number of leases of a borrower. The number includes leases of earlier lender
    /// incarnations until the borrower has acknowledged the current incarnation.
    pub fn count(&self, borrower: usize) -> usize {
        self.leases_of(borrower).count()
    }

    /// Returns the epoch of the lender.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    fn epochs_with(&self, known: &Known<B>) -> Epochs {
        Epochs {
            borrower: known.epoch,
            lender: self.epoch,
        }
    }

    fn leases_of(&self, borrower: usize) -> impl Iterator<Item = &Lease> {
        self.leases
            .iter()
            .flatten()
            .filter(move |lease| lease.borrower == borrower)
    }

    /// Returns a lease that conflicts with a new lease of these bytes: the ranges overlap, and at
    /// least one of the two leases allows writes.
    fn in_the_way(&self, offset: u64, end: u64, rights: Rights) -> Option<&Lease> {
        self.leases.iter().flatten().find(|Lease { grant, .. }| {
            let both_read = rights == Rights::Read && grant.rights == Rights::Read;
            !both_read && offset < grant.offset.saturating_add(grant.bytes) && grant.offset < end
        })
    }

    fn find(&self, borrower: usize, grant: &Grant) -> Result<usize, Refusal> {
        let found = self.leases.iter().position(|lease| {
            lease.is_some_and(|lease| lease.borrower == borrower && lease.grant == *grant)
        });
        found.ok_or(Refusal::Ended)
    }

    fn end_all_of(&mut self, borrower: usize, which: impl Fn(&Lease) -> bool) {
        for slot in 0..LEASES {
            if self.leases[slot].is_some_and(|lease| lease.borrower == borrower && which(&lease)) {
                self.end(slot);
            }
        }
    }

    fn end(&mut self, slot: usize) {
        if self.is_live(slot) {
            self.advance(slot);
        }
        self.board.store(writer_word(slot), 0, Ordering::Relaxed);
        self.leases[slot] = None;
    }

    /// Records the writer of a range on the board, for later incarnations of the lender. Call this
    /// before granting the lease. The lender may be stopped after any of these stores, because the
    /// borrower does not have the lease yet.
    fn note_writer(&self, slot: usize, borrower: usize, range: [u64; 2]) {
        for (word, value) in range_words(slot).into_iter().zip(range) {
            self.board.store(word, value, Ordering::Relaxed);
        }
        let writer = borrower as u64 + 1;
        self.board
            .store(writer_word(slot), writer, Ordering::Release);
    }

    fn is_live(&self, slot: usize) -> bool {
        self.board.load(slot_word(slot), Ordering::Relaxed) & 1 == 1
    }

    /// Marks a slot as leased or as free. Returns the new generation, which is odd while the slot
    /// is leased.
    fn advance(&self, slot: usize) -> u64 {
        let generation = self.board.load(slot_word(slot), Ordering::Relaxed);
        let generation = generation.wrapping_add(1);
        self.board
            .store(slot_word(slot), generation, Ordering::Release);
        // Release: a borrower that sees a later write also sees this generation.
        self.board.fence(Ordering::Release);
        generation
    }
}

impl Lease {
    /// Marks a lease that an earlier incarnation of the lender has granted. The epochs of such a
    /// lease are unknown. A valid epoch is never 0.
    const EARLIER: Epochs = Epochs {
        borrower: 0,
        lender: 0,
    };

    /// Returns the lease in `slot` if an earlier incarnation has granted the lease for writing and
    /// has not reclaimed it.
    fn of_earlier_incarnation(board: &impl Memory, slot: usize, borrowers: usize) -> Option<Self> {
        let writer = board.load(writer_word(slot), Ordering::Relaxed);
        let borrower = usize::try_from(writer.checked_sub(1)?).ok()?;
        let [offset, bytes] = range_words(slot).map(|word| board.load(word, Ordering::Relaxed));
        let grant = Grant {
            offset,
            bytes,
            rights: Rights::Write,
            epochs: Self::EARLIER,
            slot: slot as u64,
            generation: 0,
        };
        (borrower < borrowers).then_some(Self { borrower, grant })
    }

    fn is_of_earlier_incarnation(&self) -> bool {
        self.grant.epochs == Self::EARLIER
    }
}

/// Returns the epochs that a borrower has published.
fn epochs(memory: &impl Memory) -> Epochs {
    // Acquire: the borrower's earlier writes under leases are visible after this load.
    Epochs::from_word(memory.load(0, Ordering::Acquire))
}

/// The reason why a lender was not opened.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LenderError {
    /// A memory is too small.
    Memory(TooSmall),
    /// The table has fewer slots than the terms of all borrowers need.
    Table {
        /// The sum of `Terms::leases` over all borrowers.
        needs: usize,
        /// The number of slots.
        has: usize,
    },
}

impl From<TooSmall> for LenderError {
    fn from(error: TooSmall) -> Self {
        Self::Memory(error)
    }
}

impl fmt::Display for LenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(error) => error.fmt(f),
            Self::Table { needs, has } => write!(
                f,
                "the borrowers may have {needs} leases and the table has {has} slots: make the table \
                 larger, or allow fewer leases"
            ),
        }
    }
}

impl core::error::Error for LenderError {}
