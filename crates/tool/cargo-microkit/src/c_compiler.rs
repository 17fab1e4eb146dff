//! Chooses the C compiler and its flags from the same environment variables as the crate `cc`.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::target::Target;

/// The compilers that are tried if no variable names a compiler: Debian's compiler, and Arm's own.
const COMPILERS: [&str; 2] = ["aarch64-linux-gnu-gcc", "aarch64-none-elf-gcc"];

/// Returns the compiler for a target: a program and its first arguments.
///
/// Uses the compiler that the environment names, or else the first of [`COMPILERS`] that runs.
pub(crate) fn compiler(target: Target) -> Option<Vec<OsString>> {
    let mut named = variables("CC", target).into_iter().filter_map(env::var_os);
    if let Some(named) = named.find(|value| !value.is_empty()) {
        return Some(words(named));
    }
    let is_there = |name: &&str| {
        let mut command = Command::new(name);
        command.arg("--version");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = COMPILERS.into_iter().find(is_there)?;
    Some(vec![found.into()])
}

/// Returns the flags from the environment. The flags of the most specific variable come last and
/// override the other flags.
pub(crate) fn flags(target: Target) -> Vec<String> {
    let variables = variables("CFLAGS", target).into_iter().rev();
    let values = variables.filter_map(env::var_os);
    let split = |value: OsString| -> Vec<String> {
        let text = value.to_string_lossy();
        text.split_whitespace().map(str::to_owned).collect()
    };
    values.flat_map(split).collect()
}

/// Returns the names of the variables for a target, the most specific first.
///
/// `CC` and `CFLAGS` are ignored: they name no target and are for host programs.
fn variables(name: &str, target: Target) -> Vec<String> {
    let mut targets = vec![target.name()];
    if target != Target::Fpu {
        targets.push(Target::Fpu.name());
    }
    let of_target = |target: &str| {
        let with_underscores = target.replace('-', "_");
        [
            format!("{name}_{target}"),
            format!("{name}_{with_underscores}"),
        ]
    };
    let mut variables: Vec<_> = targets.into_iter().flat_map(of_target).collect();
    variables.push(format!("TARGET_{name}"));
    variables
}

/// Splits a value into a program and its arguments. The program may be a wrapper such as `ccache`.
///
/// A value that names an existing program is not split, because a path may contain spaces.
fn words(value: OsString) -> Vec<OsString> {
    if which::which(&value).is_ok() {
        return vec![value];
    }
    match value.to_str() {
        Some(text) if !text.trim().is_empty() => {
            text.split_whitespace().map(OsString::from).collect()
        }
        _ => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_variable_comes_first() {
        let fpu = [
            "CC_aarch64-unknown-none",
            "CC_aarch64_unknown_none",
            "TARGET_CC",
        ];
        assert_eq!(variables("CC", Target::Fpu), fpu);
        let no_fpu = variables("CC", Target::NoFpu);
        assert_eq!(no_fpu[0], "CC_aarch64-unknown-none-softfloat");
        assert_eq!(no_fpu[2..], fpu);
    }

    #[test]
    fn a_value_is_a_program_and_its_arguments() {
        let check = |value: &str, expect: &[&str]| assert_eq!(words(value.into()), expect);
        check("no-such-gcc", &["no-such-gcc"]);
        check(
            "no-such-gcc -Iinclude  -O2 ",
            &["no-such-gcc", "-Iinclude", "-O2"],
        );
        check("ccache no-such-gcc -O2", &["ccache", "no-such-gcc", "-O2"]);
        check(" ", &[" "]);
        // The copy of this executable is in a folder with a space in its name.
        let folder = tempfile::tempdir().expect("a temporary directory");
        let place = folder.path().join("my gcc");
        let program = env::current_exe().expect("it runs");
        std::os::unix::fs::symlink(program, &place).expect("a link");
        let place = place.to_str().expect("UTF-8");
        check(place, &[place]);
        check(
            &format!("{place} -O2"),
            &[place.split(' ').next().expect("one"), "gcc", "-O2"],
        );
    }
}
