//! The implicit IPC buffer of the thread, and the check that the buffer is not borrowed during a
//! system call.
//!
//! [`Implicit`] records the address and the borrow of one buffer. [`find`] checks the record and
//! returns the address. [`Implicit::lend`] marks the record as borrowed until the [`Loan`] is
//! dropped.
//!
//! | platform | records |
//! | --- | --- |
//! | target | one, in a static |
//! | host | one current record for each thread; [`SetAside::exchange`] makes another one current |
//!
//! On a host, a borrow starts and ends in the same record, even if another record becomes current
//! in between.

use core::cell::Cell;
use core::panic::Location;
use core::ptr::{self, NonNull};
#[cfg(not(target_os = "none"))]
use std::{cell::RefCell, rc::Rc};

use crate::context::sealed::{Context, Internal, Uses};
use crate::{IpcBuffer, IpcBufferToken, Word};

/// Borrows this thread's IPC buffer for reading while `read` runs.
///
/// Borrows for reading may be nested. [`with_ipc_buffer_mut`] has an example.
///
/// # Panics
///
/// Panics inside [`with_ipc_buffer_mut`] or [`with_ipc_buffer_token`], or if [`set_ipc_buffer`] was
/// not called. A system call through the implicit buffer inside `read` panics too. The panic
/// message gives the locations of both uses of the buffer.
#[inline]
#[track_caller]
pub fn with_ipc_buffer<R>(read: impl FnOnce(&IpcBuffer) -> R) -> R {
    let free = find(Wanted::Shared);
    let place = Location::caller();
    BUFFER.with(|buffer| {
        // SAFETY: guarantees 1 and 2 of `find`: all other live tokens belong to borrows for
        // reading.
        let loan = unsafe { buffer.lend(free, BORROWED, place) };
        loan.token.with(read)
    })
}

/// Borrows this thread's IPC buffer for writing while `write` runs.
///
/// ```
/// # sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
/// sel4::with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[0] = 7);
/// assert_eq!(sel4::with_ipc_buffer(|buffer| buffer.msg_regs()[0]), 7);
/// ```
///
/// # Panics
///
/// Panics if the buffer is already borrowed, or if [`set_ipc_buffer`] was not called. A system call
/// through the implicit buffer inside `write` panics too. The panic message gives the locations of
/// both uses of the buffer.
#[inline]
#[track_caller]
pub fn with_ipc_buffer_mut<R>(write: impl FnOnce(&mut IpcBuffer) -> R) -> R {
    with_ipc_buffer_token(|token| token.with_mut(write))
}

/// Borrows this thread's [`IpcBufferToken`] while `run` runs.
///
/// Calls in `run` pass the token to [`Cap::with`](crate::Cap::with). The compiler rejects a call
/// with the token inside a view of the buffer.
///
/// # Panics
///
/// Panics if the buffer is already borrowed, or if [`set_ipc_buffer`] was not called.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # use sel4::sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|_: &mut Registers, _: Option<HostBuffer<'_>>| ())));
/// # sel4::set_ipc_buffer(host::new_ipc_buffer());
/// fn both(first: sel4::cap::Endpoint, second: sel4::cap::Endpoint) {
///     sel4::with_ipc_buffer_token(|token| {
///         first.with(&mut *token).call(sel4::MessageInfo::new(0, 0, 0, 0));
///         second.with(token).call(sel4::MessageInfo::new(0, 0, 0, 0));
///     });
/// }
/// # // SAFETY: the kernel above has no objects.
/// # let endpoint = unsafe { sel4::cap::Endpoint::from_bits(74) };
/// # both(endpoint, endpoint);
/// ```
#[inline]
#[track_caller]
pub fn with_ipc_buffer_token<R>(run: impl FnOnce(&mut IpcBufferToken) -> R) -> R {
    lend(find(Wanted::Exclusive), Location::caller(), run)
}

/// Reads a message register of this thread's IPC buffer.
///
/// # Panics
///
/// Panics if `index` is above 119, if the buffer is borrowed for writing, or if [`set_ipc_buffer`]
/// was not called.
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
/// Panics if `index` is above 119, if the buffer is borrowed, or if [`set_ipc_buffer`] was not
/// called.
///
/// # Examples
///
/// ```
/// # sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
/// sel4::set_msg_reg(4, 9);
/// assert_eq!(sel4::msg_reg(4), 9);
/// ```
#[inline]
#[track_caller]
pub fn set_msg_reg(index: usize, value: Word) {
    check_index(index);
    with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[index] = value);
}

/// Sets this thread's implicit IPC buffer.
///
/// The runtime calls this function when a protection domain starts. A host test calls this function
/// itself.
///
/// # Panics
///
/// Panics if the previously set buffer is borrowed.
#[track_caller]
pub fn set_ipc_buffer(token: IpcBufferToken) {
    if BUFFER.with(|buffer| !buffer.is_unset()) {
        find(Wanted::Exclusive);
    }
    BUFFER.with(|buffer| buffer.set(token));
}

/// Sets the implicit IPC buffer of a thread that starts or restarts.
///
/// # Safety
///
/// Code that has already borrowed the buffer must not run again.
pub unsafe fn start_with_ipc_buffer(token: IpcBufferToken) {
    // Create a new record, because a borrow leaked by an earlier incarnation keeps the old record.
    #[cfg(not(target_os = "none"))]
    CURRENT.set(Rc::default());
    BUFFER.with(|buffer| buffer.set(token));
}

/// Allows register-only system calls although the IPC buffer is borrowed.
///
/// A panic handler calls this function before it reports a panic that happened inside a borrow.
///
/// # Safety
///
/// Code inside the borrow must not run again, and nothing may read the borrowed view. While the
/// view is alive, the kernel may still write to the buffer, if a reply has more than four words.
pub unsafe fn abandon_borrows() {
    BUFFER.with(|buffer| {
        let state = buffer.state.get();
        if is_borrowed(state) && !buffer.is_unset() {
            buffer.state.set(state.map_addr(|bits| bits | ABANDONED));
        }
    });
}

/// Returns whether the implicit IPC buffer is borrowed.
///
/// ```
/// # sel4::set_ipc_buffer(sel4::sys::host::new_ipc_buffer());
/// assert!(!sel4::is_ipc_buffer_borrowed());
/// sel4::with_ipc_buffer(|_| assert!(sel4::is_ipc_buffer_borrowed()));
/// ```
pub fn is_ipc_buffer_borrowed() -> bool {
    BUFFER.with(|buffer| is_borrowed(buffer.state.get()) && !buffer.is_unset())
}

/// The context of calls without an explicit buffer. These calls use the buffer that
/// [`set_ipc_buffer`] has set.
///
/// A call panics if that buffer is borrowed. The panic message gives the locations of the call and
/// of the borrow.
#[derive(Debug, Copy, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImplicitInvocationContext;

impl ImplicitInvocationContext {
    /// Creates the context.
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
            // SAFETY: 1. Guarantee 1 of `find`: `free` is this thread's buffer.
            // 2. Guarantees 2 and 3 of `find`. No borrow begins before `call` ends, because `call`
            //    does not run user code (`Context`).
            // 3. `set` consumed a token for which condition 3 held.
            call(&mut unsafe { IpcBufferToken::new(free) })
        } else {
            // On a host, the kernel is ordinary code that may borrow the buffer, so record this
            // borrow.
            lend(free, Location::caller(), call)
        }
    }
}

/// Runs `run` with the token. The caller must first check the use with [`find`], as an exclusive
/// borrow or as a register-only call.
#[inline]
fn lend<R>(
    free: NonNull<IpcBuffer>,
    place: &'static Location<'static>,
    run: impl FnOnce(&mut IpcBufferToken) -> R,
) -> R {
    // SAFETY: guarantees 1 to 3 of `find`; guarantee 3 applies only if `run` is a register-only
    // call.
    BUFFER.with(|buffer| run(&mut unsafe { buffer.lend(free, BORROWED | EXCLUSIVE, place) }.token))
}

/// Returns the buffer, or panics if the wanted use is forbidden. Guarantees for the result:
/// 1. The result is this thread's buffer.
/// 2. The buffer is not borrowed, or only shared borrows are alive and a shared borrow is wanted.
/// 3. Exception to 2: for a register-only call, an abandoned borrow may be alive. The contract of
///    [`abandon_borrows`] covers the writes of the kernel.
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

/// The intended use of the buffer.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Wanted {
    Shared,
    Exclusive,
    Registers,
}

/// Records the thread's buffer, and whether and where this buffer is borrowed.
struct Implicit {
    /// If the buffer is free, this field is the address of the buffer. If the buffer is borrowed,
    /// this field is the address of the [`Location`] of the borrow, tagged with [`BORROWED`],
    /// [`EXCLUSIVE`] and [`ABANDONED`]. Alignment makes these bits 0 in both addresses. With a
    /// separate flag, a call would need a second load. The tags reduce the check to one load and
    /// one test.
    state: Cell<*const ()>,
    /// The address of the buffer. Dangling while `state` is [`unset`].
    pointer: Cell<NonNull<IpcBuffer>>,
    /// The number of live borrows and calls.
    #[cfg(not(target_os = "none"))]
    loans: Cell<usize>,
}

#[cfg(target_os = "none")]
crate::static_of_the_thread! {
    static BUFFER: Implicit = Implicit::new();
}

/// Accesses the thread's current record. The static on the target has the same interface.
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
    /// Runs `run` with the current record. `run` keeps that record even if `run` makes another
    /// record current.
    fn with<R>(&self, run: impl FnOnce(&Implicit) -> R) -> R {
        let current = CURRENT.with_borrow(Rc::clone);
        run(&current)
    }
}

/// Tag: the buffer is borrowed.
const BORROWED: usize = 1;

/// Tag: the borrow is exclusive.
const EXCLUSIVE: usize = 2;

/// Tag: the borrow is abandoned. The holder of the borrow does not run again.
const ABANDONED: usize = 4;

const BITS: usize = BORROWED | EXCLUSIVE | ABANDONED;

const _: () = assert!(align_of::<IpcBuffer>() > BITS && align_of::<Location<'_>>() > BITS);

/// Marks a record without a buffer. The state of such a record is this address, with tags.
static UNSET: &Location<'static> = Location::caller();

/// Returns the state for a free buffer.
#[inline(always)]
fn free(buffer: NonNull<IpcBuffer>) -> *const () {
    buffer.as_ptr().cast_const().cast()
}

#[inline(always)]
fn is_borrowed(state: *const ()) -> bool {
    state.addr() & BORROWED != 0
}

/// Returns the state for a record without a buffer.
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

    /// Returns the buffer, or the state that forbids this use.
    #[inline(always)]
    fn find(&self, wanted: Wanted) -> Result<NonNull<IpcBuffer>, *const ()> {
        let state = self.state.get();
        if !is_borrowed(state) {
            // SAFETY: a free state is the buffer address that `set` stored. A buffer address is not
            // null.
            return Ok(unsafe { NonNull::new_unchecked(state.cast::<IpcBuffer>().cast_mut()) });
        }
        let borrow = state.addr() & BITS;
        match wanted {
            Wanted::Shared if borrow == BORROWED => Ok(self.pointer.get()),
            Wanted::Registers if borrow & ABANDONED != 0 => Ok(self.pointer.get()),
            _ => Err(state),
        }
    }

    /// Lends a token until the result is dropped, and tags the state with `bits`.
    ///
    /// # Safety
    ///
    /// 1. `free` is this thread's buffer, as returned by `find`.
    /// 2. While another token of this buffer is alive, neither token is used to write or to make a
    ///    call.
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
            // SAFETY: 1. The pointer comes from a token that `set` consumed in this thread.
            // 2. The caller's contract. 3. Condition 3 held for that token.
            token: unsafe { IpcBufferToken::new(free) },
            lent: free,
            buffer: self,
            before: self.state.replace(held),
        }
    }
}

/// The implicit IPC buffer of a program that is not running, and the borrow of that buffer.
///
/// A host uses this record to run several programs in turn in one thread. At each switch, the host
/// exchanges the record of the stopping program with the record of the next program.
///
/// ```
/// use sel4::sys::host;
///
/// let mut other = sel4::SetAside::new();
/// sel4::set_ipc_buffer(host::new_ipc_buffer());
/// sel4::set_msg_reg(0, 1);
///
/// other.exchange(); // The other program has no buffer yet.
/// sel4::set_ipc_buffer(host::new_ipc_buffer());
/// assert_eq!(sel4::msg_reg(0), 0);
///
/// other.exchange();
/// assert_eq!(sel4::msg_reg(0), 1);
/// ```
#[cfg(not(target_os = "none"))]
pub struct SetAside(Rc<Implicit>);

#[cfg(not(target_os = "none"))]
impl SetAside {
    /// Creates the record of a program that has not started. The record has no buffer.
    pub fn new() -> Self {
        Self(Rc::default())
    }

    /// Exchanges this record with the thread's current record.
    ///
    /// A live borrow ends in the record in which the borrow started.
    pub fn exchange(&mut self) {
        CURRENT.with_borrow_mut(|current| core::mem::swap(current, &mut self.0));
    }

    /// Returns the token that [`set_ipc_buffer`] took, or `None` if the buffer is borrowed or not
    /// set.
    pub fn into_token(self) -> Option<IpcBufferToken> {
        let buffer = self.0.find(Wanted::Exclusive).ok()?;
        self.0.state.set(unset());
        // SAFETY: 1. Guarantee 1 of `find`: the pointer comes from a token that `set` consumed.
        // 2. Guarantee 2 of `find`: the buffer is not borrowed, and this record no longer has the
        //    buffer.
        // 3. `set` consumed a token for which condition 3 held.
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

/// A lent token.
///
/// Loans end in the reverse order of their start, so each loan restores the earlier state. On a
/// host, coroutines may end their loans in any order, so the last loan frees the buffer.
struct Loan<'a> {
    token: IpcBufferToken,
    lent: NonNull<IpcBuffer>,
    buffer: &'a Implicit,
    before: *const (),
}

impl Drop for Loan<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // If the borrower has replaced the token with the token of another buffer, the record stays
        // borrowed.
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
                // The first loan has ended, but another loan still borrows the buffer.
                return;
            }
        }
        self.buffer.state.set(self.before);
    }
}

/// Panics because the buffer is borrowed or not set. `state` selects the message.
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
    // SAFETY: a borrowed state without its tags is the address of a `&'static Location`.
    let held_at = unsafe { &*place };
    panic!(
        "the IPC buffer is wanted at {wanted_at}, but it is still borrowed at {held_at}: end that \
         borrow first"
    )
}
