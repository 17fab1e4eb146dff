//! Reads the threads of seL4 from the machine's memory, with the kernel's ELF file.
//!
//! A kernel of the configuration `debug` has a list of all threads with their names
//! (`ksDebugTCBs`). The layout of the kernel's structures comes from its debug information. The
//! debug information does not describe the fields of a word, or the place of a TCB in its object.
//! This module contains these facts as constants, from seL4 16.0.0.
//!
//! Checks of invariants detect another version of seL4. The list must be linked correctly in both
//! directions. Every PD must be in the list once. The idle and the running thread must be in their
//! usual states. If a check fails, no thread is reported.

use std::ops::Range;
use std::path::Path;

use object::read::elf::{FileHeader, ProgramHeader};
use object::{Object, ObjectSymbol};

use super::dwarf::Types;
use super::memory::Memory;
use super::thread::{Doing, Thread};

/// The maximum length of the thread list. A system has fewer threads: at most 63 PDs, each with at
/// most one virtual CPU.
const MOST_THREADS: usize = 256;

/// The type bits, in the first word of a thread's state and of a fault
/// (`include/object/structures_64.bf`: `tsType`, `seL4_FaultType`).
const TYPE: u64 = 0xf;

/// The offset of the address word in a VSpace capability, and the address bits of that word
/// (`include/arch/arm/arch/64/mode/object/structures.bf`: `capVSBasePtr`).
const VSPACE_WORD: u64 = 8;
const VSPACE_ADDRESS: u64 = (1 << 48) - 1;

/// The physical address bits of an address in the kernel's window to all physical memory
/// (`include/arch/arm/arch/64/mode/hardware.h`: `PPTR_BASE`).
const PHYSICAL: u64 = (1 << 39) - 1;

/// The contents of a kernel's ELF file that are needed to read its threads.
#[derive(Debug)]
pub(super) struct KernelImage {
    types: Types,
    cores: Vec<Core>,
    /// The virtual addresses of the kernel's image, and their distance from the physical addresses.
    image: Range<u64>,
    image_offset: u64,
}

/// The addresses of a core's variables: the list of threads, the current thread, the idle thread,
/// and the release queue.
#[derive(Debug)]
struct Core {
    listed: u64,
    current: u64,
    idle: u64,
    released: u64,
}

impl Core {
    /// Creates a core from the addresses that `field` returns.
    fn new(field: impl Fn(&str) -> Option<u64>) -> Option<Self> {
        Some(Self {
            listed: field("ksDebugTCBs")?,
            current: field("ksCurThread")?,
            idle: field("ksIdleThread")?,
            released: field("ksReleaseQueue")?,
        })
    }

    /// Finds the cores of a kernel. With several cores, the variables are in an array (`NODE_STATE`
    /// in `include/model/statedata.h`).
    fn all(types: &Types, symbol: impl Fn(&str) -> Option<(u64, u64)>) -> Option<Vec<Self>> {
        let Some((start, bytes)) = symbol("ksSMP") else {
            let one = Self::new(|name| Some(symbol(name)?.0))?;
            return Some(vec![one]);
        };
        let each = types.bytes("smpStatedata")?;
        let fields = types.offset("smpStatedata", "system")?;
        let cores = (0..bytes / each).map(|core| {
            Self::new(|name| Some(start + core * each + fields + types.offset("nodeState", name)?))
        });
        cores.collect()
    }
}

/// A thread in a kernel's list.
struct Listed<'a> {
    tcb: u64,
    name: String,
    is_current: bool,
    is_released: bool,
    /// The processor that was executing the thread.
    live: Option<&'a Processor>,
}

/// The state of a stopped processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Processor {
    /// Whether the processor was executing a thread's instructions, not the kernel.
    pub(super) is_in_thread: bool,
    pub(super) pc: u64,
    pub(super) sp: u64,
    pub(super) x: [u64; 31],
}

impl KernelImage {
    /// Reads the kernel's ELF file. Returns `None` if the kernel has no thread list or no debug
    /// information.
    pub(super) fn read(file: &Path) -> Option<Self> {
        let bytes = std::fs::read(file).ok()?;
        let elf = object::File::parse(&*bytes).ok()?;
        let types = Types::from_elf(&elf)?;
        let cores = Core::all(&types, |name| {
            let symbol = elf.symbols().find(|symbol| symbol.name() == Ok(name))?;
            Some((symbol.address(), symbol.size()))
        })?;
        let header = object::elf::FileHeader64::<object::Endianness>::parse(&*bytes).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, &*bytes).ok()?;
        let loaded = segments
            .iter()
            .find(|s| s.p_type(endian) == object::elf::PT_LOAD)?;
        let start = loaded.p_vaddr(endian);
        let image_offset = start.checked_sub(loaded.p_paddr(endian))?;
        Some(Self {
            types,
            cores,
            image: start..start.checked_add(loaded.p_memsz(endian))?,
            image_offset,
        })
    }

    /// Reads the threads of the PDs with these names, in the same order.
    pub(super) fn threads(
        &self,
        memory: &Memory<'_>,
        processors: &[Processor],
        pds: &[String],
    ) -> Option<Vec<Thread>> {
        let mut listed = Vec::new();
        for (core, processor) in self.cores.iter().zip(processors) {
            listed.extend(self.of_core(memory, core, processor)?);
        }
        let threads = pds.iter().map(|pd| {
            let mut named = listed.iter().filter(|thread| thread.name == *pd);
            let thread = named.next().filter(|_| named.next().is_none())?;
            self.thread(memory, thread)
        });
        // Without the state of each processor, it is unknown which threads are running.
        threads
            .collect::<Option<_>>()
            .filter(|_| processors.len() == self.cores.len())
    }

    /// Reads the threads of a core.
    fn of_core<'a>(
        &self,
        memory: &Memory<'_>,
        core: &Core,
        processor: &'a Processor,
    ) -> Option<Vec<Listed<'a>>> {
        let word = |address| memory.word(self.physical(address));
        let (current, idle) = (word(core.current)?, word(core.idle)?);
        let is = |tcb, name| self.state(memory, tcb) == self.types.enumerator(name);
        let is_running = is(current, "ThreadState_Running") || is(current, "ThreadState_Restart");
        // During a system call, the current thread may already be in another state.
        let is_sound = current == idle || is_running || !processor.is_in_thread;
        if !is(idle, "ThreadState_IdleThreadState") || !is_sound {
            return None;
        }
        let released = self.released(memory, core)?;
        let listed = self.listed(memory, word(core.listed)?)?;
        let listed = listed.into_iter().map(|(tcb, name)| Listed {
            tcb,
            name,
            is_current: tcb == current,
            is_released: released.contains(&tcb),
            live: (tcb == current && processor.is_in_thread).then_some(processor),
        });
        Some(listed.collect())
    }

    /// Reads the list of threads with their names.
    fn listed(&self, memory: &Memory<'_>, first: u64) -> Option<Vec<(u64, String)>> {
        let types = &self.types;
        let mut listed = Vec::new();
        let (mut before, mut tcb) = (0, first);
        while tcb != 0 {
            let slots = self.slots(tcb)?;
            let debug = slots + types.enumerator("tcbCNodeEntries")? * types.bytes("cte")?;
            let field = |name| Some(self.physical(debug) + types.offset("debug_tcb", name)?);
            if memory.word(field("tcbDebugPrev")?)? != before || listed.len() == MOST_THREADS {
                return None;
            }
            let name = field("tcbName")?;
            let room = self.physical(tcb).checked_sub(name)?;
            let name = memory.bytes(name, usize::try_from(room).ok()?)?;
            let name = name.split(|byte| *byte == 0).next()?;
            listed.push((tcb, String::from_utf8_lossy(name).into_owned()));
            (before, tcb) = (tcb, memory.word(field("tcbDebugNext")?)?);
        }
        Some(listed)
    }

    /// Returns the address of a TCB's slots. The slots are before the TCB. Each half of the object
    /// has the size of the TCB, rounded up to a power of two (`TCB_OFFSET` in
    /// `include/object/structures.h`).
    fn slots(&self, tcb: u64) -> Option<u64> {
        let half = self.types.bytes("tcb")?.checked_next_power_of_two()?;
        (tcb % (2 * half) == half).then(|| tcb - half)
    }

    /// Reads the release queue: the threads that wait for a budget refill.
    fn released(&self, memory: &Memory<'_>, core: &Core) -> Option<Vec<u64>> {
        let queue = self.physical(core.released);
        let mut tcb = memory.word(queue + self.types.offset("tcb_queue", "head")?)?;
        let mut released = Vec::new();
        while tcb != 0 {
            if released.len() == MOST_THREADS {
                return None;
            }
            released.push(tcb);
            tcb = memory.word(self.physical(tcb) + self.types.offset("tcb", "tcbSchedNext")?)?;
        }
        Some(released)
    }

    /// Translates an address of the kernel to its physical address. The address is in the kernel's
    /// image (the idle thread), or in the window to all memory.
    fn physical(&self, address: u64) -> u64 {
        match self.image.contains(&address) {
            true => address - self.image_offset,
            false => address & PHYSICAL,
        }
    }

    fn state(&self, memory: &Memory<'_>, tcb: u64) -> Option<u64> {
        let state = self.physical(tcb) + self.types.offset("tcb", "tcbState")?;
        Some(memory.word(state)? & TYPE)
    }

    fn thread(&self, memory: &Memory<'_>, listed: &Listed<'_>) -> Option<Thread> {
        let Listed {
            tcb,
            is_current,
            is_released,
            live,
            ..
        } = *listed;
        let types = &self.types;
        let field = |name| memory.word(self.physical(tcb) + types.offset("tcb", name)?);
        let state = self.state(memory, tcb)?;
        let is = |name: &str| types.enumerator(&format!("ThreadState_{name}")) == Some(state);
        let is_faulted = field("tcbFault")? & TYPE != 0;
        let doing = if is("Inactive") {
            Doing::Stopped
        } else if is("Running") || is("Restart") {
            match field("tcbSchedContext")? {
                _ if is_current => Doing::Runs,
                0 => Doing::HasNoSchedContext,
                _ if is_released => Doing::AwaitsBudget,
                _ => Doing::Ready,
            }
        } else if is("BlockedOnReceive") {
            Doing::Receives
        } else if is("BlockedOnNotification") {
            Doing::AwaitsNotification
        } else if is("BlockedOnSend") || is("BlockedOnReply") {
            match is("BlockedOnSend") {
                _ if is_faulted => Doing::Faulted,
                true => Doing::Sends,
                false => Doing::AwaitsReply,
            }
        } else {
            return None;
        };
        let registers = types.offset("tcb", "tcbArch")?
            + types.offset("arch_tcb", "tcbContext")?
            + types.offset("user_context", "registers")?;
        let register = |name| {
            let index = types.enumerator(name)?;
            memory.word(self.physical(tcb) + registers + index * size_of::<u64>() as u64)
        };
        let vspace = self.slots(tcb)? + types.enumerator("tcbVTable")? * types.bytes("cte")?;
        let tables =
            self.physical(memory.word(self.physical(vspace) + VSPACE_WORD)? & VSPACE_ADDRESS);
        Some(match live {
            Some(processor) => Thread {
                doing,
                instruction: processor.pc,
                stack_pointer: processor.sp,
                frame_pointer: processor.x[29],
                link: processor.x[30],
                capability: processor.x[0],
                tables,
            },
            None => Thread {
                doing,
                // The next instruction of a blocked thread may already be after its system call.
                instruction: register(if is("Running") { "NextIP" } else { "FaultIP" })?,
                stack_pointer: register("SP_EL0")?,
                frame_pointer: register("X29")?,
                link: register("X30")?,
                capability: register("X0")?,
                tables,
            },
        })
    }
}

impl Processor {
    /// Parses the registers of all processors, in the text format of QEMU's monitor.
    pub(super) fn all(text: &str) -> Option<Vec<Self>> {
        let processors = text.split("CPU#").skip(1);
        processors.map(Self::from_registers).collect()
    }

    fn from_registers(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut words = text.split_whitespace();
            let word = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
            u64::from_str_radix(word, 16).ok()
        };
        let mut x = [0; 31];
        for (number, register) in x.iter_mut().enumerate() {
            *register = value(&format!("X{number:02}"))?;
        }
        let (_, state) = text.split_once("PSTATE=")?;
        let mut state = state.lines().next()?.split_whitespace();
        Some(Self {
            is_in_thread: state.any(|word| word == "EL0t"),
            pc: value("PC")?,
            sp: value("SP")?,
            x,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whereabouts::memory::tests::Words;

    /// The layout of the kernel in these tests. A TCB is the upper half of an object of 0x200
    /// bytes.
    const IMAGE: u64 = 0xff_c000_0000;
    const TCB_BYTES: u64 = 0x100;
    const CTE_BYTES: u64 = 8;

    fn types() -> Types {
        Types::new(
            &[
                (
                    "tcb",
                    TCB_BYTES - 8,
                    &[
                        ("tcbArch", 0),
                        ("tcbState", 0x80),
                        ("tcbFault", 0x90),
                        ("tcbSchedContext", 0xa0),
                        ("tcbSchedNext", 0xa8),
                    ],
                ),
                ("arch_tcb", 0x80, &[("tcbContext", 0)]),
                ("user_context", 0x80, &[("registers", 0)]),
                ("cte", CTE_BYTES, &[]),
                (
                    "debug_tcb",
                    0x10,
                    &[("tcbDebugNext", 0), ("tcbDebugPrev", 8), ("tcbName", 16)],
                ),
                ("tcb_queue", 0x10, &[("head", 0)]),
            ],
            &[
                ("ThreadState_Inactive", 0),
                ("ThreadState_Running", 1),
                ("ThreadState_Restart", 2),
                ("ThreadState_BlockedOnReceive", 3),
                ("ThreadState_BlockedOnSend", 4),
                ("ThreadState_BlockedOnReply", 5),
                ("ThreadState_BlockedOnNotification", 6),
                ("ThreadState_IdleThreadState", 7),
                ("tcbVTable", 1),
                ("tcbCNodeEntries", 3),
                ("X0", 0),
                ("X29", 1),
                ("X30", 2),
                ("SP_EL0", 3),
                ("NextIP", 4),
                ("FaultIP", 5),
            ],
        )
    }

    /// A kernel whose image is outside the window to all memory.
    fn kernel() -> KernelImage {
        let core = Core {
            listed: IMAGE,
            current: IMAGE + 8,
            idle: IMAGE + 16,
            released: IMAGE + 24,
        };
        KernelImage {
            types: types(),
            cores: vec![core],
            image: IMAGE..IMAGE + 0x1000,
            image_offset: IMAGE - 0x6000_0000,
        }
    }

    /// A machine with two PDs. The current thread `a` is running. The thread `b` waits for a reply.
    struct Machine {
        words: Words,
        processor: Processor,
    }

    const A: u64 = 0x80_6010_0100;
    const B: u64 = 0x80_6010_0300;
    const IDLE: u64 = IMAGE + 0x500;

    impl Machine {
        fn new() -> Self {
            let mut machine = Self {
                words: Words::default(),
                processor: Processor {
                    is_in_thread: true,
                    pc: 0x20_0000,
                    sp: 0x9000,
                    x: std::array::from_fn(|number| number as u64),
                },
            };
            for (index, value) in [A, A, IDLE, 0].into_iter().enumerate() {
                machine.set(IMAGE + 8 * index as u64, value);
            }
            for (tcb, next, before, name) in [(A, B, 0, *b"a"), (B, 0, A, *b"b")] {
                let debug = tcb - TCB_BYTES + 3 * CTE_BYTES;
                machine.set(debug, next);
                machine.set(debug + 8, before);
                machine.set(debug + 16, name[0].into());
                machine.set(tcb + 0xa0, 1);
            }
            machine.set(A + 0x80, 1);
            machine.set(B + 0x80, 0x80_6020_0000 | 5);
            machine.set(IDLE + 0x80, 7);
            for register in 0..6 {
                machine.set(B + 8 * register, 0x1000 + register);
            }
            machine.set(B - TCB_BYTES + CTE_BYTES + 8, 7 << 48 | 0x80_6030_0000);
            machine
        }

        fn set(&mut self, address: u64, value: u64) {
            let physical = kernel().physical(address);
            self.words.0.insert(physical, value);
        }

        fn threads(&self, pds: &[&str]) -> Option<Vec<Thread>> {
            let pds: Vec<_> = pds.iter().map(|pd| (*pd).to_owned()).collect();
            let processors = std::slice::from_ref(&self.processor);
            kernel().threads(&Memory::new(&self.words), processors, &pds)
        }
    }

    #[test]
    fn each_pd_has_its_thread() {
        let threads = Machine::new().threads(&["b", "a"]).expect("they are there");
        let expect = [
            Thread {
                doing: Doing::AwaitsReply,
                instruction: 0x1005,
                stack_pointer: 0x1003,
                frame_pointer: 0x1001,
                link: 0x1002,
                capability: 0x1000,
                tables: 0x6030_0000,
            },
            Thread {
                doing: Doing::Runs,
                instruction: 0x20_0000,
                stack_pointer: 0x9000,
                frame_pointer: 29,
                link: 30,
                capability: 0,
                tables: 0,
            },
        ];
        assert_eq!(threads, expect);
    }

    #[test]
    fn each_state_of_a_thread_is_recognised() {
        let check = |changes: &[(u64, u64)], expect| {
            let mut machine = Machine::new();
            for (offset, value) in changes {
                machine.set(B + offset, *value);
            }
            let threads = machine.threads(&["b"]).expect("it is there");
            assert_eq!(threads[0].doing, expect, "{changes:x?}");
        };
        check(&[(0x80, 0)], Doing::Stopped);
        check(&[(0x80, 1)], Doing::Ready);
        check(&[(0x80, 2), (0xa0, 0)], Doing::HasNoSchedContext);
        check(&[(0x80, 3)], Doing::Receives);
        check(&[(0x80, 4)], Doing::Sends);
        check(&[(0x80, 4), (0x90, 5)], Doing::Faulted);
        check(&[(0x80, 6)], Doing::AwaitsNotification);
        // `b` is the head of the release queue.
        let mut machine = Machine::new();
        machine.set(IMAGE + 24, B);
        machine.set(B + 0x80, 1);
        let threads = machine.threads(&["b"]).expect("it is there");
        assert_eq!(threads[0].doing, Doing::AwaitsBudget);
    }

    #[test]
    fn no_thread_is_reported_if_an_invariant_fails() {
        let check = |address: u64, value: u64| {
            let mut machine = Machine::new();
            machine.set(address, value);
            assert_eq!(
                machine.threads(&["a", "b"]),
                None,
                "{address:#x}: {value:#x}"
            );
        };
        let debug = |tcb: u64| tcb - TCB_BYTES + 3 * CTE_BYTES;
        check(IMAGE, B);
        check(IMAGE, A + 8);
        check(IMAGE + 16, A);
        check(debug(B), A);
        check(debug(B) + 8, 0);
        check(debug(B) + 16, b'a'.into());
        check(A + 0x80, 3);
        check(B + 0x80, 7);
        check(B + 0x80, 15);
        assert_eq!(Machine::new().threads(&["a", "c"]), None);
        // The release queue is circular, so the queue has no end.
        let mut machine = Machine::new();
        machine.set(IMAGE + 24, B);
        machine.set(B + 0xa8, B);
        assert_eq!(machine.threads(&["a", "b"]), None);
    }

    #[test]
    fn registers_are_parsed_as_qemu_prints_them() {
        let registers: String = (1..31).map(|x| format!(" X{x:02}={x:016x}")).collect();
        let text = |state: &str| {
            format!(
                "\nCPU#0\n PC=0000000000200004 X00=00000000000000ff{registers}  \
                 SP=0000000000009000\nPSTATE={state}     FPCR=00000000 FPSR=00000000\n"
            )
        };
        let both = text("600003c0 -ZC- EL0t") + &text("400003c9 -Z-- NS EL2h");
        let both = Processor::all(&both).expect("complete registers");
        let in_thread: Vec<_> = both.iter().map(|one| one.is_in_thread).collect();
        assert_eq!(in_thread, [true, false]);
        assert_eq!((both[0].pc, both[0].sp), (0x20_0004, 0x9000));
        assert_eq!((both[0].x[0], both[0].x[30]), (0xff, 30));
        assert_eq!(Processor::all("what?"), Some(vec![]));
        assert_eq!(Processor::all("CPU#0\n PC=0000000000200004"), None);
    }

    #[test]
    fn each_core_has_its_own_variables() {
        let types = Types::new(
            &[
                ("smpStatedata", 0x100, &[("system", 0x20)]),
                (
                    "nodeState",
                    0x80,
                    &[
                        ("ksDebugTCBs", 0),
                        ("ksCurThread", 8),
                        ("ksIdleThread", 16),
                        ("ksReleaseQueue", 24),
                    ],
                ),
            ],
            &[],
        );
        let several = |name: &str| (name == "ksSMP").then_some((0x1000, 0x200));
        let cores = Core::all(&types, several).expect("the fields are known");
        let current: Vec<_> = cores.iter().map(|core| core.current).collect();
        assert_eq!(current, [0x1028, 0x1128]);
        let one = |name: &str| (name != "ksSMP").then_some((0x2000, 8));
        let cores = Core::all(&types, one).expect("the fields are known");
        assert_eq!((cores.len(), cores[0].idle), (1, 0x2000));
        assert!(Core::all(&types, |_| None).is_none());
        // Without the state of a processor, no thread is reported.
        let machine = Machine::new();
        let memory = Memory::new(&machine.words);
        assert_eq!(kernel().threads(&memory, &[], &[]), None);
    }
}
