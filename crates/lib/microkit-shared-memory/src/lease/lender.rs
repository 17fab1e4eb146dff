//! The one whose memory it is.

use core::fmt;
use core::sync::atomic::Ordering;

use super::terms::{Epochs, Grant, LEASE_UNIT_BYTES, Refusal, Request, Rights, Terms, next_epoch};
use super::{EPOCH, board_words, range_words, slot_word, writer_word};
use crate::{Memory, TooSmall, WritableMemory};

/// Lends ranges of a region to protection domains that map it.
///
/// Its table is bounded, and each borrower's share of it is set aside: no request of one takes
/// anything from another, and a request that is refused spends nothing. Nothing that a borrower
/// writes, or fails to write, takes anything from another either. Its leases keep others from these
/// bytes until it gives them back, or is [gone](Self::declare_gone). A borrower that never gives
/// back keeps no more than its [`Terms`] allow.
///
/// This holds after a restart of the lender too. The board says what its earlier incarnation has
/// lent to be written. Others cannot lease these bytes until their borrower has acknowledged the
/// new incarnation.
///
/// `B` is memory of each borrower's own, of one word.
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
    /// Its incarnation when it was last looked at.
    epoch: u32,
    /// Somebody who knows has said that this incarnation has ended.
    is_gone: bool,
    /// It was seen to have acknowledged this incarnation of the lender. It cannot take that back.
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
    /// Begins a new incarnation of the lender: every lease of an earlier one has ended.
    ///
    /// `board` is memory that the lender alone writes and the borrowers can read, of
    /// [`board_words`]; `bytes` is how many there are to lend.
    ///
    /// **Errors:** the board, or a borrower's memory, is too small; the table has less room than
    /// the borrowers may have leases.
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
        // Who sees anything that this incarnation writes sees the incarnation.
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

    /// Grants a lease to a borrower, or says why not. Every byte of what is granted can be used.
    ///
    /// **Blocks:** never. **Errors:** as [`Refusal`] says.
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
        // There is room: the sum of what all may have is no more than the table.
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

    /// Takes a lease back that its borrower gives back, and will not use any more.
    ///
    /// **Blocks:** never. **Errors:** it is no lease of this borrower: [`Refusal::Ended`].
    pub fn give_back(&mut self, borrower: usize, grant: &Grant) -> Result<(), Refusal> {
        self.look();
        let slot = self.find(borrower, grant)?;
        self.end(slot);
        Ok(())
    }

    /// Ends a lease from this side: the borrower's next access is refused. What was leased stays in
    /// the way until it is [given back](Self::give_back), or until the borrower's incarnation ends,
    /// as it may be in the midst of an access.
    ///
    /// **Blocks:** never. **Errors:** it is no lease of this borrower: [`Refusal::Ended`].
    pub fn recall(&mut self, borrower: usize, grant: &Grant) -> Result<(), Refusal> {
        self.look();
        let slot = self.find(borrower, grant)?;
        if self.is_live(slot) {
            self.advance(slot);
        }
        Ok(())
    }

    /// Takes everything back from a borrower whose incarnation has ended: to be called if its
    /// parent has stopped it, or has said so. Never on the borrower's own word.
    ///
    /// A borrower that is started anew need not be told of: its new incarnation is seen.
    pub fn declare_gone(&mut self, borrower: usize) {
        // The incarnation that has ended may be one that was not seen yet.
        self.look();
        if let Some(known) = self.borrowers.get_mut(borrower) {
            known.is_gone = true;
            self.end_all_of(borrower, |_| true);
        }
    }

    /// Checks the borrowers' incarnations. Takes everything back from borrowers that were
    /// restarted, and what an earlier incarnation has lent from borrowers that have acknowledged
    /// this one. Every other method does so first.
    pub fn look(&mut self) {
        for borrower in 0..BORROWERS {
            let known = &mut self.borrowers[borrower];
            // Both halves at once: what it writes next is looked at the next time.
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

    /// Whether no borrower may write these bytes, so that the lender can use them itself.
    pub fn is_free(&mut self, offset: u64, bytes: u64) -> bool {
        self.look();
        self.in_the_way(offset, offset.saturating_add(bytes), Rights::Read)
            .is_none()
    }

    /// Returns how many leases a borrower has, with those of an earlier incarnation of the lender
    /// whose end it has not acknowledged.
    pub fn count(&self, borrower: usize) -> usize {
        self.leases_of(borrower).count()
    }

    /// Which incarnation of the lender this is.
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

    /// A lease of some of these bytes whose borrower would write them, or read them while they are
    /// written.
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

    /// Notes for a later incarnation who may write what, before it is granted. The lender may stop
    /// after any of these stores: then nothing is granted yet.
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

    /// Begins or ends a use of a place in the table, and returns which: odd while it is leased.
    fn advance(&self, slot: usize) -> u64 {
        let generation = self.board.load(slot_word(slot), Ordering::Relaxed);
        let generation = generation.wrapping_add(1);
        self.board
            .store(slot_word(slot), generation, Ordering::Release);
        // Who sees what is written after this sees this.
        self.board.fence(Ordering::Release);
        generation
    }
}

impl Lease {
    /// Marks a lease that an earlier incarnation of the lender has granted: its epochs are not
    /// known. No epoch is 0.
    const EARLIER: Epochs = Epochs {
        borrower: 0,
        lender: 0,
    };

    /// What an earlier incarnation of the lender has lent to be written, and has not taken back.
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

/// What a borrower says of itself.
fn epochs(memory: &impl Memory) -> Epochs {
    // Acquire: what it wrote in a lease, it wrote before it said that.
    Epochs::from_word(memory.load(0, Ordering::Acquire))
}

/// Why there is no lender.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum LenderError {
    /// There is too little memory.
    Memory(TooSmall),
    /// The table has too little room for what the borrowers may have.
    Table {
        /// How many leases all may have.
        needs: usize,
        /// How many the table can hold.
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
                "the borrowers may have {needs} leases and the table has room for {has}: make it \
                 larger, or give them less"
            ),
        }
    }
}

impl core::error::Error for LenderError {}
