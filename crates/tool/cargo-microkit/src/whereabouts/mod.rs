//! Reports the position of each PD when a run fails or is interrupted: the function, the line, and
//! the event that the PD waits for.
//!
//! QEMU's [monitor](Monitor) gives access to the state. The [model kernel](model) writes a snapshot
//! on request. The state of [seL4](sel4) is read from seL4's data structures. Both methods return a
//! [thread] for each PD. The thread's [stack] is followed in the PD's [memory], up to the first
//! function that belongs neither to the runtime nor to Rust's library.

mod dwarf;
mod memory;
mod model;
mod relations;
mod sel4;
mod stack;
mod thread;

pub(crate) use relations::Relations;

use std::path::PathBuf;
use std::process::Command;

use boot_spec::snapshot::Phase;

use crate::builder::Packed;
use crate::places::Places;
use crate::qemu::{Monitor, is_controlled};
use memory::Memory;
use sel4::Processor;
use thread::{Doing, Thread};

/// The method of reading the thread states of a kernel.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// The model kernel's snapshot at this address.
    Model(u64),
    /// seL4's data structures, described by this ELF file. Only the configuration `debug` has a
    /// list of threads.
    Sel4 { elf: PathBuf, config: String },
    /// No method is known.
    Unknown,
}

/// The position of a PD, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) sentence: String,
    /// The classification of the position if the PD does not continue.
    pub(crate) rest: Rest,
}

/// Classifies the position of a PD that does not continue.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The PD waits for events. This is normal.
    Idle,
    /// The PD is stopped, probably by its parent.
    Stopped,
    /// The PD cannot continue. This is an error.
    Stuck,
}

/// Reads the state of the machine that runs a system.
pub(crate) struct Observer {
    monitor: Option<Monitor>,
    /// Whether a debugger or a person may stop or change the machine.
    is_controlled: bool,
    state: State,
    pds: Vec<String>,
    pub(crate) places: Places,
    relations: Relations,
}

impl Observer {
    /// Creates an observer of the machine that `command` starts. `monitor` connects to the machine.
    pub(crate) fn new(monitor: Option<Monitor>, command: &Command, packed: &Packed) -> Self {
        Self {
            is_controlled: is_controlled(command),
            monitor,
            state: packed.state.clone(),
            pds: packed.pds.iter().map(|pd| pd.name.clone()).collect(),
            places: Places::new(&packed.pds),
            relations: packed.relations.clone(),
        }
    }

    /// Returns the reason why no PD can run any more, if the kernel reports a reason. Returns
    /// `None` if a debugger or a person at another monitor can still change the state.
    pub(crate) fn end(&self) -> Option<End> {
        let State::Model(address) = self.state else {
            return None;
        };
        let monitor = self.monitor.as_ref().filter(|_| !self.is_controlled)?;
        match model::phase(monitor, address)? {
            Phase::Idle => Some(End::Idle),
            Phase::Halted => Some(End::Halted),
            Phase::Runs | Phase::Taken => None,
        }
    }

    /// Stops the machine, and returns the whereabouts of each PD that is not dead.
    pub(crate) fn whereabouts(&self, is_dead: impl Fn(&str) -> bool) -> Vec<Whereabouts> {
        let Some(monitor) = &self.monitor else {
            return Vec::new();
        };
        if let State::Sel4 { config, .. } = &self.state
            && !config.ends_with("debug")
        {
            return vec![Whereabouts {
                sentence: format!(
                    "it is not known where each PD is: seL4 has a list of its threads only with \
                     `--config debug`, and this is `{config}`"
                ),
                rest: Rest::Stuck,
            }];
        }
        let threads = self.threads(monitor);
        let Some(threads) = threads.filter(|threads| threads.len() == self.pds.len()) else {
            return Vec::new();
        };
        let memory = Memory::new(monitor);
        let alive = self.pds.iter().zip(&threads).filter(|(pd, _)| !is_dead(pd));
        let whereabouts = alive.map(|(pd, thread)| {
            let place = self.place(pd, thread, &memory);
            Whereabouts {
                sentence: thread::sentence(pd, thread, place.as_deref(), &self.relations),
                rest: match thread.doing {
                    Doing::Stopped if self.relations.is_child(pd) => Rest::Stopped,
                    _ if waits(thread) && place.is_none() => Rest::Idle,
                    _ => Rest::Stuck,
                },
            }
        });
        whereabouts.collect()
    }

    /// Stops the machine and returns the threads of all PDs.
    fn threads(&self, monitor: &Monitor) -> Option<Vec<Thread>> {
        match &self.state {
            State::Model(address) => {
                let threads = model::threads(monitor, *address);
                monitor.stop().and(threads)
            }
            State::Sel4 { elf, .. } => {
                monitor.stop()?;
                let processors = Processor::all(&monitor.registers()?)?;
                let memory = Memory::new(monitor);
                sel4::KernelImage::read(elf)?.threads(&memory, &processors, &self.pds)
            }
            State::Unknown => None,
        }
    }

    /// Returns the place of a PD in its own program.
    fn place(&self, pd: &str, thread: &Thread, memory: &Memory<'_>) -> Option<String> {
        let program = self.places.program(pd)?;
        let mut addresses = vec![thread.instruction];
        if let Some(tables) = stack::tables(memory, thread, &program) {
            addresses.extend(stack::calls(memory, tables, thread, &program));
        }
        let own = program.own_place(&addresses);
        // A place in the runtime is useful only for a thread that is not blocked.
        let runs = matches!(
            thread.doing,
            Doing::Runs | Doing::Ready | Doing::AwaitsBudget
        );
        own.or_else(|| runs.then(|| program.place(thread.instruction))?)
    }
}

/// The reason why no PD can run any more.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// No PD runs, and no event can wake a PD.
    Idle,
    /// The kernel has halted. The kernel's log contains the reason.
    Halted,
}

fn waits(thread: &Thread) -> bool {
    matches!(thread.doing, Doing::Receives | Doing::AwaitsNotification)
}
