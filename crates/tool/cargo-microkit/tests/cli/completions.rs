//! Runs the completion scripts in their shells. A shell that is not installed is left out.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::{Bench, check, system_text};

/// Sets the variables of a completion in bash, calls the function for `cargo`, and prints the
/// proposals. `_earlier` is the completion of Cargo itself.
const BASH: &str = r#"
_earlier() { COMPREPLY=(of-cargo); }
complete -F _earlier cargo
source <(cargo-microkit completions bash)
source <(cargo-microkit completions bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_cargo_or_microkit cargo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// Returns a command in a folder with the systems `tick` and `tock`, with the tool on the PATH.
fn shell(bench: &Bench, program: &str) -> Command {
    for name in ["tick", "tock"] {
        let text = system_text("x", "x.elf");
        bench.file(&format!("{name}.system"), text);
    }
    let tool = Path::new(env!("CARGO_BIN_EXE_cargo-microkit"));
    let folder = tool.parent().expect("a folder");
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new(program);
    command
        .current_dir(bench.path(""))
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("HOME", bench.path("home"))
        .env("XDG_CONFIG_HOME", bench.path("config"))
        .stdin(Stdio::null());
    command
}

fn is_installed(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    let is_installed = output.is_ok_and(|output| output.status.success());
    if !is_installed {
        eprintln!("skipped: {program} is not installed");
    }
    is_installed
}

#[test]
fn bash_completes_subcommands_options_and_systems() {
    if !is_installed("bash") {
        return;
    }
    let bench = Bench::new();
    let completed = |words: &[&str]| {
        let mut command = shell(&bench, "bash");
        command.args(["--norc", "-c", BASH, "bash"]).args(words);
        let text = check(command, true, &[]);
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["cargo", "microkit", "gr"]), ["graph"]);
    assert_eq!(
        completed(&["cargo", "+stable", "microkit", "gr"]),
        ["graph"]
    );
    for command in ["build", "run", "test", "bench", "check", "graph"] {
        let names = completed(&["cargo", "microkit", command, "t"]);
        assert_eq!(names, ["tick", "tock"], "{command}");
    }
    let kernels = completed(&["cargo", "microkit", "run", "tick", "--kernel", ""]);
    assert_eq!(kernels, ["auto", "sel4", "model"]);
    let shells = completed(&["cargo", "microkit", "completions", ""]);
    assert_eq!(shells[shells.len() - 3..], ["bash", "zsh", "fish"]);
    // Cargo's own completion still works.
    assert_eq!(completed(&["cargo", "bu"]), ["of-cargo"]);
    assert_eq!(completed(&["cargo", "build", "microkit", ""]), ["of-cargo"]);
}

#[test]
fn fish_completes_subcommands_options_and_systems() {
    if !is_installed("fish") {
        return;
    }
    let bench = Bench::new();
    let completed = |line: &str| {
        let script = format!("cargo-microkit completions fish | source; complete -C '{line}'");
        let mut command = shell(&bench, "fish");
        command.args(["-c", &script]);
        let text = check(command, true, &[]);
        let words = text.lines().filter_map(|line| line.split('\t').next());
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed("cargo microkit gr"), ["graph"]);
    for command in ["build", "run", "test", "bench", "check", "graph"] {
        let line = format!("cargo microkit {command} ti");
        let names = completed(&line);
        assert!(names.contains(&"tick".to_owned()), "{line}: {names:?}");
    }
    assert_eq!(completed("cargo microkit run --kernel m"), ["model"]);
}

#[test]
fn zsh_accepts_the_script() {
    if !is_installed("zsh") {
        return;
    }
    let bench = Bench::new();
    let mut command = shell(&bench, "zsh");
    // Without a terminal, zsh completes nothing. Loads the function as Cargo's function does.
    let script = "autoload -Uz compinit && compinit -u -D\n\
                  source <(cargo-microkit completions zsh)\n\
                  echo ${+functions[_cargo-microkit]} ${+functions[_cargo_microkit_systems]}\n";
    command.args(["-f", "-c", script]);
    assert_eq!(check(command, true, &[]), "1 1\n");
}
