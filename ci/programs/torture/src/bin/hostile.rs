//! A parent that starts its children with random instructions and registers, again and again.
//!
//! The children make arbitrary system calls, access any address, and loop forever. These actions
//! must not disturb the kernel, this parent, or PDs of lower priority than the children.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, MessageInfo, protection_domain, set_mr, shared_words,
    vspace,
};

const CHILDREN: [Child; 2] = [Child::new(1), Child::new(2)];

/// The address of the page of instructions in each child's address space.
const CODE: u64 = 0x400_0000;

struct Hostile {
    code: &'static [AtomicU64],
    random: Random,
    incarnations: u64,
}

#[protection_domain]
fn init() -> Hostile {
    for child in CHILDREN {
        child
            .stop()
            .expect("the system file declares these children");
    }
    Hostile {
        code: shared_words!(code, code_size),
        random: Random(0x2545_f491_4f6c_dd1d),
        incarnations: 0,
    }
}

impl Handler for Hostile {
    type Error = sel4::Error;

    /// Starts a new incarnation of each child. `hostile-ping` requests the new incarnations before
    /// each of its rounds.
    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        for child in CHILDREN {
            child.stop()?;
        }
        self.write_code()?;
        for child in CHILDREN {
            let mut registers = self.registers();
            // SAFETY: the child's own program never runs. The child was stopped, and runs only the
            // instructions in the page. The kernel confines their effects to the child.
            unsafe { child.tcb().tcb_write_all_registers(true, &mut registers)? };
            self.incarnations += 1;
        }
        Ok(())
    }

    /// Replies with the number of incarnations.
    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, sel4::Error> {
        set_mr(0, self.incarnations);
        Ok(MessageInfo::new(0, 1))
    }

    /// Handles a fault, or a message that a child has sent to the fault endpoint. In both cases the
    /// child stays blocked until its next incarnation.
    fn fault(&mut self, _: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        Ok(None)
    }
}

impl Hostile {
    /// Fills the page with random instructions. Many of them are system calls.
    fn write_code(&mut self) -> Result<(), sel4::Error> {
        for word in self.code {
            let pair = u64::from(self.instruction()) << 32 | u64::from(self.instruction());
            word.store(pair, Ordering::Relaxed);
        }
        let start = self.code.as_ptr().addr();
        // This PD's own address space maps the page too.
        vspace().vspace_unify_instruction(start, start + size_of_val(self.code))
    }

    fn instruction(&mut self) -> u32 {
        const SVC: u32 = 0xd400_0001;
        const BRANCH_TO_ITSELF: u32 = 0x1400_0000;
        let any = self.random.next() as u32;
        match self.random.below(32) {
            0..10 => SVC,
            // mov to one of x0 to x6: a small number.
            10..20 => 0xd280_0000 | ((any % 0x200) << 5) | ((any >> 16) % 7),
            // mov to x7: the number of an IPC system call or of yield.
            20..24 => 0x9280_0007 | ((any % 11) << 5),
            // ldr and str, with any registers.
            24..26 => 0xf940_0000 | (any & 0x3f_ffff),
            26 => BRANCH_TO_ITSELF,
            // System calls of the debug build, some of which halt the kernel, are very unlikely: no
            // case above sets x7 to their numbers, and few random instructions do.
            _ => any,
        }
    }

    /// Returns random registers, with a program counter in the page.
    fn registers(&mut self) -> sel4::UserContext {
        let mut registers = sel4::UserContext::default();
        for index in 0..=30 {
            *registers.gpr_mut(index) = self.value();
        }
        // x7 has the number of a system call, also for the first `svc`.
        *registers.gpr_mut(7) = (self.random.below(11) + 1).wrapping_neg();
        *registers.sp_mut() = self.value();
        *registers.spsr_mut() = self.random.next();
        let instructions = self.code.len() as u64 * 2;
        *registers.pc_mut() = CODE + 4 * self.random.below(instructions);
        registers
    }

    /// Returns a small number, a mapped address, or any word.
    fn value(&mut self) -> u64 {
        match self.random.below(4) {
            0 | 1 => self.random.below(512),
            2 => CODE + self.random.below(0x1000),
            _ => self.random.next(),
        }
    }
}

/// Random numbers that are the same in every run (Marsaglia, *Xorshift RNGs*).
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
