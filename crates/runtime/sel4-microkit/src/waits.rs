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
        $crate::__waits_version!();
        $($crate::__waits_in!([$context $(, $of)?] [] $($body)*);)*
    };
}

/// What a handler waits for, with the locks that it holds there.
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

/// One wait: the step, its channel or its lock, where, and the locks that are held.
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

/// Leaves a line in the section, which has no address: it is not loaded, and the linker keeps it.
///
/// What a caller chooses gets into the assembly as an identifier or as a number, never as text: no
/// choice of tokens makes more than a line. `$to` and `$in` are the names of the two operands.
#[doc(hidden)]
#[macro_export]
macro_rules! __waits_line {
    (
        $step:ident [$($to:ident = $channel:expr)?] [$($lock:ident)?]
        $context:ident [$($in:ident: $of_type:ident = $of:expr)?]
        [$($first:ident $($held:ident)*)?]
    ) => {
        // On a host too, where there is no section, the types are checked.
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

/// The line that says in which language the others are.
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
