//! The declaration of what a program waits for, which `cargo microkit check` reads.

/// Declares everything that this program waits for inside its handlers, for
/// `cargo microkit check`, which refuses a system whose protection domains (PDs) can wait for each
/// other for ever.
///
/// Without it, a program is taken to make every call that the system file allows, at any time; that
/// is safe, but `check` knows nothing then of what else it waits for. With it, the program is taken
/// to wait for what is written here and for nothing else: **leave nothing out.** Whether all that is
/// written is possible in the system is checked; whether it is all, only its reader can tell.
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
/// * `in init`, `in notified`, `in protected`, `in fault`: where in the program. Without parentheses
///   in the handler of any notification, call or fault, with them in that of one channel or child.
/// * `call CHANNEL;` until the reply comes: [`Channel::pp_call`](crate::Channel::pp_call).
/// * `wait CHANNEL;` until the PD at the other end does something, such as to notify, or to write
///   into shared memory that this program looks at again and again; or until an interrupt comes.
/// * `lock NAME { … }` until nobody else has the lock; inside the braces this program has it. All
///   PDs that share a lock give it the same name.
///
/// A program that waits for nothing says `waits! {}`. The channels are constants, so that the
/// numbers are the program's own. The macro stands once, beside the function that is marked
/// [`protection_domain`](crate::protection_domain). It adds no code and no data to the program: the
/// text lies in a section of the ELF file that is not loaded.
#[macro_export]
macro_rules! waits {
    ($(in $context:ident $(($of:expr))? { $($body:tt)* })*) => {
        $crate::__waits_line!("version 1");
        $($crate::__waits_in!([$context $(, $of)?] [] $($body)*);)*
    };
}

/// What stands inside a handler, with the locks that are held there.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_in {
    ($context:tt $held:tt) => {};
    ($context:tt $held:tt call $channel:expr; $($rest:tt)*) => {
        $crate::__waits_step!("call {what}", $channel, $context, $held);
        $crate::__waits_in!($context $held $($rest)*);
    };
    ($context:tt $held:tt wait $channel:expr; $($rest:tt)*) => {
        $crate::__waits_step!("wait {what}", $channel, $context, $held);
        $crate::__waits_in!($context $held $($rest)*);
    };
    ($context:tt [$($held:ident)*] lock $name:ident { $($inside:tt)* } $($rest:tt)*) => {
        $crate::__waits_step!(
            ::core::concat!("lock ", ::core::stringify!($name)), , $context, [$($held)*]
        );
        $crate::__waits_in!($context [$($held)* $name] $($inside)*);
        $crate::__waits_in!($context [$($held)*] $($rest)*);
    };
}

/// One wait: what, with its channel, where, and the locks that are held.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_step {
    ($step:expr, $($channel:expr)?, [init], $held:tt) => {
        $crate::__waits_held!($step, " in init", $held, $(what = $channel)?);
    };
    ($step:expr, $($channel:expr)?, [notified $(, $of:expr)?], $held:tt) => {
        $(const _: $crate::Channel = $of;)?
        $crate::__waits_held!(
            $step, $crate::__waits_of!(" in notified" $(, $of)?), $held,
            $(what = $channel)? $(; of = $of)?
        );
    };
    ($step:expr, $($channel:expr)?, [protected $(, $of:expr)?], $held:tt) => {
        $(const _: $crate::Channel = $of;)?
        $crate::__waits_held!(
            $step, $crate::__waits_of!(" in protected" $(, $of)?), $held,
            $(what = $channel)? $(; of = $of)?
        );
    };
    ($step:expr, $($channel:expr)?, [fault $(, $of:expr)?], $held:tt) => {
        $(const _: $crate::Child = $of;)?
        $crate::__waits_held!(
            $step, $crate::__waits_of!(" in fault" $(, $of)?), $held,
            $(what = $channel)? $(; of = $of)?
        );
    };
}

/// The name of a handler, and the place for its channel's number if it has one.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_of {
    ($name:literal) => {
        $name
    };
    ($name:literal, $of:expr) => {
        ::core::concat!($name, " {of}")
    };
}

/// The line of a wait, once its locks are in it.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_held {
    ($step:expr, $place:expr, [], $(what = $channel:expr)? $(; of = $of:expr)?) => {
        $(const _: $crate::Channel = $channel;)?
        $crate::__waits_line!(
            ::core::concat!($step, $place) $(, what = $channel)? $(, of = $of)?
        );
    };
    ($step:expr, $place:expr, [$($held:ident)+], $(what = $channel:expr)? $(; of = $of:expr)?) => {
        $(const _: $crate::Channel = $channel;)?
        $crate::__waits_line!(
            ::core::concat!($step, $place, " holding" $(, " ", ::core::stringify!($held))+)
            $(, what = $channel)? $(, of = $of)?
        );
    };
}

/// Leaves a line in the section, which has no address: it is not loaded, and the linker keeps it.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_line {
    ($line:expr $(, $name:ident = $number:expr)*) => {
        #[cfg(target_os = "none")]
        ::core::arch::global_asm!(
            ".pushsection .microkit.waits, \"\", %progbits",
            ::core::concat!(".ascii \"", $line, "\\n\""),
            ".popsection",
            $($name = const $number.index(),)*
        );
    };
}
