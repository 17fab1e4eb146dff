//! The registers of devices, for drivers without `unsafe`.
//!
//! `safe-mmio` makes the accesses, but the pointers of `safe-mmio` stay private to this module. In
//! version 0.3.2, safe code can make a second owner of a register from a pointer of `safe-mmio`
//! (`SharedMmioPointer::split_some`). With `field!` and a custom `Deref`, safe code can also reach
//! memory outside of the device. A [`DeviceRegion`] has one owner, and
//! [`register!`](crate::register) reaches only fields of the registers' type.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::AtomicBool;

use safe_mmio::UniqueMmioPointer;
use safe_mmio::fields::{ReadOnly, ReadPure, ReadPureWrite, ReadWrite, WriteOnly};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::memory::{Purpose, Written, check_written};
use crate::platform::exclusive_region;

/// Takes a memory region as the registers of a device, and returns a [`DeviceRegion`] of `T`. The
/// fields of `T` have `safe-mmio`'s types.
///
/// ```no_run
/// use safe_mmio::fields::ReadWrite;
/// use sel4_microkit::{DeviceRegion, device_region, register};
///
/// #[repr(C)]
/// struct Timer {
///     load: ReadWrite<u32>,
/// }
///
/// // <map mr="timer" vaddr="0x2000000" perms="rw" cached="false"
/// //      setvar_vaddr="timer" setvar_size="timer_size" />
/// let mut timer: DeviceRegion<Timer> = device_region!(timer, timer_size, Timer);
/// register!(timer, Timer, load).write(1000);
/// ```
///
/// **Rights:** a region that this PD maps once, and that no other PD can write to. `cargo microkit
/// check`, `build` and `run` check the system file for this rule.
///
/// # Panics
///
/// Panics in these cases:
///
/// * This macro call runs a second time: a device has one owner.
/// * The tool has not written the address or the size.
/// * The region is too small for a `T`, or is not aligned for a `T`.
#[macro_export]
macro_rules! device_region {
    ($vaddr:ident, $size:ident, $type:ty $(,)?) => {{
        static TAKEN: ::core::sync::atomic::AtomicBool =
            ::core::sync::atomic::AtomicBool::new(false);
        let [vaddr, size] = $crate::__region!(Device: $vaddr, $size);
        // SAFETY: the tool has written both values for one record, and the static belongs to this
        // macro call.
        let region: $crate::DeviceRegion<$type> =
            unsafe { $crate::_private::device(vaddr, size, &TAKEN) };
        region
    }};
}

/// Borrows a register of a [`DeviceRegion`]. The arguments are the region, the type of its
/// registers, and the field.
///
/// ```no_run
/// use safe_mmio::fields::{ReadPure, ReadWrite};
/// use sel4_microkit::{DeviceRegion, register};
///
/// #[repr(C)]
/// struct Dma {
///     status: ReadPure<u32>,
///     addresses: [ReadWrite<u32>; 4],
/// }
///
/// fn set_up(dma: &mut DeviceRegion<Dma>) {
///     if register!(*dma, Dma, status).read() == 0 {
///         register!(*dma, Dma, addresses).at(2).write(0x1000);
///     }
/// }
/// ```
///
/// `register!(region, Type, outer.inner)` borrows a field inside a field.
#[macro_export]
macro_rules! register {
    ($device:expr, $type:ty, $($field:ident).+ $(,)?) => {
        // This code uses a `match` instead of a `let`, because temporaries of the expression must
        // live as long as the register.
        match &mut $device {
            device => {
                let device: &mut $crate::DeviceRegion<$type> = device;
                // The next two lines refer to the same field. `offset_of!` finds only fields of
                // `$type`. An expression can also find a field behind a `Deref`, but prefers a
                // field of `$type`.
                let offset = ::core::mem::offset_of!($type, $($field).+);
                let field: fn(&$type) -> &_ = |registers| &registers.$($field).+;
                // SAFETY: the offset and the type belong to one field of the registers.
                unsafe { $crate::_private::register(device, offset, field) }
            }
        }
    };
}

/// The registers of a device, with one owner. [`device_region!`](crate::device_region) makes a
/// `DeviceRegion`.
pub struct DeviceRegion<T: 'static>(UniqueMmioPointer<'static, T>);

impl<T: 'static> DeviceRegion<T> {
    /// Takes the registers of a device.
    ///
    /// # Safety
    ///
    /// `registers` must point to the registers of a device, or to memory. This memory must be
    /// readable and writable as long as the program runs. Nothing else in this or another program
    /// may use this memory.
    pub const unsafe fn new(registers: NonNull<T>) -> Self {
        // SAFETY: the caller's contract.
        Self(unsafe { UniqueMmioPointer::new(registers) })
    }

    /// Returns the pointer of `safe-mmio`, for a driver that needs the pointer.
    ///
    /// # Safety
    ///
    /// The caller must not make a second owner of a register. The caller must not call
    /// `SharedMmioPointer::split_some`. The caller must use `field!` only with fields of `T`
    /// itself, not with fields behind a `Deref` of `T`.
    pub const unsafe fn into_unique_mmio_pointer(self) -> UniqueMmioPointer<'static, T> {
        self.0
    }
}

impl<T: 'static, const COUNT: usize> DeviceRegion<[T; COUNT]> {
    /// Takes the region, and returns the device `index` of the array, or `None` if the array is too
    /// short.
    pub fn take(self, index: usize) -> Option<DeviceRegion<T>> {
        self.0.take(index).map(DeviceRegion)
    }
}

#[cfg(feature = "pl011")]
impl DeviceRegion<arm_pl011_uart::PL011Registers> {
    /// Makes the driver of a PL011 (Arm DDI 0183).
    pub fn into_uart(self) -> arm_pl011_uart::Uart<'static> {
        // `arm-pl011-uart` 0.5 keeps the pointer private, and uses `field!` only with the
        // registers' own fields.
        arm_pl011_uart::Uart::new(self.0)
    }
}

impl<T: 'static> fmt::Debug for DeviceRegion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceRegion").field(&self.0.ptr()).finish()
    }
}

/// A register or an array of registers, borrowed from its [`DeviceRegion`] by
/// [`register!`](crate::register).
pub struct Register<'device, F>(UniqueMmioPointer<'device, F>);

macro_rules! reads {
    ($($field:ident),*) => {
        $(
            impl<T: FromBytes + IntoBytes> Register<'_, $field<T>> {
                /// Reads the register.
                #[inline]
                pub fn read(&mut self) -> T {
                    self.0.read()
                }
            }
        )*
    };
}

macro_rules! writes {
    ($($field:ident),*) => {
        $(
            impl<T: Immutable + IntoBytes> Register<'_, $field<T>> {
                /// Writes the register.
                #[inline]
                pub fn write(&mut self, value: T) {
                    self.0.write(value);
                }
            }
        )*
    };
}

macro_rules! modifies {
    ($($field:ident),*) => {
        $(
            impl<T: FromBytes + Immutable + IntoBytes> Register<'_, $field<T>> {
                /// Reads the register, applies `change` to the value, and writes the result.
                #[inline]
                pub fn modify(&mut self, change: impl FnOnce(T) -> T) {
                    self.0.modify(change);
                }
            }
        )*
    };
}

modifies!(ReadWrite, ReadPureWrite);
reads!(ReadOnly, ReadPure, ReadWrite, ReadPureWrite);
writes!(WriteOnly, ReadWrite, ReadPureWrite);

impl<T, const COUNT: usize> Register<'_, [T; COUNT]> {
    /// Returns the register `index` of an array.
    ///
    /// # Panics
    ///
    /// Panics if `index` is not in the array.
    #[inline]
    #[track_caller]
    pub fn at(&mut self, index: usize) -> Register<'_, T> {
        match self.0.get(index) {
            Some(register) => Register(register),
            None => panic!("there is no register {index}: the array has {COUNT}"),
        }
    }
}

impl<F> fmt::Debug for Register<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Register").field(&self.0.ptr()).finish()
    }
}

/// Borrows a register, for `register!`.
///
/// # Safety
///
/// `T` must have a field of type `F` at `offset_bytes`. The function argument only determines the
/// types.
#[doc(hidden)]
#[inline]
pub unsafe fn register<'device, T: 'static, F>(
    device: &'device mut DeviceRegion<T>,
    offset_bytes: usize,
    _: fn(&T) -> &F,
) -> Register<'device, F> {
    let registers = device.0.ptr_nonnull();
    // SAFETY: 1. The field is in the registers (the caller's contract), and is aligned, because the
    //    compiler rejects a function that borrows an unaligned field.
    // 2. The result borrows the device, so no other register is borrowed at the same time.
    unsafe {
        let field = registers.byte_add(offset_bytes).cast();
        Register(device.0.child(field))
    }
}

/// Takes the registers of a device, for `device_region!`.
///
/// # Safety
///
/// `vaddr` and `size` must be the results of `__region!` for one record with the use `Device`.
/// `taken` must be the static of the same macro call.
#[doc(hidden)]
#[track_caller]
pub unsafe fn device<T: 'static>(
    vaddr: Written,
    size: Written,
    taken: &'static AtomicBool,
) -> DeviceRegion<T> {
    check_written(vaddr, size);
    assert!(
        size.1 >= size_of::<T>(),
        "the region of {} has {} bytes, the registers {}: map a larger one",
        vaddr.0,
        size.1,
        size_of::<T>()
    );
    assert!(
        vaddr.1.is_multiple_of(align_of::<T>()),
        "the region of {} is not aligned for the registers",
        vaddr.0
    );
    let start = exclusive_region(vaddr, size, taken, Purpose::Device).cast();
    // SAFETY: 1. The tool maps `size` bytes at `vaddr` for as long as the PD runs, and
    //    `exclusive_region` has checked that these bytes do not overlap other memory of the
    //    program. This function has checked the size and the alignment.
    // 2. `exclusive_region` returns the registers once, and no other map of the region is writable:
    //    `cargo microkit check` refuses a second writable map (invariant M2).
    unsafe { DeviceRegion::new(start) }
}
