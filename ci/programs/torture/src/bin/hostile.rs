//! Gives its children instructions and registers at random, and lets them go, again and again.
//!
//! Whatever they do then, system calls with any capability, accesses anywhere, loops without end,
//! must not keep others from their work: neither the kernel, nor this parent, nor those that have
//! a lower priority than the children.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, MessageInfo, protection_domain, set_mr, shared_words,
    vspace,
};

const CHILDREN: [Child; 2] = [Child::new(1), Child::new(2)];

/// Where the page of instructions lies in each child.
const CODE: u64 = 0x400_0000;

struct Hostile {
    code: &'static [AtomicU64],
    random: Random,
    lives: u64,
}

#[protection_domain]
fn init() -> Hostile {
    for child in CHILDREN {
        child.stop().expect("they are its children");
    }
    Hostile {
        code: shared_words!(code, code_size),
        random: Random(0x2545_f491_4f6c_dd1d),
        lives: 0,
    }
}

impl Handler for Hostile {
    type Error = sel4::Error;

    /// Each time that the others have come a bit further, the children begin a new life.
    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        for child in CHILDREN {
            child.stop()?;
        }
        self.write_code()?;
        for child in CHILDREN {
            let mut registers = self.registers();
            // SAFETY: the child's own program never runs: it was stopped before, and its
            // instructions are those of the page. The kernel confines what they do.
            unsafe { child.tcb().tcb_write_all_registers(true, &mut registers)? };
            self.lives += 1;
        }
        Ok(())
    }

    /// Says how many lives there were.
    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        set_mr(0, self.lives);
        Ok(MessageInfo::new(0, 1))
    }

    /// A fault, or a message that a child has sent as if it were one: either way it stays as it is
    /// until its next life.
    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        Ok(None)
    }
}

impl Hostile {
    /// Fills the page with instructions, of which many are system calls.
    fn write_code(&mut self) -> Result<(), sel4::Error> {
        for word in self.code {
            let pair = u64::from(self.instruction()) << 32 | u64::from(self.instruction());
            word.store(pair, Ordering::Relaxed);
        }
        let start = self.code.as_ptr().addr();
        // This protection domain's own address space shares the page.
        vspace().vspace_unify_instruction(start, start + size_of_val(self.code))
    }

    fn instruction(&mut self) -> u32 {
        const SVC: u32 = 0xd400_0001;
        const BRANCH_TO_ITSELF: u32 = 0x1400_0000;
        let any = self.random.next() as u32;
        match self.random.below(32) {
            0..10 => SVC,
            // mov x0 to x6, a small number.
            10..20 => 0xd280_0000 | ((any % 0x200) << 5) | ((any >> 16) % 7),
            // mov x7, a number of a system call that moves messages, or gives way.
            20..24 => 0x9280_0007 | ((any % 11) << 5),
            // ldr and str, with any registers.
            24..26 => 0xf940_0000 | (any & 0x3f_ffff),
            26 => BRANCH_TO_ITSELF,
            // Not the debug build's own calls, with which any PD may halt it: nothing above sets x7
            // to their numbers, and of 2^32 instructions few do.
            _ => any,
        }
    }

    /// Registers of any value, and a place in the page to begin at.
    fn registers(&mut self) -> sel4::UserContext {
        let mut registers = sel4::UserContext::default();
        for index in 0..=30 {
            *registers.gpr_mut(index) = self.value();
        }
        // A system call by the first `svc` has a number too.
        *registers.gpr_mut(7) = (self.random.below(11) + 1).wrapping_neg();
        *registers.sp_mut() = self.value();
        *registers.spsr_mut() = self.random.next();
        let instructions = self.code.len() as u64 * 2;
        *registers.pc_mut() = CODE + 4 * self.random.below(instructions);
        registers
    }

    /// A small number, an address that is mapped, or any word.
    fn value(&mut self) -> u64 {
        match self.random.below(4) {
            0 | 1 => self.random.below(512),
            2 => CODE + self.random.below(0x1000),
            _ => self.random.next(),
        }
    }
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
