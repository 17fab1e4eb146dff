//! Detects the stack overflow of a child.

use microkit_abi::limits;

/// Returns whether a child has faulted because of a stack overflow.
///
/// `stack_bytes` is the child's `stack_size` in the system file. The page below the stack is not
/// mapped. For a frame of more than a page, the compiler accesses every page in order, so an
/// overflow faults in the unmapped page.
///
/// ```
/// use sel4_microkit::is_stack_overflow;
/// # fn say(fault: sel4::Fault) {
/// if let sel4::Fault::VmFault(fault) = fault
///     && is_stack_overflow(&fault, 0x2000)
/// {
///     sel4_microkit::debug_println!("the child needs a `stack_size` of more than 0x2000");
/// }
/// # }
/// ```
pub const fn is_stack_overflow(fault: &sel4::VmFault, stack_bytes: u64) -> bool {
    let top = limits::stack_top(sel4::config::USER_TOP as u64);
    let bottom = top.saturating_sub(stack_bytes);
    let guard = bottom.saturating_sub(limits::SMALL_PAGE_BYTES);
    !fault.is_prefetch() && guard <= fault.addr() && fault.addr() < bottom
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_below_the_stack_is_where_it_overflows() {
        const STACK_BYTES: u64 = 0x2000;
        let bottom = limits::stack_top(sel4::config::USER_TOP as u64) - STACK_BYTES;
        let check = |address: u64, is_prefetch: bool, expect: bool| {
            let mut buffer = sel4::sys::IpcBuffer::default();
            let words = [0x20_0000, address, is_prefetch.into(), 0x9200_0046];
            buffer.msg_regs_mut()[..words.len()].copy_from_slice(&words);
            let info = sel4::MessageInfo::new(sel4::sys::fault::VMFault, 0, 0, words.len());
            let sel4::Fault::VmFault(fault) = sel4::Fault::new(&buffer, &info) else {
                panic!("it is one");
            };
            assert_eq!(is_stack_overflow(&fault, STACK_BYTES), expect);
        };
        check(bottom - 1, false, true);
        check(bottom - 0x1000, false, true);
        check(bottom - 0x1001, false, false);
        check(bottom, false, false);
        check(bottom - 1, true, false);
    }
}
