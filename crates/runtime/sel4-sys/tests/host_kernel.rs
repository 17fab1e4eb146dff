//! Tests the access of a host kernel to the registers and the IPC buffer during a system call.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use sel4_sys::host::{self, HostBuffer, HostKernel, Registers, install, thread_id};
use sel4_sys::{MessageInfo, syscall};

fn info(length: usize) -> MessageInfo {
    MessageInfo::new(0, 0, 0, length)
}

#[track_caller]
fn panic_message<R>(wrong: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(wrong)).err();
    let payload = payload.expect("it must panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap().to_string())
}

#[test]
fn a_kernel_reaches_every_word_of_the_buffer_and_none_beyond() {
    let mut token = host::new_ipc_buffer();
    install(Some(Rc::new(
        |_: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            let mut buffer = buffer.expect("a call has one");
            for index in 0..HostBuffer::WORDS {
                assert_eq!(buffer.read(index), 0);
                buffer.write(index, index as u64);
            }
            for index in [
                HostBuffer::WORDS,
                HostBuffer::WORDS + 1,
                usize::MAX,
                usize::MAX / 8 + 1,
            ] {
                let sentence = format!("an IPC buffer has no word {index}: the last is 127");
                assert_eq!(panic_message(|| buffer.read(index)), sentence);
                assert_eq!(panic_message(|| buffer.write(index, 1)), sentence);
            }
        },
    )));
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::call(&mut token, 1, info(5), [0; 4]) };
    token.with(|buffer| {
        assert_eq!(buffer.msg_regs()[119], 120);
        assert_eq!(buffer.user_data(), 121);
        assert_eq!(buffer.caps_or_badges(), [122, 123, 124]);
        assert_eq!(buffer.receive_path(), (125, 126, 127));
    });
    assert_eq!(HostBuffer::WORDS * 8, 1024);
}

#[test]
fn the_kernel_sees_the_registers_of_each_call() {
    struct Kernel(RefCell<Vec<(Registers, bool)>>);

    impl HostKernel for Kernel {
        fn system_call(&self, registers: &mut Registers, buffer: Option<HostBuffer<'_>>) {
            self.0.borrow_mut().push((*registers, buffer.is_some()));
            registers.capability = 77;
            registers.info = info(1).into_word();
            registers.message[0] = 88;
        }
    }

    let kernel = Rc::new(Kernel(RefCell::default()));
    install(Some(Rc::clone(&kernel) as Rc<dyn HostKernel>));
    let token = &mut host::new_ipc_buffer();
    let words = [1, 2, 3, 4];
    let received = [
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::call(token, 10, info(4), words) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::call_empty(token, 10, info(0)) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::reply_recv(token, 11, info(4), words, 12) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::nb_send_recv(token, 13, info(4), words, 11, 12) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::nb_send_recv_empty(token, 13, info(0), 11, 12) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::nb_send_wait(token, 13, info(4), words, 11) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::recv(token, 11, 12) },
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::nb_recv(token, 11, 12) },
        sel4_sys::wait(token, 11),
        sel4_sys::nb_wait(token, 11),
    ];
    for received in received {
        assert_eq!((received.badge, received.message[0]), (77, 88));
        assert_eq!(received.info.length(), 1);
    }
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::send(token, 10, info(4), words) };
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::send_empty(token, 10, info(0)) };
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::nb_send(token, 10, info(4), words) };
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::signal(token, 10) };
    sel4_sys::yield_();
    let calls = kernel.0.take();
    let numbers = calls.iter().map(|(registers, _)| registers.number);
    assert!(numbers.eq([
        syscall::Call,
        syscall::Call,
        syscall::ReplyRecv,
        syscall::NBSendRecv,
        syscall::NBSendRecv,
        syscall::NBSendWait,
        syscall::Recv,
        syscall::NBRecv,
        syscall::Wait,
        syscall::NBWait,
        syscall::Send,
        syscall::Send,
        syscall::NBSend,
        syscall::Send,
        syscall::Yield,
    ]));
    // Registers x0, x6 and x8.
    let places = calls
        .iter()
        .map(|(registers, _)| (registers.capability, registers.reply, registers.destination));
    assert!(places.eq([
        (10, 0, 0),
        (10, 0, 0),
        (11, 12, 0),
        (11, 12, 13),
        (11, 12, 13),
        (11, 13, 0),
        (11, 12, 0),
        (11, 12, 0),
        (11, 0, 0),
        (11, 0, 0),
        (10, 0, 0),
        (10, 0, 0),
        (10, 0, 0),
        (10, 0, 0),
        (0, 0, 0),
    ]));
    let with_words = calls
        .iter()
        .filter(|(registers, _)| registers.message == words);
    assert_eq!(with_words.count(), 6);
    let without_buffer = calls.iter().filter(|(_, has_buffer)| !has_buffer);
    assert_eq!(without_buffer.count(), 1, "only `Yield` has none");
}

#[test]
fn an_empty_call_with_a_length_panics() {
    install(Some(Rc::new(
        |_: &mut Registers, _: Option<HostBuffer<'_>>| panic!("nothing is sent"),
    )));
    let token = &mut host::new_ipc_buffer();
    let message = "the message is not empty";
    assert_eq!(
        // SAFETY: the kernel is part of the test and does not break memory safety.
        panic_message(|| unsafe { sel4_sys::call_empty(token, 1, info(1)) }),
        message
    );
    assert_eq!(
        // SAFETY: the kernel is part of the test and does not break memory safety.
        panic_message(|| unsafe { sel4_sys::send_empty(token, 1, info(1)) }),
        message
    );
    assert_eq!(
        // SAFETY: the kernel is part of the test and does not break memory safety.
        panic_message(|| unsafe { sel4_sys::nb_send_recv_empty(token, 1, info(1), 2, 3) }),
        message
    );
}

#[test]
fn a_call_without_a_kernel_panics_with_advice() {
    install(None);
    let message = panic_message(sel4_sys::yield_);
    assert!(
        message.ends_with("install one with `sel4_sys::host::install`"),
        "{message}"
    );
}

/// Asserts that a kernel that is removed or replaced during its own call lives until the call ends.
#[test]
fn a_kernel_lives_until_its_call_returns() {
    struct Kernel {
        word: Box<Cell<u64>>,
    }

    impl HostKernel for Kernel {
        fn system_call(&self, registers: &mut Registers, _: Option<HostBuffer<'_>>) {
            self.word.set(self.word.get() + 1);
            drop(install(None));
            drop(install(Some(Rc::new(
                |registers: &mut Registers, _: Option<HostBuffer<'_>>| registers.capability = 9,
            ))));
            self.word.set(self.word.get() + 1);
            registers.capability = self.word.get();
        }
    }

    let word = Box::new(Cell::new(0));
    install(Some(Rc::new(Kernel { word })));
    let mut token = host::new_ipc_buffer();
    // SAFETY: the kernel is part of the test and does not break memory safety.
    assert_eq!(unsafe { sel4_sys::recv(&mut token, 1, 2) }.badge, 2);
    // SAFETY: the kernel is part of the test and does not break memory safety.
    assert_eq!(unsafe { sel4_sys::recv(&mut token, 1, 2) }.badge, 9);
}

/// Asserts that a system call made inside another system call has a separate buffer.
#[test]
fn a_call_inside_a_call_has_another_buffer() {
    let depth = Cell::new(0);
    install(Some(Rc::new(
        move |_: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            let mut buffer = buffer.expect("a call has one");
            let level = depth.replace(depth.get() + 1);
            buffer.write(HostBuffer::MESSAGE + 5, level);
            if level < 3 {
                let mut token = host::new_ipc_buffer();
                // SAFETY: the kernel is part of the test and does not break memory safety.
                unsafe { sel4_sys::call(&mut token, 1, info(6), [0; 4]) };
                assert_eq!(token.with(|inner| inner.msg_regs()[5]), level + 1);
            }
            assert_eq!(buffer.read(HostBuffer::MESSAGE + 5), level);
        },
    )));
    let mut token = host::new_ipc_buffer();
    // SAFETY: the kernel is part of the test and does not break memory safety.
    unsafe { sel4_sys::call(&mut token, 1, info(6), [0; 4]) };
    assert_eq!(token.with(|buffer| buffer.msg_regs()[5]), 0);
}

#[test]
fn the_buffer_is_usable_after_the_kernel_panics() {
    install(Some(Rc::new(
        |_: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            buffer
                .expect("a call has one")
                .write(HostBuffer::MESSAGE, 3);
            panic!("no answer")
        },
    )));
    let mut token = host::new_ipc_buffer();
    assert_eq!(panic_message(|| sel4_sys::wait(&mut token, 1)), "no answer");
    token.with_mut(|buffer| {
        assert_eq!(buffer.msg_regs()[0], 3);
        buffer.set_user_data(4);
    });
}

#[test]
fn a_thread_name_is_passed_in_the_buffer_and_ends_with_a_zero() {
    let named = Rc::new(RefCell::new(Vec::new()));
    let kernel = Rc::clone(&named);
    install(Some(Rc::new(
        move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            let word = buffer.expect("a name needs one").read(HostBuffer::MESSAGE);
            kernel
                .borrow_mut()
                .push((registers.number, registers.capability, word));
        },
    )));
    let token = &mut host::new_ipc_buffer();
    token.with_mut(|buffer| buffer.msg_bytes_mut().fill(0xff));
    sel4_sys::debug_name_thread(token, 5, b"abc");
    sel4_sys::debug_name_thread(token, 5, &[1; 959]);
    let word = 0xffff_ffff_0063_6261;
    let (first, second) = (named.borrow()[0], named.borrow()[1]);
    assert_eq!(first, (syscall::DebugNameThread, 5, word));
    assert_eq!(second.2, 0x0101_0101_0101_0101);
    assert_eq!(token.with(|buffer| buffer.msg_bytes()[959]), 0);
    assert!(panic_message(|| sel4_sys::debug_name_thread(token, 5, &[1; 960])).contains("960"));
}

#[test]
fn debug_calls_depend_on_the_configuration() {
    let numbers = Rc::new(RefCell::new(Vec::new()));
    let kernel = Rc::clone(&numbers);
    install(Some(Rc::new(
        move |registers: &mut Registers, buffer: Option<HostBuffer<'_>>| {
            assert!(buffer.is_none());
            kernel.borrow_mut().push(registers.number);
            registers.capability += 1;
        },
    )));
    sel4_sys::debug_put_char(b'x');
    sel4_sys::debug_dump_scheduler();
    sel4_sys::debug_halt();
    sel4_sys::debug_snapshot();
    let identified = sel4_sys::debug_cap_identify(6);
    let expect: &[i64] = match (sel4_sys::config::PRINTING, sel4_sys::config::DEBUG_BUILD) {
        (true, true) => &[
            syscall::DebugPutChar,
            syscall::DebugDumpScheduler,
            syscall::DebugHalt,
            syscall::DebugSnapshot,
            syscall::DebugCapIdentify,
        ],
        (true, false) => &[syscall::DebugPutChar, syscall::DebugDumpScheduler],
        (false, _) => &[],
    };
    assert_eq!(*numbers.borrow(), expect);
    assert_eq!(identified, sel4_sys::config::DEBUG_BUILD.then_some(7));
}

#[test]
fn benchmark_calls_depend_on_the_configuration() {
    let calls = Rc::new(Cell::new(0));
    let kernel = Rc::clone(&calls);
    install(Some(Rc::new(
        move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
            kernel.set(kernel.get() + 1);
            registers.capability = 3;
        },
    )));
    use sel4_sys::config::{
        BENCHMARK_TRACK_UTILISATION as TRACKS, DEBUG_BUILD, ENABLE_BENCHMARKS as MEASURES,
        EXPORT_PMU_USER, KERNEL_LOG_BUFFER as LOGS,
    };
    let mut expect = 0;
    let mut made = |condition: bool, count: i32| {
        expect += if condition { count } else { 0 };
        assert_eq!(calls.get(), expect);
    };
    let token = &mut host::new_ipc_buffer();
    assert_eq!(sel4_sys::benchmark_reset_log(), MEASURES.then_some(3));
    assert_eq!(sel4_sys::benchmark_finalize_log(), MEASURES.then_some(3));
    made(MEASURES, 2);
    assert_eq!(
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { sel4_sys::benchmark_set_log_buffer(4) },
        LOGS.then_some(3)
    );
    made(LOGS, 1);
    sel4_sys::benchmark_null_syscall();
    made(MEASURES, 1);
    assert_eq!(sel4_sys::benchmark_get_thread_utilisation(token, 4), TRACKS);
    sel4_sys::benchmark_reset_thread_utilisation(4);
    made(TRACKS, 2);
    sel4_sys::benchmark_dump_all_thread_utilisation();
    sel4_sys::benchmark_reset_all_thread_utilisation();
    made(TRACKS && DEBUG_BUILD, 2);
    let counts = [sel4_sys::cycle_counter(), sel4_sys::cycle_counter()];
    assert_eq!(counts.map(|count| count.is_some()), [EXPORT_PMU_USER; 2]);
    assert!(counts[0] <= counts[1]);
}

#[test]
fn a_token_names_its_buffer() {
    let token = host::new_ipc_buffer();
    let other = host::new_ipc_buffer();
    let shown = format!("{token:?}");
    let buffer = token.into_raw();
    assert_eq!(shown, format!("IpcBufferToken({buffer:?})"));
    assert!(!other.is_of(buffer));
    // SAFETY: the pointer comes from the consumed token.
    assert!(unsafe { sel4_sys::IpcBufferToken::new(buffer) }.is_of(buffer));
}

#[test]
fn the_fields_of_a_buffer_can_be_set_and_shown() {
    let mut token = host::new_ipc_buffer();
    token.with_mut(|buffer| {
        *buffer = sel4_sys::IpcBuffer::default();
        // SAFETY: the kernel is part of the test and does not break memory safety.
        unsafe { buffer.set_receive_path(1, 2, 3) };
        buffer.set_user_data(4);
        assert_eq!((buffer.receive_path(), buffer.user_data()), ((1, 2, 3), 4));
        let shown = format!("{buffer:?}");
        assert!(
            shown.contains("user_data: 4, caps_or_badges: [0, 0, 0]"),
            "{shown}"
        );
    });
}

#[test]
fn outside_of_a_program_thread_id_is_the_current_thread() {
    assert_eq!(thread_id(), std::thread::current().id());
}
