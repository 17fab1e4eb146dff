//! What a protection domain finds on a host, where a test is Microkit's tool.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use sel4::sys::host::{HostBuffer, Registers, install};
use sel4::sys::syscall;
use sel4_microkit::host::{ProtectionDomain, State, Symbol, run, set_symbols, watch_panics};
use sel4_microkit::{
    NullHandler, SharedWord, memory_region_symbol, panicking, pd_name, shared_words, var,
};

static MEMORY: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

fn symbols(id: u64) -> &'static [Symbol] {
    Box::leak(Box::new([
        Symbol::word("id", id),
        Symbol::region("region", &MEMORY),
        Symbol::word("region_size", 32),
        Symbol::word("too_much", 40),
    ]))
}

fn id() -> usize {
    *var!(id: usize = 7)
}

#[test]
fn symbols_are_those_of_the_protection_domain_that_runs() {
    assert_eq!(id(), 7, "nothing was written");
    set_symbols(symbols(1));
    assert_eq!(id(), 1);
    let mut other = State::new();
    other.exchange();
    assert_eq!(id(), 7);
    set_symbols(symbols(2));
    assert_eq!(id(), 2);
    other.exchange();
    assert_eq!(id(), 1);
    let narrow = catch_unwind(|| *var!(id: u8 = 0)).unwrap_err();
    let message = narrow.downcast_ref::<&str>().map(ToString::to_string);
    let message = message.or_else(|| narrow.downcast_ref::<String>().cloned());
    assert!(message.unwrap().contains("id is no word"));
}

#[test]
fn a_region_is_the_memory_that_the_test_gives() {
    set_symbols(symbols(1));
    let words = shared_words!(region, region_size);
    assert_eq!(words.len(), 4);
    words[1].store(5, Ordering::Relaxed);
    let explored = shared_words!(region, region_size, SharedWord);
    assert_eq!(explored[1].fetch_add(1, Ordering::Relaxed), 5);
    assert_eq!(
        explored[1].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            word.checked_mul(2)
        }),
        Ok(6)
    );
    assert_eq!(MEMORY[1].load(Ordering::Relaxed), 12);
    let pointer = memory_region_symbol!(region: *mut u64);
    assert!(std::ptr::eq(pointer.as_ptr(), MEMORY[0].as_ptr()));
    assert!(catch_unwind(|| shared_words!(region, too_much)).is_err());
    assert!(catch_unwind(|| shared_words!(nowhere, region_size)).is_err());
}

/// Runs a program to its end, and returns what it has printed.
fn printed(init: impl FnOnce() -> NullHandler) -> String {
    let console = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&console);
    let kernel = move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
        assert_eq!(registers.number, syscall::DebugPutChar);
        log.borrow_mut().push(registers.capability as u8);
    };
    install(Some(Rc::new(kernel)));
    watch_panics();
    let mut state = State::new();
    state.exchange();
    ProtectionDomain {
        name: "loud",
        ..ProtectionDomain::default()
    }
    .set();
    run(init);
    state.exchange();
    install(None);
    String::from_utf8(console.take()).unwrap()
}

#[test]
fn a_panic_is_told_as_on_the_target() {
    let log = printed(|| panic!("{} is enough", 7));
    let [first, second] = log.lines().collect::<Vec<_>>()[..] else {
        panic!("two lines: {log}")
    };
    assert!(
        first.starts_with("loud: panicked at crates/sel4-microkit/tests/host.rs:"),
        "{first}"
    );
    assert!(first.ends_with(':'));
    assert_eq!(second, "7 is enough");
}

#[test]
fn a_panic_hook_is_that_of_the_protection_domain() {
    let hooked = || -> NullHandler {
        panicking::set_hook(&|info| {
            let location = info.location().expect("it is known");
            assert!(location.line() > 1 && location.column() > 1);
            let name = pd_name().unwrap_or("?");
            sel4_microkit::debug_print!("{name} at {}: {}", location.file(), info.message());
        });
        panic!("once");
    };
    // Each has its own, and sets it once.
    for _ in 0..2 {
        let log = printed(hooked);
        assert_eq!(log, "loud at crates/sel4-microkit/tests/host.rs: once");
    }
}

#[test]
fn a_hook_that_panics_says_no_more_and_others_panic_as_ever() {
    let log = printed(|| -> NullHandler {
        panicking::set_hook(&|_| panic!("twice"));
        panic!("once");
    });
    assert_eq!(log, "");
    assert!(catch_unwind(AssertUnwindSafe(|| panic!("of the test"))).is_err());
}
