//! The symbols into which Microkit's tool writes.

use core::cell::UnsafeCell;
use core::fmt;
use core::str::Utf8Error;

use crate::{Channel, ChannelSet, platform};

/// Declares a symbol into which Microkit's tool writes a value, and returns a `&'static` reference
/// to the value.
///
/// A `setvar_…` attribute or a `<setvar>` in the system file sets the value.
///
/// ```
/// let child: &'static usize = sel4_microkit::var!(worker_id: usize = 0);
/// # assert_eq!(*child, 0);
/// ```
///
/// If the system file does not name the symbol, the symbol keeps the given value. The linker keeps
/// the symbol even if nothing uses it. The type must be an integer. The tool writes only words, so
/// use a type of 64 bits, such as `usize`.
///
/// The symbol table of the ELF file has the plain name, and the tool searches for that name. For
/// the linker the name is `NAME@microkit`. So a reference in other code, such as a call of
/// `memset`, never resolves to this symbol, and this macro cannot replace a symbol of other code.
/// The image build refuses a program with two symbols of the same name.
#[macro_export]
macro_rules! var {
    ($(#[doc = $doc:expr])* $symbol:ident: $type:ty = $default:expr) => {{
        #[allow(non_upper_case_globals)] // The name is from the system file.
        #[cfg_attr(target_os = "none", used)]
        #[cfg_attr(
                    target_os = "none",
                    unsafe(export_name = ::core::concat!(::core::stringify!($symbol), "@microkit"))
                )]
        #[cfg_attr(target_os = "none", unsafe(link_section = ".data"))]
        static $symbol: $crate::_private::Patched<$type> = $crate::_private::Patched::new($default);

        // An empty section that refers to the symbol. The linker keeps this section, and so keeps
        // the symbol.
        #[cfg(target_os = "none")]
        mod keep {
            ::core::arch::global_asm!(
                ".pushsection .keep.microkit, \"aR\", %progbits",
                ::core::concat!(
                    ".reloc ., R_AARCH64_NONE, \"",
                    ::core::stringify!($symbol),
                    "@microkit\"",
                ),
                ".popsection",
            );
        }

        $crate::_private::value(::core::stringify!($symbol), &$symbol)
    }};
    ($(#[$attribute:meta])* $symbol:ident: $type:ty = $default:expr) => {
        ::core::compile_error!(
            "a symbol of the system file takes doc comments and no other attributes: its section \
             and its name are those that Microkit's tool expects"
        )
    };
}

/// Declares a symbol into which Microkit's tool writes the address of a memory region
/// (`setvar_vaddr`), and returns that address as a [`NonNull`](core::ptr::NonNull).
///
/// ```no_run
/// use core::ptr::NonNull;
/// use core::sync::atomic::AtomicU64;
/// use sel4_microkit::memory_region_symbol;
///
/// struct Ring {
///     head: AtomicU64,
///     tail: AtomicU64,
/// }
///
/// let ring: NonNull<Ring> = memory_region_symbol!(ring_vaddr: *mut Ring);
/// let bytes: NonNull<[u8]> = memory_region_symbol!(bytes_vaddr: *mut [u8], n = 4096);
/// ```
///
/// # Panics
///
/// Panics if the tool has not written the address. Also panics if `bytes = …` is given and differs
/// from the size of the type.
#[macro_export]
macro_rules! memory_region_symbol {
    (
        $(#[doc = $doc:expr])* $symbol:ident: *mut [$type:ty], n = $n:expr, bytes = $bytes:expr $(,)?
    ) => {{
        ::core::assert!($bytes == $n * ::core::mem::size_of::<$type>());
        $crate::memory_region_symbol!($symbol: *mut [$type], n = $n)
    }};
    ($(#[doc = $doc:expr])* $symbol:ident: *mut [$type:ty], n = $n:expr $(,)?) => {
        ::core::ptr::NonNull::slice_from_raw_parts(
            $crate::memory_region_symbol!($symbol: *mut $type),
            $n,
        )
    };
    ($(#[doc = $doc:expr])* $symbol:ident: *mut $type:ty, bytes = $bytes:expr $(,)?) => {{
        ::core::assert!($bytes == ::core::mem::size_of::<$type>());
        $crate::memory_region_symbol!($symbol: *mut $type)
    }};
    ($(#[doc = $doc:expr])* $symbol:ident: *mut $type:ty $(,)?) => {{
        let [(_, address)] = $crate::__region!(Raw: $symbol);
        ::core::ptr::NonNull::new(::core::ptr::with_exposed_provenance_mut::<$type>(address))
            .unwrap_or_else(|| ::core::panic!(
                "no address was written to {symbol}: the system file maps no region with \
                 setvar_vaddr=\"{symbol}\" into this protection domain",
                symbol = ::core::stringify!($symbol),
            ))
    }};
}

/// Returns whether this PD is passive: it runs only on the scheduling contexts of its callers.
///
/// ```
/// assert!(!sel4_microkit::pd_is_passive());
/// ```
pub fn pd_is_passive() -> bool {
    platform::is_passive()
}

/// Returns the name of this PD.
///
/// ```
/// use sel4_microkit::{debug_println, pd_name};
///
/// # fn print() {
/// debug_println!("{} is ready", pd_name().unwrap_or("?"));
/// # }
/// ```
///
/// # Errors
///
/// Returns an error if the name in the system file is not UTF-8. The tool truncates a long name, so
/// the name may also end inside a character.
pub fn pd_name() -> Result<&'static str, Utf8Error> {
    core::str::from_utf8(name_bytes())
}

fn name_bytes() -> &'static [u8] {
    platform::name()
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default()
}

/// The name of this PD, as text.
pub(crate) struct DisplayName;

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lossy(name_bytes(), f)
    }
}

/// Writes `bytes` with a replacement character for every part that is not UTF-8. A name may end
/// inside a character, because the tool truncates a long name.
fn write_lossy(bytes: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        out.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            out.write_char(char::REPLACEMENT_CHARACTER)?;
        }
    }
    Ok(())
}

/// Returns the channels that are IRQs.
pub(crate) fn irq_channels() -> impl Iterator<Item = Channel> {
    ChannelSet::from_bits(irqs()).iter()
}

pub(crate) use platform::{irqs, notifications, pps};

/// A value that Microkit's tool may have changed in the ELF file.
///
/// Nothing writes to the value while the program runs, because the cell is private to this module.
#[doc(hidden)]
#[repr(transparent)]
pub struct Patched<T>(UnsafeCell<T>);

// SAFETY: the tool writes before the program runs, and nothing writes while the program runs.
unsafe impl<T: Sync> Sync for Patched<T> {}

impl<T: Integer> Patched<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Returns the value. The tool may have changed the value in the ELF file.
    ///
    /// `UnsafeCell` and `#[used]` prevent the compiler from assuming the initial value.
    #[inline(always)]
    pub const fn get(&'static self) -> &'static T {
        // SAFETY: 1. Nothing writes while the program runs.
        // 2. The tool may write any bits: every bit pattern of an `Integer` is a value.
        unsafe { &*self.0.get() }
    }
}

/// The types that [`var!`] accepts: integers and arrays of integers.
///
/// # Safety
///
/// Every bit pattern must be a valid value of the type.
#[doc(hidden)]
pub unsafe trait Integer {}

macro_rules! integers {
    ($($type:ty),*) => {
        // SAFETY: every bit pattern of an integer is a value.
        $(unsafe impl Integer for $type {})*
    };
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

// SAFETY: an array consists of its elements, without padding.
unsafe impl<T: Integer, const N: usize> Integer for [T; N] {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_cut_inside_a_character_is_shown() {
        let check = |bytes: &[u8], expect: &str| {
            let mut text = std::string::String::new();
            assert_eq!(write_lossy(bytes, &mut text), Ok(()));
            assert_eq!(text, expect);
        };
        check("größe".as_bytes(), "größe");
        check(&"größe".as_bytes()[..3], "gr\u{fffd}");
        check(b"a\xffb", "a\u{fffd}b");
        check(b"", "");
    }

    #[test]
    fn a_name_ends_where_the_zeros_begin() {
        let check = |name, expect| {
            let pd = crate::host::ProtectionDomain::default();
            crate::host::ProtectionDomain { name, ..pd }.set();
            assert_eq!(pd_name(), Ok(expect));
            assert_eq!(std::format!("{DisplayName}"), expect);
        };
        check("pump\0\0", "pump");
        check("pump", "pump");
        check("\0pump", "");
    }
}
