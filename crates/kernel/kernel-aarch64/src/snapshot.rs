//! The snapshot of all threads. A debugger requests the snapshot with the machine's power button.
//! [`boot_spec::snapshot`] defines the format.

use crate::layout::{GPIO, GPIO_IRQ, overlap};
use boot_spec::BootSpec;
use boot_spec::snapshot::{Doing, ThreadSnapshot};
use kernel_model::{CAP_REGISTER, Kernel, Next, Register, ThreadId, ThreadState};

/// The frame pointer and the link register (AAPCS64).
const FRAME_POINTER: Register = Register::X(29);
const LINK: Register = Register::X(30);

/// Returns whether the kernel may use the power button: no PD uses the GPIO controller.
pub fn has_power_button(spec: &BootSpec) -> bool {
    spec.pds.iter().all(|pd| {
        let is_mapped = pd.mappings.iter().any(|map| {
            let end = map.paddr.saturating_add(map.bytes);
            overlap(&(map.paddr..end), &GPIO)
        });
        !is_mapped && pd.irqs.iter().all(|irq| irq.number != GPIO_IRQ)
    })
}

/// Takes the snapshot of a thread. `tables` is the physical address of the thread's page tables.
pub fn of_thread(kernel: &Kernel, id: ThreadId, tables: u64) -> ThreadSnapshot {
    let thread = kernel.thread(id);
    let context = &thread.context;
    let doing = doing(kernel, id);
    ThreadSnapshot {
        doing,
        instruction: match thread.state() {
            ThreadState::Running => context.pc,
            // The instruction that entered the kernel. `pc` may already be after this instruction.
            _ => context.fault_ip,
        },
        stack_pointer: context.sp,
        frame_pointer: context[FRAME_POINTER],
        link: context[LINK],
        capability: context[CAP_REGISTER],
        tables,
    }
}

fn doing(kernel: &Kernel, id: ThreadId) -> Doing {
    let thread = kernel.thread(id);
    if thread.is_blocked() && thread.fault.is_some() {
        return Doing::Faulted;
    }
    match thread.state() {
        ThreadState::Inactive => Doing::Stopped,
        ThreadState::BlockedOnReceive { .. } => Doing::Receives,
        ThreadState::BlockedOnNotification { .. } => Doing::AwaitsNotification,
        ThreadState::BlockedOnSend { is_call: true, .. } => Doing::Calls,
        ThreadState::BlockedOnSend { is_call: false, .. } => Doing::Sends,
        ThreadState::BlockedOnReply { .. } => Doing::AwaitsReply,
        ThreadState::Running | ThreadState::Restart => match kernel.next() {
            Next::Run { thread, .. } if thread == id => Doing::Runs,
            _ if thread.sched_context().is_none() => Doing::HasNoSchedContext,
            _ if thread.is_in_release_queue() => Doing::AwaitsBudget,
            _ => Doing::Ready,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use boot_spec::{Irq, Mapping, PageSize, Perms, ProtectionDomain, Stack, Trigger};
    use kernel_model::numbers::syscall;
    use kernel_model::{CacheMaintenance, CacheRange, Clock, Event, Fault, Machine, Report, Ticks};
    use microkit_abi::slots;

    struct NoMachine;

    impl Machine for NoMachine {
        fn now(&mut self) -> Ticks {
            0
        }
        fn read_ipc_buffer(&mut self, _: ThreadId, _: usize) -> u64 {
            0
        }
        fn write_ipc_buffer(&mut self, _: ThreadId, _: usize, _: u64) {}
        fn mask_irq(&mut self, _: u32) {}
        fn unmask_irq(&mut self, _: u32) {}
        fn put_char(&mut self, _: u8) {}
        fn maintain_cache(&mut self, _: CacheMaintenance, _: CacheRange) {}
        fn report(&mut self, _: Report<'_>) {}
    }

    fn pd(name: &str, priority: u8) -> ProtectionDomain {
        ProtectionDomain {
            name: name.into(),
            priority,
            budget_us: 1000,
            period_us: 1000,
            entry: 0x20_0000,
            stack: Stack {
                bottom: 0x8000,
                bytes: 0x1000,
            },
            ipc_buffer: 0xa000,
            mappings: [0x8000, 0xa000, 0x20_0000].map(mapping).to_vec(),
            ..Default::default()
        }
    }

    /// Returns a mapping of a page whose virtual address equals its physical address.
    fn mapping(address: u64) -> Mapping {
        Mapping {
            vaddr: address,
            paddr: address,
            bytes: 0x1000,
            perms: Perms {
                read: true,
                write: address != 0x20_0000,
                execute: address == 0x20_0000,
            },
            cached: true,
            page_size: PageSize::Small,
        }
    }

    fn spec(pds: alloc::vec::Vec<ProtectionDomain>) -> BootSpec {
        BootSpec {
            user_top: (1 << 40) - 1,
            pds,
            ..Default::default()
        }
    }

    #[test]
    fn a_snapshot_has_what_each_thread_does_and_its_instruction() {
        let clock = Clock::new(1_000_000).expect("a clock");
        let spec = spec(vec![pd("a", 2), pd("b", 1)]);
        let mut kernel = Kernel::new(&spec, clock).expect("it is valid");
        let machine = &mut NoMachine;
        kernel.start(machine);
        let threads: vec::Vec<_> = kernel.threads().collect();
        let doing = |kernel: &Kernel| {
            let all = threads.iter().map(|id| of_thread(kernel, *id, 0).doing);
            all.collect::<vec::Vec<_>>()
        };
        assert_eq!(doing(&kernel), [Doing::Runs, Doing::Ready]);

        let context = kernel.context_mut(threads[0]);
        context.pc = 0x20_1004;
        context[CAP_REGISTER] = slots::INPUT;
        context[FRAME_POINTER] = 0x8ff0;
        context[LINK] = 0x20_2000;
        context.sp = 0x8fe0;
        kernel.step(Event::Syscall(syscall::Recv as u64), machine);
        assert_eq!(doing(&kernel), [Doing::AwaitsNotification, Doing::Runs]);
        let expect = ThreadSnapshot {
            doing: Doing::AwaitsNotification,
            instruction: 0x20_1000,
            stack_pointer: 0x8fe0,
            frame_pointer: 0x8ff0,
            link: 0x20_2000,
            capability: slots::INPUT,
            tables: 0x7c00_0000,
        };
        assert_eq!(of_thread(&kernel, threads[0], 0x7c00_0000), expect);

        let fault = Fault::UserException { number: 0, code: 0 };
        kernel.step(Event::Fault(fault), machine);
        assert_eq!(
            doing(&kernel),
            [Doing::AwaitsNotification, Doing::Stopped],
            "no PD handles its fault"
        );
    }

    #[test]
    fn the_kernel_uses_the_power_button_if_no_pd_has_its_controller() {
        assert!(has_power_button(&spec(vec![pd("a", 1)])));
        let mut mapped = pd("a", 1);
        mapped.mappings.push(mapping(GPIO.start - 0x1000));
        assert!(has_power_button(&spec(vec![mapped.clone()])));
        mapped.mappings.push(mapping(GPIO.start));
        assert!(!has_power_button(&spec(vec![mapped])));
        let mut interrupted = pd("a", 1);
        interrupted.irqs.push(Irq {
            id: 0,
            number: GPIO_IRQ,
            trigger: Trigger::Level,
        });
        assert!(!has_power_button(&spec(vec![interrupted])));
    }
}
