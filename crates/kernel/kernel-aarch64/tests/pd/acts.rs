//! A protection domain for the tests, without a runtime. [`ACT`] selects the action of the program.
#![no_std]
#![no_main]

use core::arch::{asm, naked_asm};
use core::ptr;

/// The number of the action. The test writes this number into the program.
#[unsafe(no_mangle)]
static ACT: u64 = u64::MAX;

#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    naked_asm!("b {}", sym main)
}

extern "C" fn main() -> ! {
    // SAFETY: the test has written `ACT` before the system starts.
    let act = unsafe { ptr::read_volatile(&raw const ACT) };
    // SAFETY: the actions are under test, and affect only this protection domain.
    unsafe {
        match act {
            0 => print("witness runs\n"),
            1 => ptr::without_provenance_mut::<u64>(8).write_volatile(0),
            2 => asm!("udf #1"),
            3 => _ = call(99, 0, 0, [0; 4]),
            4 => asm!("br {}", in(reg) (&raw const ACT).addr()),
            5 => asm!("2: str xzr, [sp, #-64]!", "b 2b"),
            6 => asm!("mrs {}, sctlr_el1", out(reg) _),
            7 => asm!("fmov d0, {}", in(reg) act),
            8 => loop {
                asm!("nop");
            },
            9 => loop {
                asm!("wfi");
            },
            10 => floating_point(),
            11 => client(),
            12 => server(),
            13 => timer(),
            14 => asm!("msr daifset, #2"),
            15 => asm!("brk #1"),
            16 => ptr::with_exposed_provenance_mut::<u64>(0x7000_0000).write_volatile(0),
            _ => print("?\n"),
        }
    }
    // SAFETY: this call waits forever on the protection domain's own notification or endpoint.
    unsafe { call(RECV, INPUT, 0, [0; 4]) };
    loop {}
}

const CALL: i64 = -1;
const REPLY_RECV: i64 = -2;
const RECV: i64 = -7;
const PUT_CHAR: i64 = -12;
const INPUT: u64 = 1;
const REPLY: u64 = 4;
const ENDPOINT_0: u64 = 74;
const IRQ_0: u64 = 138;
const ACK: u64 = 31 << 12;

/// Makes a system call.
unsafe fn call(number: i64, x0: u64, info: u64, words: [u64; 4]) -> (u64, [u64; 4]) {
    let (mut badge, mut words) = (x0, words);
    // SAFETY: the registers follow seL4's calling convention. The caller chooses a system call that
    // is safe at that point.
    unsafe {
        asm!("svc #0", inout("x0") badge, inout("x1") info => _, inout("x2") words[0],
            inout("x3") words[1], inout("x4") words[2], inout("x5") words[3],
            in("x6") REPLY, in("x7") number);
    }
    (badge, words)
}

fn print(text: &str) {
    for byte in text.bytes() {
        // SAFETY: this call writes a byte to the console.
        unsafe { call(PUT_CHAR, byte.into(), 0, [0; 4]) };
    }
}

/// Keeps values in floating-point registers while other PDs run. Prints once that the values are
/// intact.
unsafe fn floating_point() {
    let mut rounds = 0;
    for seed in 1_u64.. {
        let (low, high): (u64, u64);
        // SAFETY: this code uses only registers.
        unsafe {
            asm!("dup v9.2d, {0}", "mov {1}, #3000", "2: sub {1}, {1}, #1", "cbnz {1}, 2b",
                "mov {1}, v9.d[0]", "mov {2}, v9.d[1]", in(reg) seed, out(reg) low,
                out(reg) high, out("v9") _);
        }
        if (low, high) != (seed, seed) {
            print("floating point was lost\n");
        }
        rounds += 1;
        if rounds == 3000 {
            print("floating point stays\n");
        }
    }
}

unsafe fn client() {
    for round in 0..1000 {
        // SAFETY: this call sends a message to the server.
        let (_, words) = unsafe { call(CALL, ENDPOINT_0, 4, [round, 2, 3, 4]) };
        if words != [round + 1, 2, 3, 4] {
            print("a reply is wrong\n");
        }
    }
    print("1000 replies are right\n");
}

unsafe fn server() {
    // SAFETY: these calls receive requests and reply to them.
    unsafe {
        let (_, mut words) = call(RECV, INPUT, 0, [0; 4]);
        loop {
            words[0] += 1;
            (_, words) = call(REPLY_RECV, INPUT, 4, words);
        }
    }
}

/// Handles the IRQ of the processor's timer, three times.
unsafe fn timer() {
    for _ in 0..3 {
        // SAFETY: this code sets a timer that this protection domain owns.
        unsafe {
            let now: u64;
            asm!("isb", "mrs {}, cntpct_el0", out(reg) now);
            asm!("msr cntp_cval_el0, {}", "msr cntp_ctl_el0, {}", in(reg) now + 100_000,
                in(reg) 1_u64);
            let (badge, _) = call(RECV, INPUT, 0, [0; 4]);
            print(if badge == 1 { "tick\n" } else { "another signal\n" });
            asm!("msr cntp_ctl_el0, xzr");
            call(CALL, IRQ_0, ACK, [0; 4]);
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    print("panic\n");
    loop {}
}
