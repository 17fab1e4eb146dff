//! Tests `check` and `graph`: findings before a system runs, and the picture of a system.

use std::path::Path;

use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};

use crate::bench::{Bench, check, text};

const MODEL: [&str; 2] = ["--kernel", "model"];

/// Returns the ELF file of a program that declares these waits.
fn elf(waits: &str) -> Vec<u8> {
    elf_with(&[(".microkit.waits", waits)])
}

fn elf_with(sections: &[(&str, &str)]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    for (name, text) in sections {
        let id = object.add_section(vec![], (*name).into(), SectionKind::Other);
        object.append_section_data(id, text.as_bytes(), 1);
    }
    object.write().expect("an ELF file")
}

/// Makes a bench with a client that calls a server. The programs have these declarations.
fn client_and_server(server_priority: u8, [client, server]: [&str; 2]) -> Bench {
    let bench = Bench::new();
    bench.file("client.elf", elf(client));
    bench.file("server.elf", elf(server));
    let pd = |name: &str, priority: u8| {
        format!(
            "<protection_domain name=\"{name}\" priority=\"{priority}\">\n\
             <program_image path=\"{name}.elf\" />\n</protection_domain>\n"
        )
    };
    let (client, server) = (pd("client", 10), pd("server", server_priority));
    let channel = "<channel>\n<end pd=\"client\" id=\"1\" pp=\"true\" />\n\
                   <end pd=\"server\" id=\"2\" />\n</channel>\n";
    bench.file(
        "two.system",
        format!("<system>\n{client}{server}{channel}</system>\n"),
    );
    bench
}

#[track_caller]
fn check_two(declared: [&str; 2], options: &[&str], is_success: bool, parts: &[&str]) {
    let bench = client_and_server(20, declared);
    let arguments = [&["check", "two.system"], &MODEL[..], options].concat();
    check(bench.microkit(&arguments), is_success, parts);
}

const CALLS: &str = "version 1\ncall 1 in init\n";
const NOTHING: &str = "version 1\n";

#[test]
fn declarations_are_read_from_the_programs() {
    let order = "two: in order (2 protection domains, 1 wait)";
    check_two([CALLS, NOTHING], &[], true, &[order]);
    let waits = "version 1\nwait 2 in protected 2\n";
    let parts = [
        "`server` waits inside its protected procedure",
        "two.system:9",
    ];
    check_two([CALLS, waits], &[], false, &parts);
    // With `--no-build`, the tool does not read the declaration of this wait.
    check_two([CALLS, waits], &["--no-build"], true, &[order]);
}

#[test]
fn an_invalid_declaration_is_refused() {
    let parts = ["client.elf", "`sleep 5` is not understood"];
    check_two(["version 1\nsleep 5\n", NOTHING], &[], false, &parts);
    check_two(["", NOTHING], &[], false, &["no line says `version 1`"]);
}

#[test]
fn warnings_fail_only_if_they_are_denied() {
    let parts = ["may call over channel 1", "0 errors, 1 warning"];
    check_two([NOTHING, NOTHING], &[], true, &parts);
    check_two([NOTHING, NOTHING], &["--deny-warnings"], false, &parts);
}

#[test]
fn the_callers_of_a_server_that_does_not_reply_after_a_restart_are_named() {
    let waits = (".microkit.waits", NOTHING);
    let check_server = |sections: &[(&str, &str)], is_success, parts: &[&str]| {
        let bench = Bench::new();
        bench.file("parent.elf", elf(NOTHING));
        bench.file("server.elf", elf_with(sections));
        for client in ["a.elf", "b.elf"] {
            bench.file(client, elf(CALLS));
        }
        let pd = |name: &str, attributes: &str, child: &str| {
            format!(
                "<protection_domain name=\"{name}\" {attributes}>\n\
                 <program_image path=\"{name}.elf\" />\n{child}</protection_domain>\n"
            )
        };
        let server = pd("server", "id=\"1\" priority=\"20\"", "");
        let parent = pd("parent", "priority=\"30\"", &server);
        let clients = ["a", "b"]
            .map(|name| pd(name, "priority=\"10\"", ""))
            .concat();
        let channel = |client: &str, id: u8| {
            format!(
                "<channel>\n<end pd=\"{client}\" id=\"1\" pp=\"true\" />\n\
                 <end pd=\"server\" id=\"{id}\" />\n</channel>\n"
            )
        };
        let channels = channel("a", 1) + &channel("b", 2);
        bench.file(
            "dies.system",
            format!("<system>\n{parent}{clients}{channels}</system>\n"),
        );
        let arguments = [&["check", "dies.system", "--deny-warnings"], &MODEL[..]].concat();
        check(bench.microkit(&arguments), is_success, parts);
    };
    let parts = [
        "if `server` faults in a call, its caller (`a` or `b`) waits forever",
        "0 errors, 1 warning",
    ];
    check_server(&[waits], false, &parts);
    let replies = (".microkit.restart", "reply 6\n");
    check_server(&[waits, replies], true, &["dies: in order"]);
}

#[test]
fn the_same_warning_about_six_places_is_one_warning() {
    let bench = Bench::new();
    let regions: Vec<String> = (0..6)
        .map(|index| format!("<memory_region name=\"unused{index}\" size=\"0x1000\" />\n"))
        .collect();
    let pd = "<protection_domain name=\"pd\">\n<program_image path=\"pd.elf\" />\n\
              </protection_domain>\n";
    let system = format!("<system>\n{}{pd}</system>\n", regions.concat());
    bench.file("six.system", system);
    let parts = [
        "nothing maps the memory region `unused0` (and 5 more like it)",
        "nothing maps the memory region `unused5`",
        "0 errors, 1 warning\n",
    ];
    check(
        bench.microkit(&["check", "six.system", "--no-build"]),
        true,
        &parts,
    );
}

#[test]
fn errors_in_the_file_are_reported_first() {
    let bench = client_and_server(10, [CALLS, NOTHING]);
    let parts = [
        "`client` (priority 10) may not call `server` (priority 10)",
        "1 error",
    ];
    check(
        bench.microkit(&["check", "two.system", "--no-build"]),
        false,
        &parts,
    );
    check(
        bench.microkit(&["graph", "two.system", "--no-build"]),
        false,
        &parts[..1],
    );
}

#[test]
fn a_feature_that_the_model_kernel_lacks_is_an_error_for_it() {
    let bench = Bench::new();
    let system = "<system>\n<protection_domain name=\"pd\" smc=\"true\">\n\
                  <program_image path=\"pd.elf\" />\n</protection_domain>\n</system>\n";
    bench.file("smc.system", system);
    let run = |options: &[&str], is_success, part| {
        let arguments = [&["check", "smc.system", "--no-build"], options].concat();
        check(bench.microkit(&arguments), is_success, &[part]);
    };
    run(&[], true, "smc: in order");
    run(&MODEL, false, "does not forward SMC calls");
}

#[test]
fn without_a_project_a_system_must_be_named() {
    let bench = Bench::new();
    check(
        bench.microkit(&["check"]),
        false,
        &["no system is named, and the current folder has no system file and is not in a Cargo"],
    );
}

#[test]
fn a_cycle_is_red_in_the_picture() {
    let drawn = |server: &str| {
        let bench = client_and_server(20, [CALLS, server]);
        let arguments = [&["graph", "two.system", "-o", "two.svg"], &MODEL[..]].concat();
        assert_eq!(check(bench.microkit(&arguments), true, &[]), "");
        text(&bench.path("two.svg"))
    };
    let red = "class=\"cycle\"";
    assert!(!drawn(NOTHING).contains(red));
    let picture = drawn("version 1\nwait 2 in notified\n");
    assert!(
        picture.contains(red) && picture.contains("client → server → client"),
        "{picture}"
    );
}

#[test]
fn options_choose_the_parts_of_a_picture() {
    let bench = Bench::new();
    let pd = |name: &str| {
        format!(
            "<protection_domain name=\"{name}\">\n<program_image path=\"{name}.elf\" />\n\
             <map mr=\"ring\" vaddr=\"0x4000000\" />\n</protection_domain>\n"
        )
    };
    let channel =
        "<channel>\n<end pd=\"one\" id=\"1\" />\n<end pd=\"two\" id=\"1\" />\n</channel>\n";
    let region = "<memory_region name=\"ring\" size=\"0x1000\" />\n";
    let pds = [pd("one"), pd("two"), pd("three")].concat();
    bench.file(
        "three.system",
        format!("<system>\n{region}{pds}{channel}</system>\n"),
    );
    let drawn = |options: &[&str]| {
        let arguments = [&["graph", "three.system", "--no-build"], options].concat();
        let picture = check(bench.microkit(&arguments), true, &[]);
        let is_there = |text: &str| picture.contains(text);
        (
            is_there("ring at"),
            is_there("one (id 1)"),
            is_there("three maps"),
        )
    };
    assert_eq!(drawn(&[]), (true, true, true));
    assert_eq!(drawn(&["--channels", "--memory"]), (true, true, true));
    assert_eq!(drawn(&["--channels"]), (false, true, false));
    assert_eq!(drawn(&["--memory"]), (true, false, true));
    assert_eq!(
        drawn(&["--channels", "--pd", "three"]),
        (false, false, false)
    );
    assert_eq!(drawn(&["--pd", "three", "--pd", "one"]), (true, true, true));

    let arguments = ["graph", "three.system", "--no-build", "--pd", "tree"];
    let parts = [
        "three.system",
        "no protection domain `tree`",
        "did you mean `three`?",
    ];
    check(bench.microkit(&arguments), false, &parts);
}

/// Asserts that the guide shows the picture that the tool draws.
#[test]
fn the_picture_in_the_guide_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let system = root.join("microkit-systems/virtio-block.system");
    let bench = Bench::new();
    let arguments = ["graph", system.to_str().expect("UTF-8"), "--no-build"];
    let drawn = check(bench.microkit(&arguments), true, &[]);
    let picture = root.join("docs/guide/virtio-block.svg");
    assert!(
        text(&picture) == drawn,
        "the picture has changed: cargo microkit graph virtio-block --no-build -o {}",
        picture.display()
    );
}

#[test]
fn a_file_that_is_not_a_program_of_a_pd_is_an_error() {
    let bench = Bench::new();
    bench.file("x.system", crate::bench::system_text("pd", "pd.elf"));
    let checked = |program: &[u8], is_success, parts: &[&str]| {
        bench.file("built/pd.elf", program);
        let command = bench.microkit(&["check", "x.system", "--elf", "built"]);
        check(command, is_success, parts);
    };
    let whole = crate::bench::elf(None);
    checked(&whole, true, &["x: in order"]);
    checked(b"", false, &["not an ELF file"]);
    checked(&whole[..100], false, &["truncated or damaged"]);
    let mut foreign = whole.clone();
    foreign[18] = 62; // x86-64
    checked(&foreign, false, &["not for AArch64"]);
    let mut nowhere = whole.clone();
    nowhere[24..32].fill(0x7f); // `e_entry`
    checked(&nowhere, false, &["starts at 0x7f7f7f7f7f7f7f7f"]);
    let runtime: Vec<u8> = b"microkit_pps".to_vec();
    let place = whole
        .windows(runtime.len())
        .position(|bytes| bytes == runtime);
    let mut renamed = whole.clone();
    renamed[place.expect("the symbol")] = b'M';
    checked(&renamed, false, &["no symbol `microkit_pps`"]);
}
