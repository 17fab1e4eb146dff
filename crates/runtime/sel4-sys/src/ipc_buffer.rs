//! The IPC buffer: its layout, and the token that stands for it.

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::{fmt, slice};

use crate::{CPtr, Word};

/// Words of the longest message (`seL4_MsgMaxLength`).
pub const MAX_MESSAGE_WORDS: usize = 120;

/// Capabilities that one message can carry (`seL4_MsgMaxExtraCaps`).
pub const MAX_EXTRA_CAPS: usize = 3;

/// The right to use this thread's IPC buffer, which thread and kernel share.
///
/// It is a pointer, not a reference, and nothing can be read through it but inside the closure
/// of [`with`](Self::with) or [`with_mut`](Self::with_mut). System calls take the token by
/// `&mut`, so no view can be alive when the kernel writes: marshalling, the call, and
/// unmarshalling are three scopes.
///
/// There is one for each thread. It is neither `Copy` nor `Clone`:
///
/// ```compile_fail,E0277
/// fn copied<T: Copy>() {}
/// copied::<sel4_sys::IpcBufferToken>();
/// ```
///
/// ```compile_fail,E0277
/// fn cloned<T: Clone>() {}
/// cloned::<sel4_sys::IpcBufferToken>();
/// ```
///
/// and neither `Send` nor `Sync`:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<sel4_sys::IpcBufferToken>();
/// ```
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<sel4_sys::IpcBufferToken>();
/// ```
#[repr(transparent)]
pub struct IpcBufferToken {
    buffer: NonNull<IpcBuffer>,
    _thread: PhantomData<*mut IpcBuffer>,
}

impl IpcBufferToken {
    /// Makes the token of a thread.
    ///
    /// # Safety
    ///
    /// 1. `buffer` points to the IPC buffer of the thread that calls this (the frame that its TCB
    ///    names, seL4 manual, *IPC Buffer*), readable and writable as long as the thread lives.
    /// 2. While another token for this buffer is alive, neither of them is used to write or to
    ///    make a call.
    /// 3. Nothing else in the program refers to that memory.
    #[inline]
    pub const unsafe fn new(buffer: NonNull<IpcBuffer>) -> Self {
        Self {
            buffer,
            _thread: PhantomData,
        }
    }

    /// Gives up the token. From the pointer, [`new`](Self::new) can make one again.
    #[inline]
    pub const fn into_raw(self) -> NonNull<IpcBuffer> {
        self.buffer
    }

    /// Whether it is a token of that buffer.
    #[inline]
    pub fn is_of(&self, buffer: NonNull<IpcBuffer>) -> bool {
        self.buffer == buffer
    }

    /// Lends the buffer to be read, for as long as `read` runs.
    #[inline]
    pub fn with<R>(&self, read: impl FnOnce(&IpcBuffer) -> R) -> R {
        // SAFETY: 1. `new` (1): the pointer is aligned, and readable while the thread lives.
        // 2. No `&mut` view is alive: `with_mut` and every system call hold the token by `&mut`,
        //    which this `&self` excludes; `new` (2, 3) excludes others.
        // 3. Neither is the kernel writing: it does so only in this thread's system calls (seL4
        //    manual, *IPC Buffer*), which take the token by `&mut`.
        // 4. Every bit pattern is an `IpcBuffer`: it is made of integers.
        read(unsafe { self.buffer.as_ref() })
    }

    /// Lends the buffer to be written, for as long as `write` runs.
    #[inline]
    pub fn with_mut<R>(&mut self, write: impl FnOnce(&mut IpcBuffer) -> R) -> R {
        // SAFETY: 1 to 4 of `with`, and `&mut self` excludes every other view.
        write(unsafe { self.buffer.as_mut() })
    }

    /// The pointer, for the operand of a system call.
    #[inline]
    pub(crate) fn pointer(&mut self) -> NonNull<IpcBuffer> {
        self.buffer
    }
}

impl fmt::Debug for IpcBufferToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IpcBufferToken").field(&self.buffer).finish()
    }
}

/// `seL4_IPCBuffer`, as a view that an [`IpcBufferToken`] lends (`shared_types.h`).
#[repr(C, align(1024))]
pub struct IpcBuffer {
    tag: Word,
    msg: [Word; MAX_MESSAGE_WORDS],
    user_data: Word,
    caps_or_badges: [Word; MAX_EXTRA_CAPS],
    receive_cnode: CPtr,
    receive_index: CPtr,
    receive_depth: Word,
}

const _: () = assert!(size_of::<IpcBuffer>() == 1024);

impl IpcBuffer {
    /// An empty buffer.
    pub const fn new() -> Self {
        Self {
            tag: 0,
            msg: [0; MAX_MESSAGE_WORDS],
            user_data: 0,
            caps_or_badges: [0; MAX_EXTRA_CAPS],
            receive_cnode: 0,
            receive_index: 0,
            receive_depth: 0,
        }
    }

    /// The message registers.
    #[inline]
    pub const fn msg_regs(&self) -> &[Word] {
        &self.msg
    }

    /// The message registers, to be written.
    #[inline]
    pub const fn msg_regs_mut(&mut self) -> &mut [Word] {
        &mut self.msg
    }

    /// The message registers as bytes, in the machine's order.
    #[inline]
    pub const fn msg_bytes(&self) -> &[u8] {
        // SAFETY: 1. The bytes are those of `self.msg`, borrowed as long as `self` is.
        // 2. `u8` has no alignment, and every byte of an integer is initialised.
        unsafe { slice::from_raw_parts(self.msg.as_ptr().cast(), size_of_val(&self.msg)) }
    }

    /// The message registers as bytes, in the machine's order, to be written.
    #[inline]
    pub const fn msg_bytes_mut(&mut self) -> &mut [u8] {
        let bytes = size_of_val(&self.msg);
        // SAFETY: 1 and 2 of `msg_bytes`, and `self` is borrowed mutably.
        // 3. Every byte makes a valid integer.
        unsafe { slice::from_raw_parts_mut(self.msg.as_mut_ptr().cast(), bytes) }
    }

    /// The word that the kernel leaves to the thread.
    #[inline]
    pub const fn user_data(&self) -> Word {
        self.user_data
    }

    /// Sets the word that the kernel leaves to the thread.
    #[inline]
    pub const fn set_user_data(&mut self, data: Word) {
        self.user_data = data;
    }

    /// The capabilities to send, or the badges of those that were unwrapped.
    #[inline]
    pub const fn caps_or_badges(&self) -> &[Word] {
        &self.caps_or_badges
    }

    /// The capabilities to send, to be written.
    #[inline]
    pub const fn caps_or_badges_mut(&mut self) -> &mut [Word] {
        &mut self.caps_or_badges
    }

    /// Where a received capability goes: CNode, index and depth.
    #[inline]
    pub const fn receive_path(&self) -> (CPtr, CPtr, Word) {
        (self.receive_cnode, self.receive_index, self.receive_depth)
    }

    /// Sets where a received capability goes: CNode, index and depth.
    ///
    /// # Safety
    ///
    /// A capability that is received there keeps the promises of every capability pointer of this
    /// program that leads to the slot. A typed pointer says what the slot holds.
    #[inline]
    pub const unsafe fn set_receive_path(&mut self, cnode: CPtr, index: CPtr, depth: Word) {
        self.receive_cnode = cnode;
        self.receive_index = index;
        self.receive_depth = depth;
    }
}

impl Default for IpcBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for IpcBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpcBuffer")
            .field("msg", &self.msg)
            .field("user_data", &self.user_data)
            .field("caps_or_badges", &self.caps_or_badges)
            .field("receive_path", &self.receive_path())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use super::*;

    #[test]
    fn fields_lie_where_the_kernel_looks() {
        // In words, by `seL4_IPCBuffer` in `shared_types.h`.
        let check = |offset, word| assert_eq!(offset, word * size_of::<Word>());
        check(offset_of!(IpcBuffer, tag), 0);
        check(offset_of!(IpcBuffer, msg), 1);
        check(offset_of!(IpcBuffer, user_data), 121);
        check(offset_of!(IpcBuffer, caps_or_badges), 122);
        check(offset_of!(IpcBuffer, receive_cnode), 125);
        check(offset_of!(IpcBuffer, receive_index), 126);
        check(offset_of!(IpcBuffer, receive_depth), 127);
    }

    #[test]
    fn bytes_and_words_are_the_same_memory() {
        let mut buffer = IpcBuffer::new();
        buffer.msg_bytes_mut()[8] = 7;
        assert_eq!(
            buffer.msg_regs()[1],
            Word::from_le_bytes([7, 0, 0, 0, 0, 0, 0, 0])
        );
        buffer.msg_regs_mut()[119] = !0;
        assert_eq!(buffer.msg_bytes()[952..], [0xff; 8]);
    }
}
