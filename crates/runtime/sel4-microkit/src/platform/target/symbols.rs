//! The symbols that the tool changes in every PD. `microkit_abi::symbols` has the names of the
//! symbols.

use microkit_abi::limits::NAME_BYTES;

use crate::symbols::{Integer, Patched};

/// Returns the value of a symbol of `var!`. The tool may have changed the value.
#[inline(always)]
pub const fn value<T: Integer>(_: &str, symbol: &'static Patched<T>) -> &'static T {
    symbol.get()
}

macro_rules! patched {
    ($($symbol:ident: $type:ty = $default:expr;)*) => {
        $(
            #[allow(non_upper_case_globals)] // The name is from Microkit.
            #[used]
            #[unsafe(no_mangle)]
            #[unsafe(link_section = ".data")]
            static $symbol: Patched<$type> = Patched::new($default);
        )*

        core::arch::global_asm!(
            ".pushsection .keep.microkit, \"aR\", %progbits",
            $(concat!(".reloc ., R_AARCH64_NONE, ", stringify!($symbol)),)*
            ".reloc ., R_AARCH64_NONE, sel4_kernel_configuration",
            ".popsection",
        );
    };
}

patched! {
    microkit_name: [u8; NAME_BYTES] = [0; NAME_BYTES];
    microkit_passive: u8 = 0;
    microkit_irqs: u64 = 0;
    microkit_notifications: u64 = 0;
    microkit_pps: u64 = 0;
    microkit_ioports: u64 = 0;
}

/// The board and configuration of this program's build. `cargo microkit` reads this symbol.
#[allow(non_upper_case_globals)] // The name is a symbol of the ELF file.
#[used]
#[unsafe(no_mangle)]
static sel4_kernel_configuration: [u8; sel4::config::MARK.len()] = {
    let mut mark = [0; sel4::config::MARK.len()];
    mark.copy_from_slice(sel4::config::MARK.as_bytes());
    mark
};

pub(crate) fn name() -> &'static [u8] {
    microkit_name.get()
}

pub(crate) fn is_passive() -> bool {
    *microkit_passive.get() != 0
}

/// Returns the notification channels: bit *n* is set if this PD can notify on channel *n*.
#[inline(always)]
pub(crate) fn notifications() -> u64 {
    *microkit_notifications.get()
}

/// Returns the call channels: bit *n* is set if this PD can call on channel *n*.
#[inline(always)]
pub(crate) fn pps() -> u64 {
    *microkit_pps.get()
}

/// Returns the IRQ channels: bit *n* is set if channel *n* is an IRQ.
#[inline(always)]
pub(crate) fn irqs() -> u64 {
    *microkit_irqs.get()
}
