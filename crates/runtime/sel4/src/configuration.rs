//! Macros for code that depends on the kernel's configuration.
//!
//! The switches are constants ([`config`](crate::config)), so an `if` can test a switch. Use these
//! macros for code that must not be compiled if a switch is off.

/// Expands to one of its branches, depending on the kernel's configuration.
///
/// A condition is a switch of [`config`](crate::config), `not(…)`, `all(…)` or `any(…)`. A name
/// that is not a switch does not compile.
///
/// ```
/// sel4::sel4_cfg_if! {
///     if #[sel4_cfg(all(KERNEL_MCS, not(ENABLE_SMP_SUPPORT)))] {
///         const CPUS: &str = "one";
///     } else {
///         const CPUS: &str = "more";
///     }
/// }
/// assert_eq!(CPUS, if sel4::config::ENABLE_SMP_SUPPORT { "more" } else { "one" });
/// ```
///
/// ```compile_fail
/// sel4::sel4_cfg_if! {
///     if #[sel4_cfg(NO_SUCH_SWITCH)] {}
/// }
/// ```
#[macro_export]
macro_rules! sel4_cfg_if {
    (if #[sel4_cfg($($condition:tt)*)] { $($then:tt)* }) => {
        $crate::__sel4_cfg! { {$($condition)*} {$($then)*} {} }
    };
    (if #[sel4_cfg($($condition:tt)*)] { $($then:tt)* } else { $($otherwise:tt)* }) => {
        $crate::__sel4_cfg! { {$($condition)*} {$($then)*} {$($otherwise)*} }
    };
    (if #[sel4_cfg($($condition:tt)*)] { $($then:tt)* } else if $($rest:tt)+) => {
        $crate::__sel4_cfg! {
            {$($condition)*} {$($then)*} { $crate::sel4_cfg_if! { if $($rest)+ } }
        }
    };
}

/// Expands to `true` if the condition holds in the kernel's configuration, otherwise to `false`.
///
/// The conditions are those of [`sel4_cfg_if!`].
///
/// ```
/// assert_eq!(sel4::sel4_cfg_bool!(PRINTING), sel4::config::PRINTING);
/// ```
#[macro_export]
macro_rules! sel4_cfg_bool {
    ($($condition:tt)*) => {
        $crate::__sel4_cfg! { {$($condition)*} {true} {false} }
    };
}

/// Takes a condition, the expansion for a true condition, and the expansion for a false condition.
#[doc(hidden)]
#[macro_export]
macro_rules! __sel4_cfg {
    ({not($($condition:tt)*)} $then:tt $otherwise:tt) => {
        $crate::__sel4_cfg! { {$($condition)*} $otherwise $then }
    };
    ({all($(,)?)} {$($then:tt)*} $otherwise:tt) => { $($then)* };
    ({all($head:ident $(($($inner:tt)*))? $(, $($rest:tt)*)?)} $then:tt $otherwise:tt) => {
        $crate::__sel4_cfg! {
            {$head $(($($inner)*))?}
            { $crate::__sel4_cfg! { {all($($($rest)*)?)} $then $otherwise } }
            $otherwise
        }
    };
    ({any($(,)?)} $then:tt {$($otherwise:tt)*}) => { $($otherwise)* };
    ({any($head:ident $(($($inner:tt)*))? $(, $($rest:tt)*)?)} $then:tt $otherwise:tt) => {
        $crate::__sel4_cfg! {
            {$head $(($($inner)*))?}
            $then
            { $crate::__sel4_cfg! { {any($($($rest)*)?)} $then $otherwise } }
        }
    };
    ({$switch:ident} $then:tt $otherwise:tt) => {
        $crate::sys::__switch! { $switch $then $otherwise }
    };
}
