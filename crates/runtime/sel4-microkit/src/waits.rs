//! The declaration of a program's waits, for `cargo microkit check`.

/// Declares every wait inside the handlers of this program.
///
/// `cargo microkit check` reads the declaration, and refuses a system in which PDs can wait for
/// each other forever.
///
/// A program without a declaration is assumed to make every call that the system file allows, at
/// any time. This assumption is safe, but it does not include the program's other waits. A program
/// with a declaration is assumed to have no other waits: **declare every wait.** `check` reports a
/// declared wait that the system does not allow. `check` cannot find a missing wait.
///
/// ```
/// use sel4_microkit::{Channel, Child, waits};
///
/// const CONSOLE: Channel = Channel::new(0);
/// const CLIENT: Channel = Channel::new(1);
/// const DISK: Channel = Channel::new(2);
/// const WORKER: Child = Child::new(1);
///
/// waits! {
///     in init { call CONSOLE; }
///     in notified(DISK) {
///         lock table { call CONSOLE; }
///     }
///     in protected(CLIENT) { wait DISK; }
///     in fault(WORKER) { call CONSOLE; }
/// }
/// ```
///
/// | line | declaration |
/// | --- | --- |
/// | `in init { … }`, `in notified { … }` | waits in the initialisation, or in a handler |
/// | `in notified(CHANNEL) { … }` | waits in the handler, for one channel or child |
/// | `call CHANNEL;` | a wait for the reply of [`Channel::pp_call`](crate::Channel::pp_call) |
/// | `wait CHANNEL;` | a wait for an IRQ, or for the peer to notify or to write shared memory |
/// | `lock NAME { … }` | a wait for the lock; the program holds the lock inside the braces |
///
/// The handlers are `notified`, `protected` and `fault`. All PDs that share a lock must use the
/// same name for the lock. A program without waits declares `waits! {}`.
///
/// Use the macro once, beside the function marked [`protection_domain`](crate::protection_domain).
/// The macro adds no code or data to the loaded program: the text is in a section of the ELF file
/// that is not loaded.
#[macro_export]
macro_rules! waits {
    ($(in $context:ident $(($of:expr))? { $($body:tt)* })*) => {
        $crate::__waits_version!();
        $($crate::__waits_in!([$context $(, $of)?] [] $($body)*);)*
    };
}

/// Expands the waits of a handler, with the locks that the handler holds.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_in {
    ($context:tt $held:tt) => {};
    ($context:tt $held:tt call $channel:expr; $($rest:tt)*) => {
        $crate::__waits_step!(call [channel = $channel] [] $context $held);
        $crate::__waits_in!($context $held $($rest)*);
    };
    ($context:tt $held:tt wait $channel:expr; $($rest:tt)*) => {
        $crate::__waits_step!(wait [channel = $channel] [] $context $held);
        $crate::__waits_in!($context $held $($rest)*);
    };
    ($context:tt [$($held:ident)*] lock $name:ident { $($inside:tt)* } $($rest:tt)*) => {
        $crate::__waits_step!(lock [] [$name] $context [$($held)*]);
        $crate::__waits_in!($context [$($held)* $name] $($inside)*);
        $crate::__waits_in!($context [$($held)*] $($rest)*);
    };
}

/// Expands one wait: the step, its channel or its lock, the handler, and the held locks.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_step {
    ($step:ident $channel:tt $lock:tt [init] $held:tt) => {
        $crate::__waits_line!($step $channel $lock init [] $held);
    };
    ($step:ident $channel:tt $lock:tt [notified $(, $of:expr)?] $held:tt) => {
        $crate::__waits_line!($step $channel $lock notified [$(of: Channel = $of)?] $held);
    };
    ($step:ident $channel:tt $lock:tt [protected $(, $of:expr)?] $held:tt) => {
        $crate::__waits_line!($step $channel $lock protected [$(of: Channel = $of)?] $held);
    };
    ($step:ident $channel:tt $lock:tt [fault $(, $of:expr)?] $held:tt) => {
        $crate::__waits_line!($step $channel $lock fault [$(of: Child = $of)?] $held);
    };
}

/// Adds a line to the section. The section has no address, so the section is not loaded, and the
/// linker keeps the section.
///
/// A caller's tokens enter the assembly only as an identifier or as a number, never as text. So the
/// tokens can never add more than one line (invariant M5). `$to` and `$in` are the names of the two
/// operands.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_line {
    (
        $step:ident [$($to:ident = $channel:expr)?] [$($lock:ident)?]
        $context:ident [$($in:ident: $of_type:ident = $of:expr)?]
        [$($first:ident $($held:ident)*)?]
    ) => {
        // The two constants check the types on a host too, although a host has no section for
        // waits.
        $(const _: $crate::Channel = $channel;)?
        $(const _: $crate::$of_type = $of;)?
        #[cfg(target_os = "none")]
        ::core::arch::global_asm!(
            ".pushsection .microkit.waits, \"\", %progbits",
            ::core::concat!(".ascii \"", ::core::stringify!($step), "\""),
            $(::core::concat!(".ascii \" {", ::core::stringify!($to), "}\""),)?
            $(::core::concat!(".ascii \" ", ::core::stringify!($lock), "\""),)?
            ::core::concat!(".ascii \" in ", ::core::stringify!($context), "\""),
            $(::core::concat!(".ascii \" {", ::core::stringify!($in), "}\""),)?
            $(
                ::core::concat!(".ascii \" holding ", ::core::stringify!($first), "\""),
                $(::core::concat!(".ascii \" ", ::core::stringify!($held), "\""),)*
            )?
            ".ascii \"\\n\"",
            ".popsection",
            $($to = const { let channel: $crate::Channel = $channel; channel.index() },)?
            $($in = const { let of: $crate::$of_type = $of; of.index() },)?
        );
    };
}

/// Adds the line with the version of the declaration's syntax.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_version {
    () => {
        #[cfg(target_os = "none")]
        ::core::arch::global_asm!(
            ".pushsection .microkit.waits, \"\", %progbits",
            ".ascii \"version 1\\n\"",
            ".popsection",
        );
    };
}
