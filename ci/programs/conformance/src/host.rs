//! Puppets on the host: an interpreter of their instructions (Arm ARM, *A64 Base Instruction
//! Descriptions*, and *`ESR_EL2`* for the syndromes of their exceptions).

use microkit_test::{Event, Memory, Processor, UserContext};

use crate::code::{DONE, Instruction, SVC};

/// Interprets the programs of puppets. A test uses this type as the processor of
/// `conformance-puppet.elf`.
///
/// Only the instructions that the conformance systems use are defined.
#[derive(Debug)]
pub struct Instructions {
    most: u64,
}

impl Instructions {
    /// Creates an interpreter that runs a puppet until the puppet enters the kernel.
    pub const fn new() -> Self {
        Self::at_most(u64::MAX)
    }

    /// Creates an interpreter that interrupts a puppet after this many instructions, as a timer
    /// does. So a puppet in an endless loop returns to the test. Each return ends a step of the
    /// run, and the test can set the time that each step takes.
    pub const fn at_most(most: u64) -> Self {
        Self { most }
    }
}

impl Default for Instructions {
    fn default() -> Self {
        Self::new()
    }
}

impl Processor for Instructions {
    fn run(&mut self, context: &mut UserContext, memory: &mut Memory<'_>) -> Event {
        for _ in 0..self.most {
            if let Err(exception) = instruction(context, memory) {
                return Event::of_exception(exception.syndrome, exception.address, context);
            }
        }
        Event::Tick
    }
}

/// The exception of an instruction: the syndrome, and the address of a memory access.
struct Exception {
    syndrome: u64,
    address: u64,
}

impl Exception {
    const fn new(syndrome: u64) -> Self {
        Self {
            syndrome,
            address: 0,
        }
    }
}

const SYSTEM_CALL: u64 = 0x5600_0000;
const UNDEFINED: u64 = 0x200_0000;
const MISALIGNED_PC: u64 = 0x8a00_0000;
const BREAKPOINT: u64 = 0xf200_0001;
const FLOATS_ARE_DISABLED: u64 = 0x1fe0_0000;
const MASKS_INTERRUPTS: u64 = 0x6207_93e4;
const FETCH: u64 = 0x8200_0000;
const DATA: u64 = 0x9200_0000;

/// Runs one instruction.
fn instruction(context: &mut UserContext, memory: &mut Memory<'_>) -> Result<(), Exception> {
    let pc = context.pc;
    if !pc.is_multiple_of(4) {
        return Err(Exception::new(MISALIGNED_PC));
    }
    let code = fetch(memory, pc)?;
    let field = |shift: u32, bits: u32| u64::from(code >> shift & ((1 << bits) - 1));
    let (to, base) = (field(0, 5), field(5, 5));
    let address = read(context, base, true);
    let scaled = |bytes: u64| address.wrapping_add(field(10, 12) * bytes);
    let signed = |shift: u32, bits: u32| (code as i32) << (32 - shift - bits) >> (32 - bits);
    let mut next = pc.wrapping_add(4);
    match code {
        // `svc`. The kernel ignores the immediate.
        _ if code & !IMMEDIATE == SVC => {
            context.pc = next;
            return Err(Exception::new(SYSTEM_CALL));
        }
        // `ldr` and `str` of a word, with an offset.
        _ if code & 0xffc0_0000 == 0xf940_0000 => {
            let word = load(memory, scaled(8), Access::word(to, false))?;
            write(context, to, word);
        }
        _ if code & 0xffc0_0000 == 0xf900_0000 => {
            let word = read(context, to, false);
            store(memory, scaled(8), word, Access::word(to, true))?;
        }
        // `ldrb`, `strh`, `ldrsw`, `ldp`, `ldxr`: only their faults matter here.
        _ if code & 0xffc0_0000 == 0x3940_0000 => {
            load(memory, scaled(1), Access::part(to, 0, false))?;
        }
        _ if code & 0xffc0_0000 == 0x7900_0000 => {
            let word = read(context, to, false);
            store(memory, scaled(2), word, Access::part(to, 1, true))?;
        }
        _ if code & 0xffc0_0000 == 0xb980_0000 => {
            load(memory, scaled(4), Access::signed_part(to))?;
        }
        _ if code & 0xffc0_0000 == 0xa940_0000 || code & 0xffe0_0000 == 0xc840_0000 => {
            load(memory, address, Access::WITHOUT_SYNDROME)?;
        }
        // `ldr` and `str` of a word, with post-increment.
        _ if code & 0xffe0_0c00 == 0xf840_0400 => {
            let word = load(memory, address, Access::WITHOUT_SYNDROME)?;
            write(
                context,
                base,
                address.wrapping_add_signed(signed(12, 9).into()),
            );
            write(context, to, word);
        }
        _ if code & 0xffe0_0c00 == 0xf800_0400 => {
            let access = Access {
                is_store: true,
                ..Access::WITHOUT_SYNDROME
            };
            store(memory, address, read(context, to, false), access)?;
            write(
                context,
                base,
                address.wrapping_add_signed(signed(12, 9).into()),
            );
        }
        // `add` and `subs` of an immediate.
        _ if code & 0xffc0_0000 == 0x9100_0000 => write(context, to, scaled(1)),
        _ if code & 0xffc0_0000 == 0xf100_0000 => {
            let (result, borrow) = address.overflowing_sub(field(10, 12));
            let overflow = address.cast_signed().checked_sub_unsigned(field(10, 12));
            set_flags(context, result, !borrow, overflow.is_none());
            write(context, to, result);
        }
        // `adds` of registers.
        _ if code & 0xffe0_fc00 == 0xab00_0000 => {
            let other = read(context, field(16, 5), false);
            let (result, carry) = address.overflowing_add(other);
            let overflow = address.cast_signed().checked_add(other.cast_signed());
            set_flags(context, result, carry, overflow.is_none());
            write(context, to, result);
        }
        // `b.ne` and `b`.
        _ if code & 0xff00_001f == 0x5400_0001 => {
            if context.spsr & ZERO == 0 {
                next = pc.wrapping_add_signed(4 * i64::from(signed(5, 19)));
            }
        }
        _ if code & 0xfc00_0000 == 0x1400_0000 => {
            next = pc.wrapping_add_signed(4 * i64::from(signed(0, 26)));
        }
        0xd503_201f => {} // `nop`
        _ if code & 0xffe0_001f == 0xd420_0000 => return Err(Exception::new(BREAKPOINT)),
        0xd503_42df => return Err(Exception::new(MASKS_INTERRUPTS)),
        // `fmov d0, xzr`
        0x9e67_03e0 if memory.may_use_floats() => {}
        0x9e67_03e0 => return Err(Exception::new(FLOATS_ARE_DISABLED)),
        _ => return Err(Exception::new(UNDEFINED)),
    }
    context.pc = next;
    Ok(())
}

/// The bits of the immediate in an instruction that raises an exception.
const IMMEDIATE: Instruction = 0xffff << 5;

const NEGATIVE: u64 = 1 << 31;
const ZERO: u64 = 1 << 30;
const CARRY: u64 = 1 << 29;
const OVERFLOW: u64 = 1 << 28;

fn set_flags(context: &mut UserContext, result: u64, carry: bool, overflow: bool) {
    let flag = |is_set, bit| if is_set { bit } else { 0 };
    context.spsr = context.spsr & !(NEGATIVE | ZERO | CARRY | OVERFLOW)
        | flag(result >> 63 == 1, NEGATIVE)
        | flag(result == 0, ZERO)
        | flag(carry, CARRY)
        | flag(overflow, OVERFLOW);
}

/// Reads a register. Register 31 is the stack pointer in an address, and zero elsewhere.
fn read(context: &UserContext, register: u64, is_address: bool) -> u64 {
    match context.x.get(register as usize) {
        Some(value) => *value,
        None if is_address => context.sp,
        None => 0,
    }
}

fn write(context: &mut UserContext, register: u64, value: u64) {
    if let Some(to) = context.x.get_mut(register as usize) {
        *to = value;
    }
}

fn fetch(memory: &Memory<'_>, pc: u64) -> Result<Instruction, Exception> {
    let fault = |status| Exception {
        syndrome: FETCH | status,
        address: pc,
    };
    let Some(perms) = memory.perms(pc) else {
        // On the host the puppet's own program and stack are not mapped, but a puppet never
        // executes code there.
        return Err(fault(translation_fault(memory, pc)));
    };
    if !perms.execute {
        return Err(fault(PERMISSION_FAULT));
    }
    let pair = memory.load(pc).unwrap_or(u64::from(DONE));
    Ok((pair >> (pc % 8 * 8)) as Instruction)
}

/// The status of a permission fault at the last level of the tables.
const PERMISSION_FAULT: u64 = 0xf;

/// Returns the status of a translation fault at the level whose entry is missing. An entry of the
/// four levels covers 39, 30, 21 and 12 bits of the address.
fn translation_fault(memory: &Memory<'_>, address: u64) -> u64 {
    const TOP_BITS: u32 = 40;
    const FIRST: u64 = 4;
    if address >> TOP_BITS != 0 {
        return 0;
    }
    let is_used = |bits: u32| {
        let mut mappings = memory.mappings();
        mappings.any(|map| {
            let last = map.vaddr + (map.bytes - 1);
            (map.vaddr >> bits..=last >> bits).contains(&(address >> bits))
        })
    };
    let levels = [39, 30, 21];
    let used = levels.iter().take_while(|bits| is_used(**bits)).count();
    FIRST + used as u64
}

/// The part of a data abort's syndrome that describes the access.
#[derive(Copy, Clone)]
struct Access {
    /// The bits for the register and the size, if the syndrome is valid (ISV).
    syndrome: u64,
    bytes: u64,
    is_store: bool,
}

impl Access {
    /// An access whose syndrome has neither the register nor the size.
    const WITHOUT_SYNDROME: Self = Self {
        syndrome: 0,
        bytes: 8,
        is_store: false,
    };

    const IS_VALID: u64 = 1 << 24;
    const IS_64_BITS: u64 = 1 << 15;

    fn word(register: u64, is_store: bool) -> Self {
        Self {
            syndrome: Self::part(register, 3, is_store).syndrome | Self::IS_64_BITS,
            bytes: 8,
            is_store,
        }
    }

    /// An access of `1 << size_log2` bytes.
    fn part(register: u64, size_log2: u64, is_store: bool) -> Self {
        Self {
            syndrome: Self::IS_VALID | size_log2 << 22 | register << 16,
            bytes: 1 << size_log2,
            is_store,
        }
    }

    /// A load of four bytes into a register of eight, with sign extension.
    fn signed_part(register: u64) -> Self {
        const IS_SIGNED: u64 = 1 << 21;
        Self {
            syndrome: Self::part(register, 2, false).syndrome | IS_SIGNED | Self::IS_64_BITS,
            bytes: 4,
            is_store: false,
        }
    }

    fn fault(self, address: u64, status: u64) -> Exception {
        const IS_WRITE: u64 = 1 << 6;
        // An address above the address space faults before the second stage of translation, which
        // would set the syndrome.
        let syndrome = if status == 0 { 0 } else { self.syndrome };
        let write = if self.is_store { IS_WRITE } else { 0 };
        Exception {
            syndrome: DATA | syndrome | write | status,
            address,
        }
    }
}

/// Checks the permissions of every page of an access.
fn check(memory: &Memory<'_>, address: u64, access: Access) -> Result<(), Exception> {
    const PAGE: u64 = 4096;
    let last = address.wrapping_add(access.bytes - 1);
    for at in [address, last - last % PAGE] {
        if at != address && at / PAGE == address / PAGE {
            continue;
        }
        match memory.perms(at) {
            None => return Err(access.fault(at, translation_fault(memory, at))),
            Some(perms) if access.is_store && !perms.write => {
                return Err(access.fault(at, PERMISSION_FAULT));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn load(memory: &Memory<'_>, address: u64, access: Access) -> Result<u64, Exception> {
    check(memory, address, access)?;
    Ok(memory.load(address).unwrap_or(0))
}

fn store(
    memory: &mut Memory<'_>,
    address: u64,
    word: u64,
    access: Access,
) -> Result<(), Exception> {
    check(memory, address, access)?;
    if access.bytes == 8 {
        memory.store(address, word);
    }
    Ok(())
}
