//! The implicit IPC buffer: one for the thread, and a check that no borrow of it is alive when a
//! system call is made.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::panic::Location;

use crate::context::sealed::{Context, Internal};
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
    check(Kind::Shared);
    let place = Location::caller();
    BUFFER.with(|buffer| {
        let _borrow = buffer.borrow(Kind::Shared, place);
        // SAFETY: `check` (1): the token is there, and no `&mut` to it is alive.
        unsafe { buffer.token() }.with(read)
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
    check(Kind::Exclusive);
    let place = Location::caller();
    BUFFER.with(|buffer| {
        let _borrow = buffer.borrow(Kind::Exclusive, place);
        // SAFETY: 1. `check` (1): the token is there, and no borrow of it is alive.
        // 2. None begins before `_borrow` is dropped.
        run(unsafe { buffer.token_mut() })
    })
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
        check(Kind::Exclusive);
    }
    BUFFER.with(|buffer| {
        // SAFETY: nobody holds a reference to an old token: `check` (1), or there was none.
        unsafe { *buffer.token.get() = MaybeUninit::new(token) };
        buffer.held_at.set(None);
    });
}

/// Forgets the borrows of this thread's buffer, so that calls work again.
///
/// # Safety
///
/// No code that runs inside such a borrow will run again: the thread is about to stop, and its
/// panic handler, which never returns, wants to print.
pub unsafe fn abandon_borrows() {
    BUFFER.with(|buffer| {
        if !buffer.is_unset() {
            buffer.held_at.set(None);
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
    fn with_token<R>(self, _: Internal, call: impl FnOnce(&mut IpcBufferToken) -> R) -> R {
        if cfg!(target_os = "none") {
            check(Kind::Exclusive);
            // SAFETY: 1. `check` (1): the token is there, and no borrow of it is alive.
            // 2. None begins before `call` ends: it runs no code of the user's (`Context`).
            BUFFER.with(|buffer| call(unsafe { buffer.token_mut() }))
        } else {
            // On a host the kernel is code like any other, and may borrow.
            with_ipc_buffer_token(call)
        }
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

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Kind {
    Shared,
    Exclusive,
}

/// The thread's token, and who has borrowed it.
struct Implicit {
    /// Where the borrow that is alive began; [`UNSET`] before there is a token.
    held_at: Cell<Option<&'static Location<'static>>>,
    /// Of which kind it is; says nothing while there is none.
    held_as: Cell<Kind>,
    token: UnsafeCell<MaybeUninit<IpcBufferToken>>,
}

/// In `held_at`, says that there is no token. It is told by its address.
static UNSET: &Location<'static> = Location::caller();

impl Implicit {
    const fn new() -> Self {
        Self {
            held_at: Cell::new(Some(UNSET)),
            held_as: Cell::new(Kind::Exclusive),
            token: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    fn is_unset(&self) -> bool {
        self.held_at
            .get()
            .is_some_and(|place| core::ptr::eq(place, UNSET))
    }

    /// Where the borrow began that excludes one of this kind.
    #[inline(always)]
    fn conflict(&self, kind: Kind) -> Option<&'static Location<'static>> {
        let held_at = self.held_at.get()?;
        (kind == Kind::Exclusive || self.held_as.get() == Kind::Exclusive).then_some(held_at)
    }

    /// Begins a borrow that ends when the result is dropped.
    #[inline(always)]
    fn borrow(&self, kind: Kind, place: &'static Location<'static>) -> Borrow<'_> {
        Borrow {
            buffer: self,
            held_at: self.held_at.replace(Some(place)),
            held_as: self.held_as.replace(kind),
        }
    }

    /// # Safety
    ///
    /// The token is there, and no `&mut` to it is alive while the result is.
    #[inline(always)]
    unsafe fn token(&self) -> &IpcBufferToken {
        // SAFETY: the caller's contract.
        unsafe { (*self.token.get()).assume_init_ref() }
    }

    /// # Safety
    ///
    /// The token is there, and no other reference to it is alive while the result is.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // What `UnsafeCell` is for; the contract excludes a second.
    unsafe fn token_mut(&self) -> &mut IpcBufferToken {
        // SAFETY: the caller's contract.
        unsafe { (*self.token.get()).assume_init_mut() }
    }
}

/// A borrow; borrows end in the reverse order of their beginning, so each restores what it found.
struct Borrow<'a> {
    buffer: &'a Implicit,
    held_at: Option<&'static Location<'static>>,
    held_as: Kind,
}

impl Drop for Borrow<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.buffer.held_at.set(self.held_at);
        self.buffer.held_as.set(self.held_as);
    }
}

crate::static_of_the_thread! {
    static BUFFER: Implicit = Implicit::new();
}

/// Holds, when it returns, that
/// 1. the token is there, and no borrow is alive that excludes one of this kind.
#[inline(always)]
#[track_caller]
fn check(kind: Kind) {
    if let Some(held_at) = BUFFER.with(|buffer| buffer.conflict(kind)) {
        refuse(held_at);
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(held_at: &'static Location<'static>) -> ! {
    let wanted_at = Location::caller();
    if core::ptr::eq(held_at, UNSET) {
        panic!("the IPC buffer is wanted at {wanted_at}, but this thread has none yet")
    }
    panic!(
        "the IPC buffer is wanted at {wanted_at}, but it is still borrowed at {held_at}: end that \
         borrow first"
    )
}
