//! Tests a PD on a host. The test sets the symbols that Microkit's tool sets on the target.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use sel4::sys::host::{HostBuffer, Registers, install};
use sel4::sys::syscall;
use sel4_microkit::host::{
    AccessPolicy, ProtectionDomain, State, Symbol, run, set_access_policy, set_symbols,
    watch_panics,
};
use sel4_microkit::{
    Handler, NullHandler, SharedWord, memory_region_symbol, panicking, pd_name, shared_words, var,
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
    assert!(message.unwrap().contains("id is not a word"));
}

#[test]
fn a_region_is_the_memory_of_the_embedder() {
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

#[test]
fn a_shared_word_does_what_an_atomic_does() {
    use Ordering::{Relaxed, SeqCst};

    let shared = SharedWord::new(0b1100);
    let atomic = AtomicU64::new(0b1100);
    /// Makes the same access to both words, and asserts equal results.
    macro_rules! check {
        ($method:ident($($argument:expr),*)) => {
            assert_eq!(shared.$method($($argument),*), atomic.$method($($argument),*));
            assert_eq!(shared.load(SeqCst), atomic.load(SeqCst), stringify!($method));
        };
    }
    check!(store(0b1010, SeqCst));
    check!(swap(0b0110, SeqCst));
    check!(fetch_add(9, SeqCst));
    check!(fetch_sub(2, SeqCst));
    check!(fetch_and(0b0111, SeqCst));
    check!(fetch_nand(0b0011, SeqCst));
    check!(fetch_or(0b1000, SeqCst));
    check!(fetch_xor(0b0101, SeqCst));
    check!(fetch_max(7, SeqCst));
    check!(fetch_min(5, SeqCst));
    check!(compare_exchange(5, 7, SeqCst, Relaxed));
    check!(compare_exchange(5, 8, SeqCst, Relaxed));
    check!(fetch_update(SeqCst, Relaxed, |word| word.checked_mul(3)));
    check!(fetch_update(SeqCst, Relaxed, |word| word.checked_sub(100)));
    // On the target, the weak exchange may fail spuriously. On a host, the exchange fails only if
    // the value differs.
    assert_eq!(shared.compare_exchange_weak(21, 1, SeqCst, Relaxed), Ok(21));
    assert_eq!(shared.compare_exchange_weak(21, 2, SeqCst, Relaxed), Err(1));
}

#[test]
fn an_update_retries_with_the_value_of_another_write() {
    let word = SharedWord::new(1);
    let mut seen = Vec::new();
    let updated = word.fetch_update(Ordering::SeqCst, Ordering::Relaxed, |before| {
        if seen.is_empty() {
            word.store(7, Ordering::SeqCst);
        }
        seen.push(before);
        Some(before + 1)
    });
    assert_eq!((updated, seen), (Ok(7), vec![1, 7]));
    assert_eq!(word.load(Ordering::SeqCst), 8);
}

#[test]
fn the_embedder_is_asked_before_each_access_and_decides_whether_it_takes_effect() {
    static WORD: SharedWord = SharedWord::new(5);
    static ACCESSES: AtomicU64 = AtomicU64::new(0);

    struct Policy {
        takes_effect: bool,
    }

    impl AccessPolicy for Policy {
        fn before_access(&self) {
            ACCESSES.fetch_add(1, Ordering::SeqCst);
        }

        fn takes_effect(&self) -> bool {
            self.takes_effect
        }
    }

    set_access_policy(&Policy {
        takes_effect: false,
    });
    assert_eq!(WORD.swap(6, Ordering::SeqCst), 5);
    assert_eq!(WORD.load(Ordering::SeqCst), 5, "the write was dropped");
    assert_eq!(ACCESSES.load(Ordering::SeqCst), 2);
    set_access_policy(&Policy { takes_effect: true });
    assert_eq!(WORD.swap(7, Ordering::SeqCst), 5);
    assert_eq!(ACCESSES.load(Ordering::SeqCst), 3);
    // Another PD in this thread has no access policy.
    let mut other = State::new();
    other.exchange();
    assert_eq!(WORD.swap(8, Ordering::SeqCst), 7);
    assert_eq!(ACCESSES.load(Ordering::SeqCst), 3);
    other.exchange();
    assert_eq!(WORD.load(Ordering::SeqCst), 8);
    assert_eq!(ACCESSES.load(Ordering::SeqCst), 4);
}

/// Runs a program until it ends, and returns the debug output of the program.
fn printed<H: Handler>(init: impl FnOnce() -> H) -> String {
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
fn a_panic_prints_as_on_the_target() {
    let log = printed(|| -> NullHandler { panic!("{} is enough", 7) });
    let [first, second] = log.lines().collect::<Vec<_>>()[..] else {
        panic!("two lines: {log}")
    };
    assert!(
        first.starts_with("loud: panicked at crates/runtime/sel4-microkit/tests/host.rs:"),
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
    // Each call of `printed` runs a new PD, and a PD may set its hook once.
    for _ in 0..2 {
        let log = printed(hooked);
        assert_eq!(
            log,
            "loud at crates/runtime/sel4-microkit/tests/host.rs: once"
        );
    }
}

#[test]
fn a_hook_that_is_ended_from_outside_is_ended() {
    let run = || {
        printed(|| -> NullHandler {
            panicking::set_hook(&|_| std::panic::resume_unwind(Box::new(7_u32)));
            panic!("once");
        })
    };
    let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    assert_eq!(ended.downcast_ref(), Some(&7_u32));
}

struct Fails;

impl Handler for Fails {
    type Error = &'static str;

    fn has_work(&self) -> bool {
        true
    }

    fn work(&mut self) -> Result<(), &'static str> {
        Err("no water")
    }
}

#[test]
fn an_error_of_a_handler_is_printed_and_stops_the_pd() {
    let log = printed(|| Fails);
    assert_eq!(log, "loud: stopped: its handler returned: no water\n");
}

/// Asserts that the first PD does not print the panic of another PD in the same thread.
#[test]
fn a_panic_of_another_pd_is_not_printed() {
    let log = printed(|| {
        let mut other = State::new();
        other.exchange();
        assert!(catch_unwind(|| panic!("of another")).is_err());
        other.exchange();
        Fails
    });
    assert_eq!(log, "loud: stopped: its handler returned: no water\n");
}

#[test]
fn a_hook_that_panics_prints_nothing_and_other_panics_are_as_before() {
    let log = printed(|| -> NullHandler {
        panicking::set_hook(&|_| panic!("twice"));
        panic!("once");
    });
    assert_eq!(log, "");
    assert!(catch_unwind(AssertUnwindSafe(|| panic!("of the test"))).is_err());
}
