//! Simulates PDs with registers and memory instead of Rust code. Such PDs run programs in machine
//! instructions, or set each register of a system call for a test.

use boot_spec::{Mapping, Perms};
use kernel_model::numbers::IPC_BUFFER_WORDS;
use kernel_model::{Event, UserContext};

use crate::lower::Image;

/// The processor of a PD that consists of registers only.
///
/// ```
/// use microkit_test::{Event, Memory, Processor, System, UserContext};
///
/// /// Makes the system call -1, again and again.
/// struct Repeats;
///
/// impl Processor for Repeats {
///     fn run(&mut self, context: &mut UserContext, _: &mut Memory<'_>) -> Event {
///         // Behind the `svc`.
///         context.pc += 4;
///         Event::Syscall((-1_i64).cast_unsigned())
///     }
/// }
/// # let file = r#"<system><protection_domain name="pd" priority="1">
/// #     <program_image path="pd.elf" /></protection_domain></system>"#;
/// let mut run = System::parse("pd.system", file)?.processor("pd.elf", || Repeats).start();
/// assert!(run.step());
/// # Ok::<(), microkit_test::SystemError>(())
/// ```
pub trait Processor {
    /// Runs the PD until an event enters the kernel, and returns the event.
    ///
    /// `context` holds the registers. On return, the program counter points behind the instruction
    /// of a system call, or to the instruction that caused a fault.
    fn run(&mut self, context: &mut UserContext, memory: &mut Memory<'_>) -> Event;
}

/// The memory of a PD: the memory regions that the PD maps, and its IPC buffer. The program and the
/// stack of the PD have no memory here.
#[derive(Debug)]
pub struct Memory<'a> {
    pub(crate) image: &'a Image,
    pub(crate) pd: usize,
    pub(crate) may_use_floats: bool,
    pub(crate) ipc_buffer: &'a mut [u64; IPC_BUFFER_WORDS],
}

/// The location of a word of memory.
enum Place {
    Shared { region: usize, index: usize },
    IpcBuffer { index: usize },
}

impl Memory<'_> {
    /// Reads the word that contains the address. Returns `None` if no memory is mapped at the
    /// address.
    pub fn load(&self, vaddr: u64) -> Option<u64> {
        let (place, _) = self.find(vaddr)?;
        Some(match place {
            Place::Shared { region, index } => self.image.regions[region].memory.read(index),
            Place::IpcBuffer { index } => self.ipc_buffer[index],
        })
    }

    /// Writes the word that contains the address. Returns whether writable memory is mapped at the
    /// address.
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

    /// Returns all mappings, including those of the program and the stack.
    pub fn mappings(&self) -> impl Iterator<Item = &Mapping> {
        self.image.spec.pds[self.pd].mappings.iter()
    }

    /// Returns whether the PD may use the floating-point registers.
    pub const fn may_use_floats(&self) -> bool {
        self.may_use_floats
    }

    /// Returns the permissions at an address, or `None` if no memory is mapped at the address.
    pub fn perms(&self, vaddr: u64) -> Option<Perms> {
        self.find(vaddr).map(|(_, perms)| perms)
    }

    fn find(&self, vaddr: u64) -> Option<(Place, Perms)> {
        let word = |from: u64| ((vaddr - from) / 8) as usize;
        let buffer = self.image.spec.pds[self.pd].ipc_buffer;
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
        self.image.pds[self.pd]
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
