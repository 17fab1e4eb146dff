//! The implicit IPC buffer: one for the thread, and a check that no borrow of it is alive when a
//! system call is made.

use core::cell::Cell;
use core::panic::Location;
use core::ptr::{self, NonNull};

use crate::context::sealed::{Context, Internal, Uses};
use crate::{IpcBuffer, IpcBufferToken, Word};

/// Lends this thread's IPC buffer to be read, for as long as `read` runs.
///
/// Borrows to read may be nested.
///
/// # Panics
///
/// Inside [`with_ipc_buffer_mut`] or [`with_ipc_buffer_token`], and before [`set_ipc_buffer`]. A
/// system call through the implicit buffer inside `read` panics too. The message names both
/// places.
#[inline]
#[track_caller]
pub fn with_ipc_buffer<R>(read: impl FnOnce(&IpcBuffer) -> R) -> R {
    check(Wanted::Shared);
    let place = Location::caller();
    // SAFETY: `check` (1, 2): other tokens that are alive are those of borrows to read.
    BUFFER.with(|buffer| unsafe { buffer.lend(Held::Shared, place) }.token.with(read))
}

/// Lends this thread's IPC buffer to be written, for as long as `write` runs.
///
/// ```
/// # sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
/// sel4::with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[0] = 7);
/// assert_eq!(sel4::with_ipc_buffer(|buffer| buffer.msg_regs()[0]), 7);
/// ```
///
/// # Panics
///
/// Inside any borrow of the buffer, and before [`set_ipc_buffer`]. A system call through the
/// implicit buffer inside `write` panics too. The message names both places.
#[inline]
#[track_caller]
pub fn with_ipc_buffer_mut<R>(write: impl FnOnce(&mut IpcBuffer) -> R) -> R {
    with_ipc_buffer_token(|token| token.with_mut(write))
}

/// Lends this thread's token, for as long as `run` runs: inside, calls are made with
/// [`Cap::with`](crate::Cap::with) and need no check at run time.
///
/// # Panics
///
/// As [`with_ipc_buffer_mut`].
#[inline]
#[track_caller]
pub fn with_ipc_buffer_token<R>(run: impl FnOnce(&mut IpcBufferToken) -> R) -> R {
    check(Wanted::Exclusive);
    lend(Location::caller(), run)
}

/// Reads a message register of this thread's IPC buffer.
///
/// # Panics
///
/// If there is no such register, and as [`with_ipc_buffer`].
#[inline]
#[track_caller]
pub fn msg_reg(index: usize) -> Word {
    check_index(index);
    with_ipc_buffer(|buffer| buffer.msg_regs()[index])
}

/// Writes a message register of this thread's IPC buffer.
///
/// # Panics
///
/// If there is no such register, and as [`with_ipc_buffer_mut`].
#[inline]
#[track_caller]
pub fn set_msg_reg(index: usize, value: Word) {
    check_index(index);
    with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[index] = value);
}

/// Gives this thread its implicit IPC buffer.
///
/// # Panics
///
/// Inside a borrow of the buffer that was set before.
#[track_caller]
pub fn set_ipc_buffer(token: IpcBufferToken) {
    if BUFFER.with(|buffer| !buffer.is_unset()) {
        check(Wanted::Exclusive);
    }
    BUFFER.with(|buffer| buffer.set(token));
}

/// Gives a thread that begins, or begins anew, its implicit IPC buffer.
///
/// # Safety
///
/// Nothing that has borrowed the buffer before will run again.
pub unsafe fn start_with_ipc_buffer(token: IpcBufferToken) {
    BUFFER.with(|buffer| buffer.set(token));
}

/// Lets calls be made inside a borrow that is alive, as long as they use only registers: for the
/// last words of a thread that has panicked in it.
///
/// # Safety
///
/// 1. No code that runs inside the borrow will run again: the thread is about to stop.
/// 2. Until it has stopped, those that it calls reply with at most four words. The kernel then
///    leaves the buffer, to which a view is still alive, as it is.
pub unsafe fn abandon_borrows() {
    BUFFER.with(|buffer| {
        if buffer.held_at.get().is_some() && !buffer.is_unset() {
            buffer.held_as.set(Held::Abandoned);
        }
    });
}

/// The context of calls that name no buffer: the one that [`set_ipc_buffer`] has set.
///
/// Calls panic inside a borrow of that buffer; the message names both places.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImplicitInvocationContext;

impl ImplicitInvocationContext {
    /// Makes one.
    pub const fn new() -> Self {
        Self
    }
}

impl Context for ImplicitInvocationContext {
    #[inline]
    #[track_caller]
    fn with_token<R>(
        self,
        _: Internal,
        uses: Uses,
        call: impl FnOnce(&mut IpcBufferToken) -> R,
    ) -> R {
        check(match uses {
            Uses::Memory => Wanted::Exclusive,
            Uses::Registers => Wanted::Registers,
        });
        if cfg!(target_os = "none") {
            // SAFETY: 1. `check` (1).
            // 2. `check` (2, 3). No borrow begins before `call` ends: it runs no code of the
            //    user's (`Context`).
            BUFFER.with(|buffer| call(&mut unsafe { buffer.token() }))
        } else {
            // On a host the kernel is code like any other, and may borrow.
            lend(Location::caller(), call)
        }
    }
}

/// Lends the token, after `check` for an exclusive borrow or for a call in registers.
#[inline]
fn lend<R>(place: &'static Location<'static>, run: impl FnOnce(&mut IpcBufferToken) -> R) -> R {
    // SAFETY: `check` (1, 2); or (3), and `run` is a call.
    BUFFER.with(|buffer| run(&mut unsafe { buffer.lend(Held::Exclusive, place) }.token))
}

#[inline]
#[track_caller]
fn check_index(index: usize) {
    if index >= sel4_sys::MAX_MESSAGE_WORDS {
        no_such_register(index);
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn no_such_register(index: usize) -> ! {
    panic!(
        "there is no message register {index}: the last is {}",
        sel4_sys::MAX_MESSAGE_WORDS - 1
    )
}

/// What a borrow that is alive is for.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Held {
    Shared,
    Exclusive,
    /// For nothing more: who has it will not run again.
    Abandoned,
}

/// What the buffer is wanted for.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Wanted {
    Shared,
    Exclusive,
    Registers,
}

/// The thread's buffer, and who has borrowed it.
struct Implicit {
    /// Where the borrow that is alive began; [`UNSET`] before there is a buffer.
    held_at: Cell<Option<&'static Location<'static>>>,
    /// What it is for; says nothing while there is none.
    held_as: Cell<Held>,
    /// The buffer, of which a token is made for each borrow and each call.
    pointer: Cell<NonNull<IpcBuffer>>,
    /// How many borrows and calls are alive.
    #[cfg(not(target_os = "none"))]
    loans: Cell<usize>,
}

/// In `held_at`, says that there is no buffer. It is told by its address.
static UNSET: &Location<'static> = Location::caller();

impl Implicit {
    const fn new() -> Self {
        Self {
            held_at: Cell::new(Some(UNSET)),
            held_as: Cell::new(Held::Exclusive),
            pointer: Cell::new(NonNull::dangling()),
            #[cfg(not(target_os = "none"))]
            loans: Cell::new(0),
        }
    }

    fn is_unset(&self) -> bool {
        self.held_at
            .get()
            .is_some_and(|place| ptr::eq(place, UNSET))
    }

    /// Where the borrow began that is in the way.
    #[inline(always)]
    fn conflict(&self, wanted: Wanted) -> Option<&'static Location<'static>> {
        let held_at = self.held_at.get()?;
        match (wanted, self.held_as.get()) {
            (Wanted::Shared, Held::Shared) | (Wanted::Registers, Held::Abandoned) => None,
            _ => Some(held_at),
        }
    }

    fn set(&self, token: IpcBufferToken) {
        self.pointer.set(token.into_raw());
        self.held_at.set(None);
        #[cfg(not(target_os = "none"))]
        self.loans.set(0);
    }

    /// Lends a token until the result is dropped.
    ///
    /// # Safety
    ///
    /// As for [`token`](Self::token), for as long as the result is alive.
    #[inline(always)]
    unsafe fn lend(&self, held_as: Held, place: &'static Location<'static>) -> Loan<'_> {
        #[cfg(not(target_os = "none"))]
        self.loans.set(self.loans.get() + 1);
        Loan {
            // SAFETY: the caller's contract.
            token: unsafe { self.token() },
            buffer: self,
            held_at: self.held_at.replace(Some(place)),
            held_as: self.held_as.replace(held_as),
        }
    }

    /// # Safety
    ///
    /// 1. There is a buffer.
    /// 2. While another of its tokens is alive, neither is used to write or to make a call.
    #[inline(always)]
    unsafe fn token(&self) -> IpcBufferToken {
        // SAFETY: 1. The pointer was that of a token which `set` has dissolved, in this thread.
        // 2. The caller's contract. 3. As for that token.
        unsafe { IpcBufferToken::new(self.pointer.get()) }
    }
}

/// The implicit IPC buffer of a program that does not run now, and who has borrowed it: for a host
/// on which several programs run in one thread by turns.
#[cfg(not(target_os = "none"))]
pub struct SetAside(Implicit);

#[cfg(not(target_os = "none"))]
impl SetAside {
    /// That of a program which has not begun: it has none.
    pub const fn new() -> Self {
        Self(Implicit::new())
    }

    /// Exchanges it with this thread's.
    ///
    /// Borrows of a buffer go on when it is this thread's again.
    pub fn exchange(&mut self) {
        BUFFER.with(|buffer| {
            buffer.held_at.swap(&self.0.held_at);
            buffer.held_as.swap(&self.0.held_as);
            buffer.pointer.swap(&self.0.pointer);
            buffer.loans.swap(&self.0.loans);
        });
    }

    /// Gives the token back that [`set_ipc_buffer`] was given, unless it is borrowed.
    pub fn into_token(self) -> Option<IpcBufferToken> {
        // SAFETY: 1. `held_at` says that there is a buffer, and no borrow of it is alive. Its
        //    pointer was that of a token which `set` has dissolved.
        // 2 and 3. As for that token; `self` ends here.
        (self.0.held_at.get().is_none())
            .then(|| unsafe { IpcBufferToken::new(self.0.pointer.get()) })
    }
}

#[cfg(not(target_os = "none"))]
impl Default for SetAside {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(not(target_os = "none"))]
impl core::fmt::Debug for SetAside {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("SetAside").field(&self.0.pointer).finish()
    }
}

/// A token that is lent. Loans end in the reverse order of their beginning, so each restores what
/// it found; on a host, where coroutines may end theirs in any order, the last one does.
struct Loan<'a> {
    token: IpcBufferToken,
    buffer: &'a Implicit,
    held_at: Option<&'static Location<'static>>,
    held_as: Held,
}

impl Drop for Loan<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // A borrower that has kept the token, and left that of another buffer in its place, has
        // the buffer for ever.
        if !self.token.is_of(self.buffer.pointer.get()) {
            return;
        }
        #[cfg(not(target_os = "none"))]
        {
            let left = self.buffer.loans.get() - 1;
            self.buffer.loans.set(left);
            if left == 0 {
                self.buffer.held_at.set(None);
                return;
            }
            if self.held_at.is_none() {
                // The first one ends before another: that keeps the buffer borrowed.
                return;
            }
        }
        self.buffer.held_at.set(self.held_at);
        self.buffer.held_as.set(self.held_as);
    }
}

crate::static_of_the_thread! {
    static BUFFER: Implicit = Implicit::new();
}

/// Holds, when it returns, that
/// 1. there is a buffer;
/// 2. no borrow of it is alive, but, for a shared one, shared ones;
/// 3. or, for a call that uses registers only, one that was abandoned
///    ([`abandon_borrows`]: the kernel leaves the buffer as it is).
#[inline(always)]
#[track_caller]
fn check(wanted: Wanted) {
    if let Some(held_at) = BUFFER.with(|buffer| buffer.conflict(wanted)) {
        refuse(held_at);
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(held_at: &'static Location<'static>) -> ! {
    let wanted_at = Location::caller();
    if ptr::eq(held_at, UNSET) {
        panic!("the IPC buffer is wanted at {wanted_at}, but this thread has none yet")
    }
    panic!(
        "the IPC buffer is wanted at {wanted_at}, but it is still borrowed at {held_at}: end that \
         borrow first"
    )
}
