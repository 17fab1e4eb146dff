//! Invocations of address spaces: cache maintenance (seL4 manual, *seL4_ARM_VSpace_Clean_Data* and
//! those that follow; seL4's `decodeARMVSpaceRootInvocation`).

use super::Invocation;
use crate::error::InvocationError;
use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::machine::{CacheMaintenance, CacheRange, Machine};
use crate::numbers::invocation;

impl Kernel {
    pub(super) fn invoke_vspace(
        &mut self,
        machine: &mut dyn Machine,
        thread: ThreadId,
        invocation: &Invocation<'_>,
    ) -> Result<(), InvocationError> {
        let maintenance = match invocation.label {
            invocation::ARMVSpaceClean_Data => CacheMaintenance::Clean,
            invocation::ARMVSpaceInvalidate_Data => CacheMaintenance::Invalidate,
            invocation::ARMVSpaceCleanInvalidate_Data => CacheMaintenance::CleanInvalidate,
            invocation::ARMVSpaceUnify_Instruction => CacheMaintenance::UnifyInstruction,
            _ => return Err(InvocationError::IllegalOperation),
        };
        invocation.needs_words(2)?;
        let start = self.argument(machine, invocation, 0);
        let end = self.argument(machine, invocation, 1);
        if end <= start {
            return Err(InvocationError::InvalidArgument(1));
        }
        let spec = self.spec();
        if end > spec.user_top {
            return Err(InvocationError::IllegalOperation);
        }
        let holds = |start| {
            move |map: &&boot_spec::Mapping| map.vaddr <= start && start - map.vaddr < map.bytes
        };
        let mappings = &spec.domains[thread.index()].mappings;
        let Some(mapping) = mappings.iter().find(holds(start)).copied() else {
            // What is not mapped is not cached.
            self.accept(invocation);
            return Ok(());
        };
        let page_start = start - start % mapping.page_size.bytes();
        let page_last = page_start + (mapping.page_size.bytes() - 1);
        if end - 1 > page_last {
            return Err(InvocationError::RangeError {
                min: start,
                max: page_last,
            });
        }
        self.accept(invocation);
        let range = CacheRange {
            thread,
            vaddr: start,
            paddr: mapping.paddr + (start - mapping.vaddr),
            bytes: end - start,
        };
        machine.maintain_cache(maintenance, range);
        Ok(())
    }
}
