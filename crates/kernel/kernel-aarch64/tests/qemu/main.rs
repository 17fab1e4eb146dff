//! Tests the kernel on QEMU, with protection domains (PDs) that attack the kernel. Without QEMU or
//! without the target, the tests only print that they did not run.

mod machine;
mod pack;

use boot_spec::{Channel, ChannelEnd};
use machine::{built, run};
use pack::{Pd, pack, payload_offset};

fn pd(name: &'static str, act: u64, priority: u8) -> Pd {
    Pd {
        name,
        act,
        priority,
        budget_us: 1000,
        fpu: true,
        irq: None,
    }
}

/// A PD of the lowest priority. The witness runs after all other PDs.
const WITNESS: Pd = Pd {
    name: "witness",
    act: 0,
    priority: 0,
    budget_us: 1000,
    fpu: true,
    irq: None,
};

#[test]
fn misdeeds_are_reported_and_others_go_on() {
    let Some(built) = built() else { return };
    let mut pds = vec![
        pd("null", 1, 100),
        pd("undefined", 2, 99),
        pd("syscall", 3, 98),
        pd("execute-data", 4, 97),
        pd("overflow", 5, 96),
        pd("register", 6, 95),
        pd("no-fpu", 7, 94),
        pd("mask", 14, 93),
        pd("break", 15, 92),
        pd("kernel", 16, 91),
        pd("endless", 8, 200),
        pd("endless-wait", 9, 199),
        WITNESS,
    ];
    pds[6].fpu = false;
    let image = pack(&built.kernel, &built.program, &pds, &[]);
    let log = run(
        "misdeeds",
        &image,
        &[
            "MODEL|INFO: model kernel ",
            "MODEL|ERROR: null: write at 0x8, where nothing is mapped (pc ",
            "MODEL|ERROR: undefined: executed an undefined instruction, as a panic does (pc ",
            "MODEL|ERROR: syscall: made system call 99, which does not exist (pc ",
            "MODEL|ERROR: execute-data: jumped to ",
            "MODEL|ERROR: overflow: write at 0xffffffbfc0, where nothing is mapped (pc ",
            "MODEL|ERROR: overflow: 0xffffffbfc0 is just below its stack of 0x2000 bytes: a stack \
             overflow? Raise stack_size in <protection_domain name=\"overflow\">",
            "MODEL|ERROR: register: executed an undefined instruction",
            "MODEL|ERROR: no-fpu: used floating point, which fpu=\"false\" forbids (pc ",
            "MODEL|ERROR: mask: used a system register or instruction that is not allowed (pc ",
            "MODEL|ERROR: break: executed a breakpoint (pc ",
            "MODEL|ERROR: kernel: write at 0x70000000, where nothing is mapped (pc ",
            "witness runs",
        ],
    );
    assert!(!log.contains("the kernel panicked"), "{log}");
}

#[test]
fn calls_interrupts_and_floating_point_work_side_by_side() {
    let Some(built) = built() else { return };
    let mut pds = vec![
        pd("server", 12, 101),
        pd("client", 11, 100),
        pd("timer", 13, 120),
        pd("floating-point", 10, 110),
        pd("endless", 8, 105),
        WITNESS,
    ];
    const PHYSICAL_TIMER: u32 = 30;
    pds[2].irq = Some(PHYSICAL_TIMER);
    let end = |pd_index, pp| ChannelEnd {
        pd_index,
        id: 0,
        pp,
        notify: true,
    };
    let channel = Channel {
        ends: [end(1, true), end(0, false)],
    };
    let image = pack(&built.kernel, &built.program, &pds, &[channel]);
    let log = run(
        "side-by-side",
        &image,
        &[
            "1000 replies are right",
            "floating point stays",
            "witness runs",
            "tick",
        ],
    );
    assert_eq!(log.matches("tick").count(), 3, "{log}");
    for wrong in ["MODEL|ERROR", "lost", "wrong", "another"] {
        assert!(!log.contains(wrong), "{log}");
    }
}

#[test]
fn an_image_without_a_valid_system_is_reported() {
    let Some(built) = built() else { return };
    let image = pack(&built.kernel, &built.program, &[WITNESS], &[]);
    let payload = payload_offset(&built.kernel);
    let check = |name: &str, image: &[u8], sentence: &str| {
        let line = format!("MODEL|ERROR: {sentence}; the kernel halts");
        run(name, image, &[&line]);
    };
    let missing = "the image has no system behind the kernel";
    check("no-payload", &image[..payload], missing);
    let mut other = image.clone();
    other[payload + 7] = 9;
    let version = "the image has version 9, but this kernel reads version 1";
    check("other-version", &other, version);
    let mut damaged = image;
    damaged[payload + 16] ^= 1;
    check("damaged-spec", &damaged, "this is not a boot spec");
}
