//! The registers of a thread.

use crate::Word;

/// The registers of a thread, in the kernel's order (`seL4_UserContext` in `types.h`).
///
/// ```
/// let mut registers = sel4::UserContext::default();
/// *registers.pc_mut() = 0x20_0000;
/// *registers.gpr_mut(0) = 7;
/// assert_eq!(registers.c_param(0), &7);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct UserContext([Word; Self::COUNT]);

const PC: usize = 0;
const SP: usize = 1;
const SPSR: usize = 2;

impl UserContext {
    /// The number of registers.
    pub const COUNT: usize = 36;

    /// Returns the program counter.
    pub const fn pc(&self) -> &Word {
        &self.0[PC]
    }

    /// Returns the program counter for writing.
    pub const fn pc_mut(&mut self) -> &mut Word {
        &mut self.0[PC]
    }

    /// Returns the stack pointer.
    pub const fn sp(&self) -> &Word {
        &self.0[SP]
    }

    /// Returns the stack pointer for writing.
    pub const fn sp_mut(&mut self) -> &mut Word {
        &mut self.0[SP]
    }

    /// Returns the saved program status.
    pub const fn spsr(&self) -> &Word {
        &self.0[SPSR]
    }

    /// Returns the saved program status for writing.
    pub const fn spsr_mut(&mut self) -> &mut Word {
        &mut self.0[SPSR]
    }

    /// Returns register x`index`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above 30.
    pub const fn gpr(&self, index: usize) -> &Word {
        &self.0[position(index)]
    }

    /// Returns register x`index` for writing.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above 30.
    pub const fn gpr_mut(&mut self, index: usize) -> &mut Word {
        &mut self.0[position(index)]
    }

    /// Returns the register that holds argument `index` of a C function.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above 7.
    pub const fn c_param(&self, index: usize) -> &Word {
        assert!(
            index < 8,
            "a C function has only eight arguments in registers"
        );
        self.gpr(index)
    }

    /// Returns the register that holds argument `index` of a C function, for writing.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above 7.
    pub const fn c_param_mut(&mut self, index: usize) -> &mut Word {
        assert!(
            index < 8,
            "a C function has only eight arguments in registers"
        );
        self.gpr_mut(index)
    }

    pub(crate) const fn words(&self) -> &[Word; Self::COUNT] {
        &self.0
    }

    pub(crate) const fn words_mut(&mut self) -> &mut [Word; Self::COUNT] {
        &mut self.0
    }
}

impl Default for UserContext {
    fn default() -> Self {
        Self([0; Self::COUNT])
    }
}

/// Returns the position of register x`index`. The kernel's order is pc, sp, spsr, x0 to x8, x16,
/// x17, x18, x29, x30, x9 to x15, x19 to x28, `tpidr_el0`, `tpidrro_el0`.
const fn position(index: usize) -> usize {
    match index {
        0..=8 => 3 + index,
        16..=18 => 12 + index - 16,
        29 | 30 => 15 + index - 29,
        9..=15 => 17 + index - 9,
        19..=28 => 24 + index - 19,
        _ => panic!("the last general register is x30"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_register_has_its_own_position() {
        let mut context = UserContext::default();
        *context.pc_mut() = 100;
        *context.sp_mut() = 101;
        *context.spsr_mut() = 102;
        for index in 0..=30 {
            *context.gpr_mut(index) = index as Word;
        }
        for index in 0..=30 {
            assert_eq!(*context.gpr(index), index as Word);
        }
        assert_eq!(
            (*context.pc(), *context.sp(), *context.spsr()),
            (100, 101, 102)
        );
        let order = [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 29, 30, 9, 10, 11, 12, 13, 14, 15,
        ];
        assert_eq!(context.words()[3..24], order.map(|index: u64| index));
        assert_eq!(
            context.words()[24..34],
            core::array::from_fn::<Word, 10, _>(|i| i as u64 + 19)
        );
    }
}
