//! Running puppets.

use core::sync::atomic::{AtomicU64, Ordering};

use heapless::Vec;
use microkit_abi::{limits, slots};
use sel4::sys::fault;
use sel4::{Word, cap, msg_reg};
use sel4_microkit::{shared_words, vspace};

use crate::code::{COPY, DONE, Instruction, SYSTEM_CALL};
use crate::event::{Done, FAULT_WORDS};
use crate::puppet::COUNT;
use crate::{Event, LAST, Puppet, Registers};

/// The address of the puppets' programs in their address spaces, mapped with `r` and `x`.
pub const CODE: Word = 0x400_0000;

/// The address of the region that driver and puppets share, in the puppets' address spaces, mapped
/// with `r` and `w`.
pub const DATA: Word = 0x500_0000;

/// A region that the puppets may only read.
pub const SEALED: Word = 0x600_0000;

/// An address where nothing is mapped.
pub const HOLE: Word = 0x700_0000;

/// The size of the code of one puppet.
pub(crate) const PROGRAM_BYTES: Word = 0x100;

/// The number of words in an IPC buffer.
const BUFFER_WORDS: usize = 128;

// SAFETY: Microkit puts the endpoint and the reply object into these slots. Replies go to puppets
// only.
const INPUT: cap::Endpoint = unsafe { cap::Endpoint::from_bits(slots::INPUT) };
// SAFETY: as above.
const REPLY: cap::Reply = unsafe { cap::Reply::from_bits(slots::REPLY) };

/// The events that followed an action, in their order.
pub type Events = Vec<Event, 8>;

/// Returns the address of the program of `puppet`.
pub(crate) const fn code_of(puppet: Puppet) -> Word {
    CODE + puppet.index() as Word * PROGRAM_BYTES
}

/// The puppets, and the memory that they share with the driver.
pub struct Stage {
    code: &'static [AtomicU64],
    data: &'static [AtomicU64],
    puppets: &'static [Puppet],
    given: [Registers; COUNT],
}

impl Stage {
    /// Stops `puppets` and [`LAST`] before any of them has run.
    pub fn new(puppets: &'static [Puppet]) -> Self {
        let mut stage = Self {
            code: shared_words!(code, code_size),
            data: shared_words!(data, data_size),
            puppets,
            given: [Registers::new(); COUNT],
        };
        LAST.suspend();
        stage.clear();
        stage
    }

    /// Makes a system call in `puppet`, runs all puppets until all are blocked, and returns the
    /// events.
    #[must_use]
    pub fn act(&mut self, puppet: Puppet, call: Registers) -> Events {
        self.begin(puppet, call);
        self.settle()
    }

    /// Makes a system call in `puppet`. The call must block.
    #[track_caller]
    pub fn block(&mut self, puppet: Puppet, call: Registers) {
        let events = self.act(puppet, call);
        assert!(events.is_empty(), "{puppet} must block, but: {}", events[0]);
    }

    /// Makes a system call in `puppet`. The call must return without any other event.
    #[track_caller]
    pub fn quietly(&mut self, puppet: Puppet, call: Registers) {
        let events = self.act(puppet, call);
        let [event] = &events[..] else {
            panic!("{} events instead of one", events.len())
        };
        assert!(event.puppet() == Some(puppet) && event.is_done(), "{event}");
    }

    /// Suspends all puppets except [`LAST`].
    pub fn clear(&mut self) {
        for puppet in self.puppets {
            puppet.suspend();
        }
    }

    /// Runs a program in `puppet`, runs all puppets until all are blocked, and returns the events.
    #[must_use]
    pub fn run(&mut self, puppet: Puppet, program: &[Instruction], given: Registers) -> Events {
        self.start(puppet, program, given);
        self.settle()
    }

    /// Prepares `puppet` to make a system call as soon as the driver waits.
    pub fn begin(&mut self, puppet: Puppet, call: Registers) {
        self.start(puppet, SYSTEM_CALL, call);
    }

    /// Prepares `puppet` to run a program as soon as the driver waits.
    pub fn start(&mut self, puppet: Puppet, program: &[Instruction], given: Registers) {
        self.load(puppet, program);
        self.start_at(puppet, code_of(puppet), given);
    }

    /// Prepares `puppet` to run at `pc` as soon as the driver waits.
    pub fn start_at(&mut self, puppet: Puppet, pc: Word, given: Registers) {
        self.given[puppet.index()] = given;
        // SAFETY: see *Puppets* in the crate documentation.
        unsafe {
            puppet
                .tcb()
                .tcb_write_all_registers(true, &mut given.context(pc))
        }
        .expect("the puppet is a child");
    }

    /// Runs all puppets until all are blocked, and returns the events.
    #[must_use]
    pub fn settle(&mut self) -> Events {
        self.start(LAST, &[DONE], Registers::new());
        let mut events = Events::new();
        loop {
            let event = self.wait();
            if event.puppet() == Some(LAST) {
                return events;
            }
            assert!(events.push(event).is_ok(), "more events than expected");
        }
    }

    /// Waits for an event. A puppet that has reached the end of its program is suspended.
    pub fn wait(&mut self) -> Event {
        let (info, badge) = INPUT.recv(REPLY);
        let words: [Word; FAULT_WORDS] = core::array::from_fn(msg_reg);
        let mut event = Event {
            badge,
            info,
            words,
            done: None,
        };
        if let Some(puppet) = event.puppet()
            && info.label() == fault::UserException
            && self.instruction(words[0]) == Some(DONE)
        {
            let registers = puppet.tcb().tcb_read_all_registers(true);
            let registers = registers.expect("the puppet is a child");
            event.done = Some(Done {
                registers: core::array::from_fn(|index| *registers.gpr(index)),
                are_others_kept: self.given[puppet.index()].are_kept(&registers),
            });
        }
        event
    }

    /// Returns a word of the shared region.
    pub fn data(&self, index: usize) -> &AtomicU64 {
        &self.data[index]
    }

    /// Writes to the IPC buffer of `puppet`, starting at word `first`. Word 0 is the tag, word 1
    /// the first message register, and word 122 the first capability.
    pub fn write_buffer(&mut self, puppet: Puppet, first: usize, words: &[Word]) {
        if words.is_empty() {
            return;
        }
        for (shared, word) in self.data.iter().zip(words) {
            shared.store(*word, Ordering::Relaxed);
        }
        self.copy(puppet, DATA, buffer_address(first), words.len());
    }

    /// Reads the IPC buffer of `puppet`.
    pub fn read_buffer(&mut self, puppet: Puppet) -> [Word; BUFFER_WORDS] {
        self.copy(puppet, buffer_address(0), DATA, BUFFER_WORDS);
        core::array::from_fn(|index| self.data[index].load(Ordering::Relaxed))
    }

    /// Copies words in `puppet`. The copy replaces the current program of `puppet`.
    fn copy(&mut self, puppet: Puppet, from: Word, to: Word, words: usize) {
        let registers = Registers::new()
            .with(9, from)
            .with(10, to)
            .with(11, words as Word);
        let events = self.run(puppet, COPY, registers);
        assert!(
            matches!(&events[..], [event] if event.done.is_some()),
            "{puppet} must copy without any other event"
        );
    }

    /// Writes a program to the code of `puppet`.
    fn load(&self, puppet: Puppet, program: &[Instruction]) {
        let first = (code_of(puppet) - CODE) as usize / size_of::<Word>();
        let place = &self.code[first..][..program.len().div_ceil(2)];
        for (word, pair) in place.iter().zip(program.chunks(2)) {
            let high = pair.get(1).copied().unwrap_or(DONE);
            let pair = Word::from(high) << Instruction::BITS | Word::from(pair[0]);
            word.store(pair, Ordering::Relaxed);
        }
        let bytes = place.as_ptr_range();
        vspace()
            .vspace_unify_instruction(bytes.start as usize, bytes.end as usize)
            .expect("the program is in one page");
    }

    /// Returns the instruction at an address in the puppets' code.
    fn instruction(&self, address: Word) -> Option<Instruction> {
        let offset = address.checked_sub(CODE)?;
        let word = self.code.get(offset as usize / size_of::<Word>())?;
        let pair = word.load(Ordering::Relaxed);
        Some((pair >> (offset % 8 * 8)) as Instruction)
    }
}

/// Returns the address of a word in the IPC buffer.
const fn buffer_address(word: usize) -> Word {
    limits::ipc_buffer_address(sel4::config::USER_TOP as u64) + (word * size_of::<Word>()) as Word
}
