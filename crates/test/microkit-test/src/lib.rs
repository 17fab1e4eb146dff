//! Microkit protection domains (PDs) tested on the host, by `cargo test`: whole systems, every
//! schedule, under Miri.
//!
//! A [`System`] is a system file, and a handler for each PD: the very function that is marked
//! `#[protection_domain]`. A [`Run`] of it has the model kernel in the same process: each PD's
//! system calls go to `kernel-model`, which answers as seL4 does and schedules as seL4 does. A run
//! is driven by the test: [until nothing can run](Run::until_idle), [step by step](Run::step), with
//! [interrupts](Run::raise_irq), [time](Run::advance_us), [crashes](Run::kill) and
//! [failing system calls](Run::fail_next) where the test wants them.
//!
//! An [`Explorer`] runs a system under all orders in which its PDs can make their system calls. A
//! failure says the [`Schedule`] that led to it, and [`Explorer::replay`] runs that again, step by
//! step.
//!
//! ```
//! use microkit_test::{Explorer, System};
//! use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, NullHandler, debug_println};
//!
//! fn bell() -> NullHandler {
//!     Channel::new(1).notify();
//!     Channel::new(1).notify();
//!     NullHandler::new()
//! }
//!
//! struct Ear;
//!
//! impl Handler for Ear {
//!     type Error = Infallible;
//!
//!     fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
//!         debug_println!("ding");
//!         Ok(())
//!     }
//! }
//!
//! let file = r#"
//!     <system>
//!         <protection_domain name="bell" priority="2">
//!             <program_image path="bell.elf" />
//!         </protection_domain>
//!         <protection_domain name="ear" priority="1">
//!             <program_image path="ear.elf" />
//!         </protection_domain>
//!         <channel>
//!             <end pd="bell" id="1" />
//!             <end pd="ear" id="1" />
//!         </channel>
//!     </system>"#;
//! let system = System::parse("bell.system", file)?
//!     .program("bell.elf", bell)
//!     .program("ear.elf", || Ear);
//!
//! // As the priorities have it, both signals have come before the ear listens.
//! let mut run = system.start();
//! run.until_idle();
//! assert_eq!(run.log(), "ding\n");
//!
//! // They merge or they do not: whoever counts them is wrong in some schedule.
//! let explored = Explorer::new(&system).check(|run| assert!(run.log().lines().count() <= 2));
//! assert!(explored.is_complete());
//! let counted = Explorer::new(&system).try_check(|run| assert_eq!(run.log(), "ding\nding\n"));
//! assert!(counted.is_err());
//! # Ok::<(), microkit_test::SystemError>(())
//! ```
//!
//! # What is as on the target, and what is not
//!
//! - PD code is not changed. `println!`-like output goes to [`Run::log`]; memory regions are shared
//!   between the PDs that map them, but permissions are not enforced. A region that a PD takes for
//!   itself, by `device_region!` or `dma_region!`, has no other user until its incarnation ends;
//!   the test plays the device through [`Run::device`].
//! - A panic stops the PD with a user exception, which its parent sees. Unlike on the target it
//!   unwinds, so destructors run; their system calls do nothing.
//! - Time stands still until the test advances it: no budget is ever used up otherwise.
//! - Between two system calls a PD runs without interruption: what it does there to memory that it
//!   shares through plain atomics is one step. Accesses to `sel4_microkit::SharedWord` are steps of
//!   their own.
//! - A PD that computes for ever without a system call never gives the test back.
//! - A PD's statics are the test process's: what a handler keeps in them survives from run to run.
//!
//! PDs are coroutines in the thread of the test, and under Miri threads of which one runs at a
//! time.
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
