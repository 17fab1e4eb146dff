//! Invocations of address spaces: cache maintenance (seL4 manual, *`seL4_ARM_VSpace_Clean_Data`*
//! and the following sections; seL4's `decodeARMVSpaceRootInvocation`).

use super::Invocation;
use crate::error::InvocationError;
use crate::ids::ThreadId;
use crate::machine::{CacheMaintenance, CacheRange};
use crate::messages::Messages;
use crate::numbers::invocation;
use crate::sched::Scheduler;

pub(crate) fn invoke(
    sched: &Scheduler,
    messages: &mut Messages<'_>,
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
    let start = invocation.argument(sched, messages, 0);
    let end = invocation.argument(sched, messages, 1);
    if end <= start {
        return Err(InvocationError::InvalidArgument(1));
    }
    let spec = &messages.system.spec;
    if end > spec.user_top {
        return Err(InvocationError::IllegalOperation);
    }
    let holds = |map: &&boot_spec::Mapping| map.vaddr <= start && start - map.vaddr < map.bytes;
    let mappings = &spec.pds[thread.index()].mappings;
    let Some(mapping) = mappings.iter().find(holds).copied() else {
        // No memory is mapped at this address, so there is nothing to do.
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
    let range = CacheRange {
        thread,
        vaddr: start,
        paddr: mapping.paddr + (start - mapping.vaddr),
        bytes: end - start,
    };
    messages.machine.maintain_cache(maintenance, range);
    Ok(())
}
