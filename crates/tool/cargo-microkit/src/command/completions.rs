//! `completions`: prints the script that completes `cargo microkit` in a shell.
//!
//! `clap_complete` generates scripts for a program. A shell completes `cargo microkit` as the
//! program `cargo`, so each script is connected to Cargo's own completion. The scripts call
//! `cargo-microkit`, not `cargo microkit`: in a clone, an alias would build the tool at each Tab.

use clap::{Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use miette::Result;
use regex::Regex;

use crate::cli::{Cli, CompletionsArgs, ShellArg};
use crate::command::Outcome;
use crate::command::systems::Finder;
use crate::terminal;

/// Prints the script, or the names of the systems.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Outcome> {
    match args.shell {
        Some(shell) => terminal::line(script(shell).trim_end()),
        None => Finder::default().names()?.iter().for_each(terminal::line),
    }
    Ok(Outcome::Done)
}

fn script(shell: ShellArg) -> String {
    match shell {
        ShellArg::Bash => bash(),
        ShellArg::Zsh => zsh(),
        ShellArg::Fish => fish(),
    }
}

/// The shell command that prints the names of the systems.
const SYSTEMS: &str = "cargo-microkit completions --systems 2>/dev/null";

/// The subcommands whose arguments are systems.
const WITH_SYSTEM: [&str; 6] = ["build", "run", "test", "bench", "check", "graph"];

/// The end of the script for bash. Bash calls one function for `cargo`, so this function calls
/// Cargo's own function for all other subcommands.
const BASH: &str = r#"
if ! complete -p cargo >/dev/null 2>&1; then
    if declare -F _comp_load >/dev/null; then
        _comp_load cargo
    elif declare -F _completion_loader >/dev/null; then
        _completion_loader cargo
    fi
fi
if [[ $(complete -p cargo 2>/dev/null) =~ -F\ ([^\ ]+) ]] &&
    [[ ${BASH_REMATCH[1]} != @(_cargo_or_microkit|*minimal) ]]; then
    _cargo_microkit_others=${BASH_REMATCH[1]}
fi

_cargo_or_microkit() {
    local word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        microkit)
            _cargo_microkit "$@"
            return
            ;;
        [-+]*) ;;
        *) break ;;
        esac
    done
    if [[ -n ${_cargo_microkit_others-} ]]; then
        "$_cargo_microkit_others" "$@"
    elif [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "$(cargo --list 2>/dev/null | awk '/^ / { print $1 }')" -- "$2"))
    fi
}
complete -F _cargo_or_microkit -o bashdefault -o default cargo
"#;

fn bash() -> String {
    let generated = generated(Shell::Bash, cargo(), "cargo");
    let (function, _registration) = generated
        .split_once("\nif [[ \"${BASH_VERSINFO[0]}\" -eq 4 ")
        .expect("the script ends with a registration");
    let function = function.replacen("_cargo()", "_cargo_microkit()", 1);
    let words = pattern(&format!(
        r#"(?m)(__({})\)\n +opts=")"#,
        WITH_SYSTEM.join("|")
    ));
    let function = words.replace_all(&function, format!("${{1}}$$({SYSTEMS}) "));
    // The generated words include hidden options.
    let function = function.replace("opts=\"--systems ", "opts=\"");
    format!("{function}\n{BASH}")
}

/// The function that the script for zsh uses for the names of systems.
const ZSH: &str = "_cargo_microkit_systems() {\n    \
    local -a systems\n    \
    systems=(${(f)\"$(SYSTEMS)\"})\n    \
    _alternative 'systems:system:compadd -a systems' 'files:system file:_files -g \"*.system\"'\n\
}\n\n";

/// Cargo's function for zsh calls `_cargo-NAME` for a subcommand NAME.
fn zsh() -> String {
    let generated = generated(Shell::Zsh, Cli::command(), "cargo-microkit");
    let arguments = pattern(r"(?m)^('\*?::systems? -- .*):_default'");
    let generated = arguments.replace_all(&generated, "$1:_cargo_microkit_systems'");
    // zsh's `_default` offers programs for the arguments of QEMU.
    let generated = generated.replace(
        "More arguments for QEMU:_default",
        "More arguments for QEMU:_files",
    );
    let helper = ZSH.replace("SYSTEMS", SYSTEMS);
    generated.replacen(
        "\n_cargo-microkit() {",
        &format!("\n{helper}_cargo-microkit() {{"),
        1,
    )
}

fn fish() -> String {
    let generated = generated(Shell::Fish, cargo(), "cargo");
    // Fish's own script for Cargo has functions of similar names.
    let mut script = generated.replace("__fish_cargo_", "__fish_cargo_microkit_");
    for subcommand in WITH_SYSTEM {
        script.push_str(&format!(
            "complete -c cargo -n \"__fish_cargo_microkit_using_subcommand microkit; and \
             __fish_seen_subcommand_from {subcommand}\" -a \"({SYSTEMS})\" -d system\n"
        ));
    }
    let shells = ShellArg::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value);
    let shells: Vec<_> = shells.map(|shell| shell.get_name().to_owned()).collect();
    script.push_str(&format!(
        "complete -c cargo -n \"__fish_cargo_microkit_using_subcommand microkit; and \
         __fish_seen_subcommand_from completions\" -f -a \"{}\"\n",
        shells.join(" ")
    ));
    script
}

/// Returns the command `cargo` with the only subcommand `microkit`.
fn cargo() -> Command {
    Command::new("cargo")
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .subcommand(Cli::command().name("microkit"))
}

fn generated(shell: Shell, mut command: Command, name: &str) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8(script).expect("the command line is UTF-8")
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_has_every_subcommand_and_the_systems() {
        for &shell in ShellArg::value_variants() {
            let script = script(shell);
            let systems = match shell {
                ShellArg::Zsh => 1, // In one function.
                ShellArg::Bash | ShellArg::Fish => WITH_SYSTEM.len(),
            };
            assert_eq!(script.matches(SYSTEMS).count(), systems, "{shell:?}");
            for command in Cli::command().get_subcommands() {
                let name = command.get_name();
                let is_there = match shell {
                    ShellArg::Bash => script.contains(&format!("microkit,{name})")),
                    ShellArg::Zsh => script.contains(&format!("\n'{name}:")),
                    ShellArg::Fish => script.contains(&format!("-a \"{name}\"")),
                };
                assert!(is_there, "{shell:?}: {name}\n{script}");
            }
        }
    }
}
