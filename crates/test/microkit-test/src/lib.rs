//! Tests whole systems of protection domains (PDs) on the host, with `cargo test`, under every
//! schedule and under Miri.
//!
//! | type | what it is |
//! | --- | --- |
//! | [`System`] | a system file, and the handler of each PD: the function that is marked `#[protection_domain]` |
//! | [`Run`] | a running system: PDs, and the model kernel in the same process |
//! | [`Explorer`] | runs a system under all orders in which its PDs can make their system calls |
//! | [`Schedule`] | one order of steps, as text; [`Explorer::replay`] runs it again |
//!
//! The PDs' system calls go to `kernel-model`, which answers and schedules as seL4 does. The test
//! drives a run: [until nothing can run](Run::until_idle), [step by step](Run::step), with
//! [IRQs](Run::raise_irq), [time](Run::advance_us), [crashes](Run::kill) and [failing system
//! calls](Run::fail_next).
//!
//! ```
//! use microkit_test::{Explorer, System};
//! use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, NullHandler, debug_println};
//!
//! fn sender() -> NullHandler {
//!     Channel::new(1).notify();
//!     Channel::new(1).notify();
//!     NullHandler::new()
//! }
//!
//! struct Receiver;
//!
//! impl Handler for Receiver {
//!     type Error = Infallible;
//!
//!     fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
//!         debug_println!("notified");
//!         Ok(())
//!     }
//! }
//!
//! let file = r#"
//!     <system>
//!         <protection_domain name="sender" priority="2">
//!             <program_image path="sender.elf" />
//!         </protection_domain>
//!         <protection_domain name="receiver" priority="1">
//!             <program_image path="receiver.elf" />
//!         </protection_domain>
//!         <channel>
//!             <end pd="sender" id="1" />
//!             <end pd="receiver" id="1" />
//!         </channel>
//!     </system>"#;
//! let system = System::parse("notify.system", file)?
//!     .program("sender.elf", sender)
//!     .program("receiver.elf", || Receiver);
//!
//! // The sender has the higher priority, so both notifications merge.
//! let mut run = system.start();
//! run.until_idle();
//! assert_eq!(run.log(), "notified\n");
//!
//! // With other priorities they may not merge. A test that counts them fails in some schedule.
//! let explored = Explorer::new(&system).check(|run| assert!(run.log().lines().count() <= 2));
//! assert!(explored.is_complete());
//! let counted =
//!     Explorer::new(&system).try_check(|run| assert_eq!(run.log(), "notified\nnotified\n"));
//! assert!(counted.is_err());
//! # Ok::<(), microkit_test::SystemError>(())
//! ```
//!
//! # Differences from the target
//!
//! - PD code is not changed. The output of PDs goes to [`Run::log`].
//! - Memory regions are shared between the PDs that map them, but permissions are not enforced. A
//!   region that a PD takes with `device_region!` or `dma_region!` has no other user until the
//!   incarnation of the PD ends. The test simulates the device through [`Run::device`].
//! - A panic stops the PD with a user exception that the parent receives. Unlike on the target, the
//!   panic unwinds, so destructors run. System calls and `SharedWord` writes of these destructors
//!   have no effect.
//! - Time advances only if the test advances it. By default, steps take no time and use no budget.
//! - Between two system calls a PD runs without interruption, so all accesses to plain atomics are
//!   part of one step. Each access to a `sel4_microkit::SharedWord` is a separate step.
//! - A PD that computes forever without a system call blocks the test forever.
//! - The statics of a PD are statics of the test process, and keep their values between runs.
//!
//! Each PD is a coroutine in the thread of the test. Under Miri each PD has its own thread, and
//! only one of these threads runs at a time.
#![forbid(unsafe_code)]

mod call;
mod choice;
mod explore;
mod failure;
mod fingerprint;
mod lower;
mod machine;
mod processor;
mod program;
mod random;
mod run;
mod search;
mod system;

pub use boot_spec::{Mapping, Perms};
pub use call::Call;
pub use choice::{Schedule, ScheduleError};
pub use explore::{Explored, Explorer, Found};
pub use failure::Failure;
pub use kernel_model::{Event, Fault, InvocationError, UserContext};
pub use machine::MonitorFault;
pub use processor::{Memory, Processor};
pub use run::{Run, Step};
pub use sel4_microkit::host::HostRegion;
pub use system::{System, SystemError};
