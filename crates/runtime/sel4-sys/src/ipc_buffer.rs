//! The IPC buffer: its layout, and the token that gives access to it.

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::{fmt, slice};

use crate::{CPtr, Word};

/// The number of words of the longest message (`seL4_MsgMaxLength`).
pub const MAX_MESSAGE_WORDS: usize = 120;

/// The number of capabilities that one message can carry (`seL4_MsgMaxExtraCaps`).
pub const MAX_EXTRA_CAPS: usize = 3;

/// The right to use this thread's IPC buffer. The thread shares the buffer with the kernel.
///
/// The token holds a pointer, not a reference. The buffer can be accessed only inside the closure
/// of [`with`](Self::with) or [`with_mut`](Self::with_mut). System calls take the token by `&mut`,
/// so no view can be alive while the kernel writes. Marshalling, the call and unmarshalling are
/// three scopes:
///
/// ```
/// # use std::rc::Rc;
/// # use sel4_sys::host::{self, HostBuffer, Registers};
/// # host::install(Some(Rc::new(|_: &mut Registers, _: Option<HostBuffer<'_>>| ())));
/// # let mut token = host::new_ipc_buffer();
/// # const SERVER: sel4_sys::CPtr = 74;
/// use sel4_sys::MessageInfo;
///
/// token.with_mut(|view| view.msg_regs_mut()[4] = 5);
/// // SAFETY: the server expects messages of five words.
/// unsafe { sel4_sys::call(&mut token, SERVER, MessageInfo::new(0, 0, 0, 5), [1, 2, 3, 4]) };
/// let fifth = token.with(|view| view.msg_regs()[4]);
/// # assert_eq!(fifth, 5);
/// ```
///
/// Each thread has one token. `IpcBufferToken` is neither `Copy` nor `Clone`:
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
/// `IpcBufferToken` is neither `Send` nor `Sync`:
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
    /// Creates the token of a thread.
    ///
    /// # Safety
    ///
    /// 1. `buffer` points to the IPC buffer of the calling thread: the frame that the thread's TCB
    ///    names (seL4 manual, *IPC Buffer*). The buffer is readable and writable as long as the
    ///    thread lives.
    /// 2. While another token for this buffer is alive, neither token is used to write or to make a
    ///    system call.
    /// 3. Apart from tokens, nothing in the program uses the buffer.
    #[inline]
    pub const unsafe fn new(buffer: NonNull<IpcBuffer>) -> Self {
        Self {
            buffer,
            _thread: PhantomData,
        }
    }

    /// Consumes the token and returns the pointer to the buffer. [`new`](Self::new) can create a
    /// token from this pointer again.
    #[inline]
    pub const fn into_raw(self) -> NonNull<IpcBuffer> {
        self.buffer
    }

    /// Returns whether the token belongs to `buffer`.
    #[inline]
    pub fn is_of(&self, buffer: NonNull<IpcBuffer>) -> bool {
        self.buffer == buffer
    }

    /// Calls `read` with a view of the buffer for reading.
    #[inline]
    pub fn with<R>(&self, read: impl FnOnce(&IpcBuffer) -> R) -> R {
        // SAFETY: 1. By condition 1 of `new`, the pointer is aligned and readable while the
        //    thread lives.
        // 2. No `&mut` view is alive: `with_mut` and every system call hold the token by `&mut`,
        //    and this `&self` excludes a `&mut`. Conditions 2 and 3 of `new` exclude other
        //    references.
        // 3. The kernel does not write now: it writes only in this thread's system calls (seL4
        //    manual, *IPC Buffer*), and these calls take the token by `&mut`.
        // 4. Every bit pattern is a valid `IpcBuffer`, because all fields are integers.
        read(unsafe { self.buffer.as_ref() })
    }

    /// Calls `write` with a view of the buffer for writing.
    #[inline]
    pub fn with_mut<R>(&mut self, write: impl FnOnce(&mut IpcBuffer) -> R) -> R {
        // SAFETY: reasons 1 to 4 of `with`. `&mut self` excludes every other view.
        write(unsafe { self.buffer.as_mut() })
    }

    /// Returns the pointer to the buffer, for the operand of a system call.
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

/// The IPC buffer in the kernel's layout (`seL4_IPCBuffer` in `shared_types.h`). An
/// [`IpcBufferToken`] lends views of this type.
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
    /// Creates an empty buffer.
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

    /// Returns the message registers.
    #[inline]
    pub const fn msg_regs(&self) -> &[Word] {
        &self.msg
    }

    /// Returns the message registers for writing.
    #[inline]
    pub const fn msg_regs_mut(&mut self) -> &mut [Word] {
        &mut self.msg
    }

    /// Returns the message registers as bytes, in the machine's byte order.
    #[inline]
    pub const fn msg_bytes(&self) -> &[u8] {
        // SAFETY: 1. The slice has the bytes of `self.msg`, and is borrowed as long as `self`.
        // 2. `u8` has no alignment, and every byte of an integer is initialised.
        unsafe { slice::from_raw_parts(self.msg.as_ptr().cast(), size_of_val(&self.msg)) }
    }

    /// Returns the message registers as bytes for writing, in the machine's byte order.
    #[inline]
    pub const fn msg_bytes_mut(&mut self) -> &mut [u8] {
        let bytes = size_of_val(&self.msg);
        // SAFETY: reasons 1 and 2 of `msg_bytes`, and `self` is borrowed mutably.
        // 3. Every pattern of bytes is a valid integer.
        unsafe { slice::from_raw_parts_mut(self.msg.as_mut_ptr().cast(), bytes) }
    }

    /// Returns the user data word. The kernel does not use this word.
    #[inline]
    pub const fn user_data(&self) -> Word {
        self.user_data
    }

    /// Sets the user data word. The kernel does not use this word.
    #[inline]
    pub const fn set_user_data(&mut self, data: Word) {
        self.user_data = data;
    }

    /// Returns the capabilities to send, or the badges of the unwrapped capabilities.
    #[inline]
    pub const fn caps_or_badges(&self) -> &[Word] {
        &self.caps_or_badges
    }

    /// Returns the capabilities to send, for writing.
    #[inline]
    pub const fn caps_or_badges_mut(&mut self) -> &mut [Word] {
        &mut self.caps_or_badges
    }

    /// Returns the slot for a received capability: CNode, index and depth.
    #[inline]
    pub const fn receive_path(&self) -> (CPtr, CPtr, Word) {
        (self.receive_cnode, self.receive_index, self.receive_depth)
    }

    /// Sets the slot for a received capability: CNode, index and depth.
    ///
    /// # Safety
    ///
    /// If this program has a typed capability pointer to the slot, every capability that arrives in
    /// the slot must have that type.
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
    fn fields_are_at_the_offsets_that_the_kernel_uses() {
        // Offsets in words, from `seL4_IPCBuffer` in `shared_types.h`.
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
    fn bytes_and_words_are_views_of_the_same_memory() {
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
