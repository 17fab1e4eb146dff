//! Where each PD is when a run ends that did not end by itself: its function and line, and what it
//! waits for.
//!
//! The machine is looked into from outside, by QEMU's [monitor](Monitor). The [model kernel](model)
//! writes its state down when it is asked to; [seL4's](sel4) is read as it lies. Both give a
//! [thread] for each PD, whose [stack] is followed in its own [memory], up to the
//! first function that is neither the runtime's nor Rust's.

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

/// Where a kernel has what it knows of its threads.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// The model kernel: its words are at this address.
    Model(u64),
    /// seL4, with this ELF file; only in the configuration `debug` does it keep a list.
    Sel4 { elf: PathBuf, config: String },
    /// Nobody knows where.
    Unknown,
}

/// Where a PD is, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) sentence: String,
    /// Whether something has gone wrong if it stays there.
    pub(crate) rest: Rest,
}

/// What it means that a PD stays where it is.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It waits for events, and none comes.
    Idle,
    /// Its parent may have stopped it.
    Stopped,
    /// It waits for what it needs to go on.
    Stuck,
}

/// Looks into the machine that runs a system.
pub(crate) struct Observer {
    monitor: Option<Monitor>,
    /// Whether someone else may stop or change the machine.
    is_controlled: bool,
    state: State,
    pds: Vec<String>,
    pub(crate) places: Places,
    relations: Relations,
}

impl Observer {
    /// Looks by this monitor into the machine that a command starts.
    pub(crate) fn new(monitor: Option<Monitor>, command: &Command, packed: &Packed) -> Self {
        Self {
            is_controlled: is_controlled(command),
            monitor,
            state: packed.state.clone(),
            pds: packed.pds.iter().map(|pd| pd.name.clone()).collect(),
            places: Places::of(&packed.pds),
            relations: packed.relations.clone(),
        }
    }

    /// Why nothing can happen any more, if the kernel says so. With a debugger at the machine, or a
    /// person at another monitor, something still can.
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

    /// Stops the machine, and says of each PD that is not dead where it is.
    pub(crate) fn whereabouts(&self, is_dead: impl Fn(&str) -> bool) -> Vec<Whereabouts> {
        let Some(monitor) = &self.monitor else {
            return Vec::new();
        };
        if let State::Sel4 { config, .. } = &self.state
            && !config.ends_with("debug")
        {
            return vec![Whereabouts {
                sentence: format!(
                    "where each PD is cannot be told: seL4 keeps no list of its threads in the \
                     configuration `{config}`, but does with `--config debug`"
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

    /// The threads of all PDs, of a machine that is stopped then.
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
                sel4::Kernel::of(elf)?.threads(&memory, &processors, &self.pds)
            }
            State::Unknown => None,
        }
    }

    /// Where a PD is in its own program.
    fn place(&self, pd: &str, thread: &Thread, memory: &Memory<'_>) -> Option<String> {
        let program = self.places.program(pd)?;
        let mut addresses = vec![thread.instruction];
        if let Some(tables) = stack::tables(memory, thread, &program) {
            addresses.extend(stack::calls(memory, tables, thread, &program));
        }
        let own = program.own_place(&addresses);
        // Where all is the runtime's, the place says something of one that is on its way only.
        let runs = matches!(
            thread.doing,
            Doing::Runs | Doing::Ready | Doing::AwaitsBudget
        );
        own.or_else(|| runs.then(|| program.place(thread.instruction))?)
    }
}

/// Why nothing can happen any more.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// No PD runs, and nothing can wake one.
    Idle,
    /// The kernel has halted, and its log says why.
    Halted,
}

fn waits(thread: &Thread) -> bool {
    matches!(thread.doing, Doing::Receives | Doing::AwaitsNotification)
}
