//! Protection domains that are no Rust code on the host, but registers and memory: for programs in
//! machine instructions, and for whoever wants to make system calls word by word.

use boot_spec::{Mapping, Perms};
use kernel_model::numbers::IPC_BUFFER_WORDS;
use kernel_model::{Event, UserContext};

use crate::lower::Image;

/// Runs a protection domain of which there are only registers.
pub trait Processor {
    /// Runs until something enters the kernel, and says what.
    ///
    /// `context` holds the registers. On return its program counter is behind the instruction of a
    /// system call, and at the one that caused a fault.
    fn run(&mut self, context: &mut UserContext, memory: &mut Memory<'_>) -> Event;
}

/// The memory of a protection domain: the memory regions that it maps, and its IPC buffer. Its
/// program and its stack are not there.
#[derive(Debug)]
pub struct Memory<'a> {
    pub(crate) image: &'a Image,
    pub(crate) domain: usize,
    pub(crate) may_use_floats: bool,
    pub(crate) ipc_buffer: &'a mut [u64; IPC_BUFFER_WORDS],
}

/// What a word of memory is.
enum Place {
    Shared { region: usize, index: usize },
    IpcBuffer { index: usize },
}

impl Memory<'_> {
    /// Reads the word that the address is in; `None` if nothing is mapped there.
    pub fn load(&self, vaddr: u64) -> Option<u64> {
        let (place, _) = self.find(vaddr)?;
        Some(match place {
            Place::Shared { region, index } => self.image.regions[region].memory.read(index),
            Place::IpcBuffer { index } => self.ipc_buffer[index],
        })
    }

    /// Writes the word that the address is in. Returns whether something is mapped there that may
    /// be written.
    pub fn store(&mut self, vaddr: u64, word: u64) -> bool {
        match self.find(vaddr) {
            Some((place, perms)) if perms.write => {
                match place {
                    Place::Shared { region, index } => {
                        self.image.regions[region].memory.write(index, word);
                    }
                    Place::IpcBuffer { index } => self.ipc_buffer[index] = word,
                }
                true
            }
            _ => false,
        }
    }

    /// Everything that is mapped, program and stack among it.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.image.spec.pds[self.domain].mappings.iter()
    }

    /// Whether it may use the floating-point registers.
    pub const fn may_use_floats(&self) -> bool {
        self.may_use_floats
    }

    /// What may be done at an address; `None` if nothing is mapped there.
    pub fn perms(&self, vaddr: u64) -> Option<Perms> {
        self.find(vaddr).map(|(_, perms)| perms)
    }

    fn find(&self, vaddr: u64) -> Option<(Place, Perms)> {
        let word = |from: u64| ((vaddr - from) / 8) as usize;
        let buffer = self.image.spec.pds[self.domain].ipc_buffer;
        if let Some(offset) = vaddr.checked_sub(buffer)
            && offset < 8 * IPC_BUFFER_WORDS as u64
        {
            let perms = Perms {
                read: true,
                write: true,
                execute: false,
            };
            let index = word(buffer);
            return Some((Place::IpcBuffer { index }, perms));
        }
        self.image.domains[self.domain]
            .maps
            .iter()
            .filter(|map| map.perms.read && map.vaddr <= vaddr)
            .find_map(|map| {
                let index = word(map.vaddr);
                let place = Place::Shared {
                    region: map.region,
                    index,
                };
                (index < self.image.regions[map.region].memory.len()).then_some((place, map.perms))
            })
    }
}
