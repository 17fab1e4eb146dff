//! Mutation tests of the property tests. Each mutant is a bug of one line in a copy of the crate.
//! The property tests must fail on the copy, for one of the reasons that the mutant names.
//!
//! The crate is built once for each mutant, so this test runs only on request: `cargo test -p
//! kernel-model --test mutants -- --ignored --nocapture`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A bug, and the failure that it must cause.
struct Mutant {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// The output must contain one of these strings.
    noticed_as: &'static [&'static str],
}

/// The crates in the copy: this crate, and the crates that it depends on.
const CRATES: [&str; 3] = [
    "crates/microkit-abi",
    "crates/kernel/boot-spec",
    "crates/kernel/kernel-model",
];

const MUTANTS: &[Mutant] = &[
    // Invariant: at most one thread runs, and no ready thread has a higher priority.
    Mutant {
        file: "sched/schedule.rs",
        from: "if may_be_below_others && !self.is_highest(priority) {",
        to: "if false {",
        noticed_as: &["NotHighest"],
    },
    Mutant {
        file: "sched/schedule.rs",
        from: "self.reschedule();\n            self.enqueue_first(thread);",
        to: "self.reschedule();",
        noticed_as: &["Forgotten"],
    },
    Mutant {
        file: "sched/budget.rs",
        from: "                self.postpone(sched_context);",
        to: "                self.enqueue_last(current);",
        noticed_as: &["Queued", "Running"],
    },
    Mutant {
        file: "sched/budget.rs",
        from: "self.current_sc = next;",
        to: "",
        noticed_as: &["Running"],
    },
    // Invariant: a thread is in at most one queue, the queue that its state requires.
    Mutant {
        file: "sched/schedule.rs",
        from: "self.dequeue_ready(thread);\n        self.dequeue_release(thread);",
        to: "self.dequeue_release(thread);",
        noticed_as: &["Queued", "is_schedulable"],
    },
    Mutant {
        file: "ipc/mod.rs",
        from: concat!(
            "            ThreadState::BlockedOnSend { endpoint, .. } => {\n",
            "                self.dequeue(sched, thread, endpoint);\n"
        ),
        to: "            ThreadState::BlockedOnSend { .. } => {\n",
        noticed_as: &["Membership", "Links"],
    },
    Mutant {
        file: "ipc/endpoint.rs",
        from: "if queue.is_empty() {",
        to: "if false {",
        noticed_as: &["never seen", "Membership", "Links", "Running"],
    },
    // Invariant: the links of queues agree, and queues are sorted.
    Mutant {
        file: "sched/queue.rs",
        from: "*self.link_before(threads, next) = previous;",
        to: "",
        noticed_as: &["Links"],
    },
    Mutant {
        file: "control.rs",
        from: "ipc.requeue(sched, thread, endpoint),",
        to: "{}",
        noticed_as: &["Links"],
    },
    Mutant {
        file: "sched/schedule.rs",
        from: "ready_time(sc) > time",
        to: "ready_time(sc) < time",
        noticed_as: &["Links"],
    },
    // Invariant: a reply object holds one caller, and at most one reply object holds a caller.
    Mutant {
        file: "ipc/endpoint.rs",
        from: "            self.cancel(sched, notifications, holds);",
        to: "",
        noticed_as: &["Reply"],
    },
    Mutant {
        file: "ipc/reply.rs",
        from: concat!(
            "self.break_stack(sched, above, below);\n",
            "        self.unlink_reply(sched, reply);\n    }"
        ),
        to: "self.unlink_reply(sched, reply);\n    }",
        noticed_as: &["Reply", "SchedContext"],
    },
    // Invariant: references of scheduling contexts are symmetric.
    Mutant {
        file: "sched/donation.rs",
        from: "            self.threads[from].sched_context = None;",
        to: "",
        noticed_as: &["SchedContext"],
    },
    Mutant {
        file: "sched/donation.rs",
        from: "        self.sched_contexts[sched_context].thread = None;",
        to: "",
        noticed_as: &["SchedContext"],
    },
    Mutant {
        file: "sched/donation.rs",
        from: "            self.sched_contexts[sched_context].yield_from = None;",
        to: "",
        noticed_as: &["SchedContext"],
    },
    // Invariant: no budget is lost or created.
    Mutant {
        file: "sched/refill.rs",
        from: "                amount: tail.amount.saturating_add(self.head.amount),",
        to: "                amount: tail.amount,",
        noticed_as: &["Budget"],
    },
    Mutant {
        file: "sched/refill.rs",
        from: "last.time = new.time.saturating_sub(last.amount);",
        to: "last.time = new.time.saturating_sub(2 * last.amount);",
        noticed_as: &["Budget"],
    },
    Mutant {
        file: "sched/budget.rs",
        from: ".is_sufficient(unbilled, self.clock)",
        to: ".is_sufficient(0, self.clock)",
        noticed_as: &["Running", "Budget", "overflow"],
    },
    Mutant {
        file: "sched/refill.rs",
        from: "let usage = usage.min(self.head.amount);",
        to: "let usage = usage + 20;",
        noticed_as: &["Queued", "Budget"],
    },
    // Invariant: a thread without a scheduling context is not in the ready queue.
    Mutant {
        file: "sched/donation.rs",
        from: concat!(
            "        self.dequeue(thread);\n",
            "        self.threads[thread].sched_context = None;"
        ),
        to: "        self.threads[thread].sched_context = None;",
        noticed_as: &["Queued"],
    },
    Mutant {
        file: "sched/donation.rs",
        from: "        self.reschedule_if_current(from);",
        to: "",
        noticed_as: &["Running"],
    },
    // Invariant: a thread with a fault waits for its handler.
    Mutant {
        file: "ipc/mod.rs",
        from: "        sched.thread_mut(thread).fault = None;\n",
        to: "",
        noticed_as: &["Fault"],
    },
    // Invariant: references between notifications and threads are symmetric.
    Mutant {
        file: "notification.rs",
        from: "            sched.thread_mut(thread).bound_notification = None;\n",
        to: "",
        noticed_as: &["Bound"],
    },
    // Invariant: the kernel never panics.
    Mutant {
        file: "fault.rs",
        from: "UNKNOWN_SYSCALL_REGISTERS.len() + 1;",
        to: "UNKNOWN_SYSCALL_REGISTERS.len();",
        noticed_as: &["index out of bounds"],
    },
    // Invariant: the behaviour does not depend on absolute times.
    Mutant {
        file: "sched/rebase.rs",
        from: "base = base.min(refills.head().time);",
        to: "",
        noticed_as: &["forgetting_when_things_happened"],
    },
];

#[test]
#[ignore = "builds the crate once for each mutant"]
fn the_property_tests_notice_every_mutant() {
    let copy = copy_workspace();
    assert!(run(&copy).0, "the property tests fail without a mutant");
    let mut unnoticed = Vec::new();
    for (number, mutant) in MUTANTS.iter().enumerate() {
        let path = copy
            .join("crates/kernel/kernel-model/src")
            .join(mutant.file);
        let original = fs::read_to_string(&path).unwrap();
        let times = original.matches(mutant.from).count();
        assert!(times > 0, "mutant {number}: {:?} is not there", mutant.from);
        fs::write(&path, original.replacen(mutant.from, mutant.to, 1)).unwrap();
        let (passes, output) = run(&copy);
        let noticed = mutant.noticed_as.iter().find(|how| output.contains(*how));
        let verdict = match (passes, noticed) {
            (false, Some(how)) => format!("noticed as {how}"),
            (false, None) => format!("fails otherwise:\n{output}"),
            (true, _) => "not noticed".into(),
        };
        println!("{number}: {} {:?}: {verdict}", mutant.file, mutant.from);
        if passes || noticed.is_none() {
            unnoticed.push(number);
        }
        fs::write(&path, original).unwrap();
    }
    assert!(unnoticed.is_empty(), "mutants {unnoticed:?}");
}

/// Copies this crate and the crates that it depends on into a separate workspace.
///
/// The manifest is the workspace's, because the crates inherit from it. Only the list of members
/// changes.
fn copy_workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap();
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let _ = fs::remove_dir_all(&copy);
    for path in CRATES {
        copy_directory(&root.join(path), &copy.join(path));
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest = without_array(&without_array(&manifest, "default-members"), "members");
    let members = format!("[workspace]\nmembers = {CRATES:?}\n");
    let manifest = manifest.replacen("[workspace]\n", &members, 1);
    fs::write(copy.join("Cargo.toml"), manifest).unwrap();
    copy
}

/// Removes a key whose value is an array of strings, on one line or on several lines.
fn without_array(manifest: &str, key: &str) -> String {
    let (before, after) = manifest.split_once(&format!("\n{key} = [")).unwrap();
    let (_, after) = after.split_once(']').unwrap();
    format!("{before}{after}")
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs the property tests of the copy. Returns whether the tests pass, and the output of the first
/// failed test. The test of the invariants runs first, because only its output names a reason.
fn run(copy: &Path) -> (bool, String) {
    ["whatever_happens", "forgetting_when"]
        .into_iter()
        .map(|test| run_one(copy, test))
        .find(|(passes, _)| !passes)
        .unwrap_or((true, String::new()))
}

fn run_one(copy: &Path, test: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO"))
        .args("test --offline -p kernel-model --test properties -- --nocapture".split(' '))
        .arg(test)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .env("CARGO_PROFILE_TEST_OPT_LEVEL", "1")
        .env("RUSTFLAGS", "")
        .env("RUST_BACKTRACE", "0")
        .env("PROPERTY_SEEDS", "8000")
        .env("PROPERTY_SECONDS", "60")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}
