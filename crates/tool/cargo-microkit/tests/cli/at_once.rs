//! Tests that commands use different files if they run at the same time.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::bench::{BOOT, Bench, PROGRAM, VERSION, check, system_text, text};

/// A fake QEMU that waits for a second, then prints its image.
const SLOW_QEMU: &str = "for word in \"$@\"; do\n\
    case $word in *file=*) image=${word#*file=}; image=${image%%,*} ;; esac\ndone\n\
    sleep 1\ncat \"$image\"\n";

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

#[track_caller]
fn printed(child: Child) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{said}{}",
        String::from_utf8_lossy(&stderr)
    );
    said
}

#[test]
fn systems_with_the_same_name_run_their_own_images_at_the_same_time() {
    let bench = Bench::new();
    let run = |folder: &str| {
        let system = format!("{folder}/x.system");
        bench.file(&system, system_text("pd", "pd.elf"));
        bench.file(&format!("{folder}/pd.elf"), crate::bench::elf(None));
        let arguments = ["run", &system, "--until", "image of"];
        bench.with_qemu(&arguments, &format!("{BOOT}{SLOW_QEMU}"))
    };
    // Both commands are created before one starts, because creating a command writes scripts.
    let [first, second] = ["a", "b"].map(run);
    let first = start(first);
    sleep(Duration::from_millis(300));
    let second = start(second);
    for (child, folder) in [(first, "a"), (second, "b")] {
        let said = printed(child);
        assert!(
            said.contains(&format!("image of {folder}/x.system")),
            "{said}"
        );
    }
}

#[test]
fn systems_with_the_same_name_have_different_images() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    let images = ["a", "b"].map(|folder| {
        let system = format!("{folder}/x.system");
        bench.file(&system, system_text("pd", "pd.elf"));
        bench.file(&format!("{folder}/pd.elf"), crate::bench::elf(None));
        let mut build = bench.microkit(&["build", &system, "--sdk"]);
        build.arg(&sdk);
        check(build, true, &[]).trim_end().to_owned()
    });
    for (image, folder) in images.iter().zip(["a", "b"]) {
        assert!(text(image.as_ref()).contains(&format!("image of {folder}/x.system")));
    }
    assert_ne!(images[0], images[1]);
}

#[test]
fn a_run_does_not_touch_the_image_of_a_build() {
    let bench = Bench::new();
    let sdk = bench.sdk(VERSION);
    bench.system("x");
    let mut build = bench.microkit(&["build", "x.system", "--sdk"]);
    build.arg(&sdk);
    let image = check(build, true, &[]).trim_end().to_owned();
    fs::write(&image, "as it was").expect("the image");
    let run = bench.with_qemu(
        &["run", "x.system", "--until", "image of"],
        &format!("{BOOT}{SLOW_QEMU}"),
    );
    check(run, true, &[]);
    assert_eq!(text(image.as_ref()), "as it was");
}

/// Makes a project whose binary contains different bytes with and without the feature `loud`.
fn project(bench: &Bench) {
    let manifest = "[package]\nname = \"pd\"\nedition = \"2024\"\n[features]\nloud = []\n";
    bench.file("Cargo.toml", manifest);
    let says = "#[used] #[unsafe(no_mangle)] static QUIET_OR_LOUD: [u8; 8] =\n\
        *if cfg!(feature = \"loud\") { b\"LOUD-IS1\" } else { b\"QUIET-I1\" };\n";
    bench.file("src/main.rs", format!("{PROGRAM}{says}"));
    bench.file("x.system", system_text("pd", "pd.elf"));
}

/// A fake of the SDK's tool. The fake waits, then copies the program to the image. If several
/// search paths contain a program, the last path is used.
const SLOW_TOOL: &str = "#!/bin/sh\n\
    while [ $# -gt 0 ]; do\n\
    case $1 in -o) image=$2 ;; -r) echo report > \"$2\" ;; esac\n\
    if [ -f \"$1/pd.elf\" ]; then pd=$1/pd.elf; fi\nshift\ndone\n\
    sleep 2\ngrep -ao 'LOUD-IS1\\|QUIET-I1' \"$pd\" | head -n 1 > \"$image\"\n";

#[test]
fn simultaneous_builds_with_different_features_get_their_own_programs() {
    let bench = Bench::new();
    project(&bench);
    let run = |features: &[&str]| {
        let arguments = [&["run", "x.system", "--until", "IS1|I1"], features].concat();
        bench.with_qemu(&arguments, &format!("{BOOT}{SLOW_QEMU}"))
    };
    // Both commands are created before one starts, because creating a command writes scripts.
    let [quiet, loud] = [run(&[]), run(&["--features", "loud"])];
    bench.script("sdk/bin/microkit", SLOW_TOOL);
    let quiet = start(quiet);
    sleep(Duration::from_millis(500));
    let loud = start(loud);
    assert!(printed(quiet).contains("QUIET-I1"));
    assert!(printed(loud).contains("LOUD-IS1"));
}
