//! The implicit IPC buffer: one for the thread, and a check that no borrow of it is alive when a
//! system call is made.
//!
//! [`Implicit`] is the record of one buffer: its address, and who has borrowed it. On the target
//! there is one record, a static. On a host each thread has a current record, and
//! [`SetAside::exchange`] makes another one current. So a borrow there holds the record that it
//! began with, and ends in that one, whichever is current by then.

use core::cell::Cell;
use core::panic::Location;
use core::ptr::{self, NonNull};
#[cfg(not(target_os = "none"))]
use std::{cell::RefCell, rc::Rc};

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
    let free = find(Wanted::Shared);
    let place = Location::caller();
    BUFFER.with(|buffer| {
        // SAFETY: `find` (1, 2): other tokens that are alive are those of borrows to read.
        let loan = unsafe { buffer.lend(free, BORROWED, place) };
        loan.token.with(read)
    })
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
    lend(find(Wanted::Exclusive), Location::caller(), run)
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
        find(Wanted::Exclusive);
    }
    BUFFER.with(|buffer| buffer.set(token));
}

/// Gives a thread that begins, or begins anew, its implicit IPC buffer.
///
/// # Safety
///
/// Nothing that has borrowed the buffer before will run again.
pub unsafe fn start_with_ipc_buffer(token: IpcBufferToken) {
    // A borrow that is leaked there keeps the record that it has.
    #[cfg(not(target_os = "none"))]
    CURRENT.set(Rc::default());
    BUFFER.with(|buffer| buffer.set(token));
}

/// Lets calls be made inside a borrow that is alive, as long as they use only registers: for the
/// last words of a thread that has panicked in it.
///
/// # Safety
///
/// No code inside the borrow runs again, and nothing reads what it has borrowed: the thread is
/// about to stop. The kernel writes to the buffer when a reply has more than four words, while the
/// view is still alive.
pub unsafe fn abandon_borrows() {
    BUFFER.with(|buffer| {
        let state = buffer.state.get();
        if is_borrowed(state) && !buffer.is_unset() {
            buffer.state.set(state.map_addr(|bits| bits | ABANDONED));
        }
    });
}

/// Whether a borrow of the implicit IPC buffer is alive.
pub fn is_ipc_buffer_borrowed() -> bool {
    BUFFER.with(|buffer| is_borrowed(buffer.state.get()) && !buffer.is_unset())
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
        let wanted = match uses {
            Uses::Memory => Wanted::Exclusive,
            Uses::Registers => Wanted::Registers,
        };
        let free = find(wanted);
        if cfg!(target_os = "none") {
            // SAFETY: 1. `find` (1): it is the thread's. 3. As for the token that `set` has
            //    dissolved.
            // 2. `find` (2, 3). No borrow begins before `call` ends: it runs no code of the
            //    user's (`Context`).
            call(&mut unsafe { IpcBufferToken::new(free) })
        } else {
            // On a host the kernel is code like any other, and may borrow.
            lend(free, Location::caller(), call)
        }
    }
}

/// Lends the token, after [`find`] for an exclusive borrow or for a call in registers.
#[inline]
fn lend<R>(
    free: NonNull<IpcBuffer>,
    place: &'static Location<'static>,
    run: impl FnOnce(&mut IpcBufferToken) -> R,
) -> R {
    // SAFETY: `find` (1, 2); or (3), and `run` is a call.
    BUFFER.with(|buffer| run(&mut unsafe { buffer.lend(free, BORROWED | EXCLUSIVE, place) }.token))
}

/// Finds the buffer. Holds, when it returns, that
/// 1. there is a buffer, and this is it;
/// 2. no borrow of it is alive, but, for a shared one, shared ones;
/// 3. or, for a call that uses registers only, one that was abandoned
///    ([`abandon_borrows`]: the kernel leaves the buffer as it is).
#[inline(always)]
#[track_caller]
fn find(wanted: Wanted) -> NonNull<IpcBuffer> {
    match BUFFER.with(|buffer| buffer.find(wanted)) {
        Ok(free) => free,
        Err(state) => refuse(state),
    }
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

/// What the buffer is wanted for.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Wanted {
    Shared,
    Exclusive,
    Registers,
}

/// The thread's buffer, and who has borrowed it.
struct Implicit {
    /// While nobody has borrowed the buffer, its address. Otherwise the address of the
    /// [`Location`] where the borrow that is alive began, with [`BORROWED`] and what else is said of
    /// it in bits that are 0 in both addresses. So a call needs one load to find the buffer, and one
    /// instruction to see that it is free.
    state: Cell<*const ()>,
    /// The buffer; nothing yet while `state` says [`UNSET`].
    pointer: Cell<NonNull<IpcBuffer>>,
    /// How many borrows and calls are alive.
    #[cfg(not(target_os = "none"))]
    loans: Cell<usize>,
}

#[cfg(target_os = "none")]
crate::static_of_the_thread! {
    static BUFFER: Implicit = Implicit::new();
}

/// The record of the program that runs, as on the target.
#[cfg(not(target_os = "none"))]
static BUFFER: Current = Current;

#[cfg(not(target_os = "none"))]
struct Current;

#[cfg(not(target_os = "none"))]
std::thread_local! {
    static CURRENT: RefCell<Rc<Implicit>> = RefCell::default();
}

#[cfg(not(target_os = "none"))]
impl Current {
    /// Lends the current record. It stays the one that is lent when `run` makes another current.
    fn with<R>(&self, run: impl FnOnce(&Implicit) -> R) -> R {
        let current = CURRENT.with_borrow(Rc::clone);
        run(&current)
    }
}

/// Somebody has borrowed the buffer.
const BORROWED: usize = 1;

/// To be written.
const EXCLUSIVE: usize = 2;

/// For nothing more: who has it will not run again.
const ABANDONED: usize = 4;

const BITS: usize = BORROWED | EXCLUSIVE | ABANDONED;

const _: () = assert!(align_of::<IpcBuffer>() > BITS && align_of::<Location<'_>>() > BITS);

/// As the place of a borrow, says that there is no buffer. It is told by its address.
static UNSET: &Location<'static> = Location::caller();

/// The state of a buffer that nobody has borrowed.
#[inline(always)]
fn free(buffer: NonNull<IpcBuffer>) -> *const () {
    buffer.as_ptr().cast_const().cast()
}

#[inline(always)]
fn is_borrowed(state: *const ()) -> bool {
    state.addr() & BORROWED != 0
}

/// The state of a record that has no buffer.
const fn unset() -> *const () {
    ptr::from_ref(UNSET)
        .cast::<()>()
        .wrapping_byte_add(BORROWED | EXCLUSIVE)
}

#[cfg(not(target_os = "none"))]
impl Default for Implicit {
    fn default() -> Self {
        Self::new()
    }
}

impl Implicit {
    const fn new() -> Self {
        Self {
            state: Cell::new(unset()),
            pointer: Cell::new(NonNull::dangling()),
            #[cfg(not(target_os = "none"))]
            loans: Cell::new(0),
        }
    }

    fn is_unset(&self) -> bool {
        self.state.get().addr() == unset().addr()
    }

    fn set(&self, token: IpcBufferToken) {
        let buffer = token.into_raw();
        self.pointer.set(buffer);
        self.state.set(free(buffer));
        #[cfg(not(target_os = "none"))]
        self.loans.set(0);
    }

    /// The buffer, or the state that is in the way.
    #[inline(always)]
    fn find(&self, wanted: Wanted) -> Result<NonNull<IpcBuffer>, *const ()> {
        let state = self.state.get();
        if !is_borrowed(state) {
            // SAFETY: the address of a buffer, which is not null: `set` has left it there.
            return Ok(unsafe { NonNull::new_unchecked(state.cast::<IpcBuffer>().cast_mut()) });
        }
        let borrow = state.addr() & BITS;
        match wanted {
            Wanted::Shared if borrow == BORROWED => Ok(self.pointer.get()),
            Wanted::Registers if borrow & ABANDONED != 0 => Ok(self.pointer.get()),
            _ => Err(state),
        }
    }

    /// Lends a token until the result is dropped, and says so with `bits`.
    ///
    /// # Safety
    ///
    /// 1. `free` is this thread's buffer, which `find` has found.
    /// 2. While another of its tokens is alive, neither is used to write or to make a call.
    #[inline(always)]
    unsafe fn lend(
        &self,
        free: NonNull<IpcBuffer>,
        bits: usize,
        place: &'static Location<'static>,
    ) -> Loan<'_> {
        #[cfg(not(target_os = "none"))]
        self.loans.set(self.loans.get() + 1);
        let held = ptr::from_ref(place).cast::<()>().wrapping_byte_add(bits);
        Loan {
            // SAFETY: 1. The pointer was that of a token which `set` has dissolved, in this thread.
            // 2. The caller's contract. 3. As for that token.
            token: unsafe { IpcBufferToken::new(free) },
            lent: free,
            buffer: self,
            before: self.state.replace(held),
        }
    }
}

/// The implicit IPC buffer of a program that does not run now, and who has borrowed it: for a host
/// on which several programs run in one thread by turns.
#[cfg(not(target_os = "none"))]
pub struct SetAside(Rc<Implicit>);

#[cfg(not(target_os = "none"))]
impl SetAside {
    /// That of a program which has not begun: it has none.
    pub fn new() -> Self {
        Self(Rc::default())
    }

    /// Exchanges it with this thread's.
    ///
    /// A borrow stays one of the buffer that it was made of, and ends there.
    pub fn exchange(&mut self) {
        CURRENT.with_borrow_mut(|current| core::mem::swap(current, &mut self.0));
    }

    /// Gives the token back that [`set_ipc_buffer`] was given, unless it is borrowed.
    pub fn into_token(self) -> Option<IpcBufferToken> {
        let buffer = self.0.find(Wanted::Exclusive).ok()?;
        self.0.state.set(unset());
        // SAFETY: 1. `find` (1): its pointer was that of a token which `set` has dissolved.
        // 2. `find` (2): no borrow of it is alive, and this record has it no more.
        // 3. As for the token that was dissolved.
        Some(unsafe { IpcBufferToken::new(buffer) })
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
    lent: NonNull<IpcBuffer>,
    buffer: &'a Implicit,
    before: *const (),
}

impl Drop for Loan<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // A borrower that has kept the token, and left the token of another buffer in its place,
        // keeps the buffer: its record stays borrowed.
        if !self.token.is_of(self.lent) {
            return;
        }
        #[cfg(not(target_os = "none"))]
        {
            let left = self.buffer.loans.get() - 1;
            self.buffer.loans.set(left);
            if left == 0 {
                self.buffer.state.set(free(self.lent));
                return;
            }
            if !is_borrowed(self.before) {
                // The first one ends before another: that keeps the buffer borrowed.
                return;
            }
        }
        self.buffer.state.set(self.before);
    }
}

/// Panics: the buffer is borrowed, as `state` says.
#[cold]
#[inline(never)]
#[track_caller]
fn refuse(state: *const ()) -> ! {
    let wanted_at = Location::caller();
    let place = state
        .map_addr(|bits| bits & !BITS)
        .cast::<Location<'static>>();
    if ptr::eq(place, UNSET) {
        panic!("the IPC buffer is wanted at {wanted_at}, but this thread has none yet")
    }
    // SAFETY: a state that is borrowed is the address of a `&'static Location`, but for its bits.
    let held_at = unsafe { &*place };
    panic!(
        "the IPC buffer is wanted at {wanted_at}, but it is still borrowed at {held_at}: end that \
         borrow first"
    )
}
