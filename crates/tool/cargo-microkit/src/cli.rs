//! The command line: subcommands, options, and their `--help` texts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use regex::Regex;

use crate::keys::Escape;
use crate::template::{self, Template};

/// The text of `--version`: versions, and the path of this program.
///
/// The path shows which program runs. In a clone, the alias in `.cargo/config.toml` takes
/// precedence over an installed program.
fn version() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let program = std::env::current_exe();
        let program = program.map_or_else(|e| e.to_string(), |path| path.display().to_string());
        format!(
            "{}\nprogram: {program}\nmodel kernel: {}, part of this program\nneeds: Rust {} or \
             newer",
            env!("CARGO_PKG_VERSION"),
            env!("MODEL_KERNEL"),
            env!("CARGO_PKG_RUST_VERSION")
        )
    })
}

/// Build, run and test systems of seL4 Microkit protection domains
#[derive(Debug, Parser)]
#[command(name = "cargo-microkit", bin_name = "cargo microkit", version, long_version = version())]
#[command(after_help = "Example:\n  cargo microkit run hello --until 'hello, world'")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(NewArgs),
    Init(InitArgs),
    Build(BuildArgs),
    Run(RunArgs),
    Test(TestArgs),
    Bench(BenchArgs),
    Check(CheckArgs),
    Graph(GraphArgs),
    Sdk(SdkArgs),
    Doctor(DoctorArgs),
    Completions(CompletionsArgs),
}

/// Make a package with a system that runs and has tests
///
/// The package has a system file, a program for each protection domain, tests on the host, the
/// expected output of the system, a workflow for GitHub, and settings for VS Code. PATH is the
/// folder of the package, and its last part is the name of the package. The folder must not exist,
/// or must be empty.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit new my-system\n  \
    cargo microkit new path/to/my-system --template typed\n  \
    cargo microkit new --list")]
pub(crate) struct NewArgs {
    /// The folder of the package
    #[arg(value_name = "PATH", required_unless_present = "list")]
    pub(crate) path: Option<PathBuf>,
    /// List the templates, with a line that each system prints
    #[arg(long, conflicts_with_all = ["path", "template", "runtime"])]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) template: TemplateArgs,
}

/// Make a package in the current folder, as `new` does
///
/// The current folder must be empty, except for `.git`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo microkit init --template driver")]
pub(crate) struct InitArgs {
    /// The name of the package [default: the name of the folder]
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) template: TemplateArgs,
}

/// Options that `new` and `init` share.
#[derive(Debug, Args)]
pub(crate) struct TemplateArgs {
    /// The system of the package; `new --list` describes each template
    #[arg(long, value_name = "NAME", default_value = template::DEFAULT)]
    #[arg(value_parser = one_template())]
    pub(crate) template: &'static Template,
    /// The source of the crates that the package depends on: the folder of a clone, or the URL of a
    /// Git repository, as URL, URL#TAG or URL#COMMIT [default: where this program was installed
    /// from, or the clone that it was built from]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) runtime: Option<String>,
}

/// Build a system's programs and pack them into an image
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit build hello --release -o hello.img\n  \
    cargo microkit build path/to/my.system --board qemu_virt_aarch64 --config release\n\n\
    Prints the path of the image.")]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) system: SystemArg,
    #[command(flatten)]
    pub(crate) variant: VariantArgs,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) outputs: OutputArgs,
}

/// Build a system and run it in QEMU
///
/// Shows the serial log while the system runs, and sends standard input to the system's serial
/// port. From a terminal, every key is sent except Ctrl-C. Ctrl-C ends the run. From a pipe or a
/// file, every byte is sent. The first input is delayed until the system has printed something, or
/// until the system has been silent for three seconds. The terminal's settings are restored at the
/// end.
///
/// The run also ends when QEMU ends, when every PD has faulted, when a line matches --until, or
/// after the time of --timeout. On the model kernel, the run also ends when no PD can run any more,
/// unless QEMU has a monitor or a debugger. If the run ends before a line matches --until, or by
/// Ctrl-C, the command reports the position of each PD and the event that the PD waits for. On
/// seL4, this report needs the configuration `debug`.
///
/// The file NAME.qemu beside NAME.system adds devices to the machine. Each line holds arguments for
/// QEMU, quoted as in a shell, or defines a disk. `disk: SIZE` (for example `disk: 64K`) creates a
/// disk of zeros for this run. `disk: FILE` creates a disk with the content of FILE, and does not
/// change FILE. `disk-in-place: FILE` creates a disk that writes to FILE. The name of the first
/// disk is disk0, as in `-device virtio-blk-device,drive=disk0`. Paths are relative to the folder
/// of NAME.qemu.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit run hello\n  \
    cargo microkit run ping-pong --until 'ping: done' --timeout 30\n  \
    cargo microkit run serial-echo --escape ctrl-]\n  \
    cargo microkit run hello -- -d int -D qemu.log")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) system: SystemArg,
    #[command(flatten)]
    pub(crate) variant: VariantArgs,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) outputs: OutputArgs,
    #[command(flatten)]
    pub(crate) qemu: QemuArgs,
    /// Succeed as soon as a line of the serial log matches
    #[arg(long, value_name = "REGEX")]
    pub(crate) until: Option<Regex>,
    /// Fail after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// The key that ends the run; every other key is sent to the system
    #[arg(long, value_name = "KEY", default_value = "ctrl-c")]
    pub(crate) escape: Escape,
    /// More arguments for QEMU
    #[arg(last = true, value_name = "QEMU ARGS")]
    pub(crate) qemu_args: Vec<OsString>,
}

/// Run systems and compare each serial log with its .expected file
///
/// NAME.expected beside NAME.system holds the lines that the system must print, with all fault
/// reports. Other messages of the loader, the kernel and the monitor are ignored. For one
/// configuration, NAME.CONFIG.expected replaces NAME.expected. For the model kernel,
/// NAME.model.expected replaces NAME.expected. A line `re:REGEX` matches a whole line by a regular
/// expression. A line `type: TEXT` sends TEXT and Enter after the system has printed all preceding
/// lines. A file that holds only `skip: REASON` skips the system. A file that holds only `refused:
/// TEXT` means that the build must refuse the system, with TEXT in the report.
///
/// Every system runs on the model kernel and on seL4; --kernel chooses one of the two kernels.
/// Without an SDK, the tests on seL4 are reported as skipped. A system fails if a line differs. A
/// system also fails if a line is missing when the run ends. A run ends at the time limit, or when
/// no PD can run any more. The report of a missing line shows the position of each PD. NAME.qemu
/// adds devices to the machine, as for `run`.
///
/// First, `cargo test` runs for each package that depends on `microkit-test` and contains a program
/// of the systems. These tests always run on the host: `build.target` of Cargo's configuration and
/// `CARGO_BUILD_TARGET` apply to the programs only.
///
/// The last line printed is always `N passed, N failed, N skipped`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit test\n  \
    cargo microkit test ping-pong --config debug,release --profile dev,release\n  \
    cargo microkit test hello --bless")]
pub(crate) struct TestArgs {
    /// Systems to test, by name or path, as for `run` [default: all systems of the package that
    /// have an .expected file; for a package without systems, and at the workspace's root, all of
    /// the workspace]
    #[arg(value_name = "SYSTEM")]
    pub(crate) systems: Vec<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    /// Kernel configurations to test, separated by commas
    #[arg(long = "config", value_name = "CONFIG", env = "MICROKIT_CONFIG")]
    #[arg(default_value = "debug", value_delimiter = ',')]
    pub(crate) configs: Vec<String>,
    /// Cargo profiles of the Rust programs to test, separated by commas
    #[arg(
        long = "profile",
        value_name = "PROFILE",
        default_value = "dev",
        value_delimiter = ','
    )]
    pub(crate) profiles: Vec<String>,
    /// Same as --profile release
    #[arg(long, short = 'r', conflicts_with = "profiles")]
    pub(crate) release: bool,
    #[command(flatten)]
    pub(crate) qemu: QemuArgs,
    /// Write the output of the systems to their .expected files. Each `type:` line of the old file
    /// is sent when the system falls silent. A file that cannot be read is not changed
    #[arg(long)]
    pub(crate) bless: bool,
    /// Time limit for each system, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Number of systems that run at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,
    /// Skip the tests on this machine, and test only the systems
    #[arg(long)]
    pub(crate) no_host_tests: bool,
    /// List the tests without running them
    #[arg(long)]
    pub(crate) list: bool,
}

/// Count the instructions of round trips, on the model kernel and on seL4
///
/// Builds a system of measurements with the profile `release`, and runs it under QEMU's `-icount`,
/// so that the counts are exact. The kernel configuration on seL4 is `release`. Each line `NAME:
/// NUMBER` that the system prints becomes a row of the table. The system NAME-more.system in the
/// same folder adds rows. NAME-c.system adds a column for the same measurements in C, and
/// NAME-limit.system adds a column for bare system calls. Without an SDK or a C compiler, the two
/// columns are skipped with a message.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit bench\n  \
    cargo microkit bench --check\n  \
    cargo microkit bench --kernel sel4 --json bench.json --plot bench.svg")]
pub(crate) struct BenchArgs {
    /// The system, by name or path, as for `run` [default: bench, or else the only system]
    #[arg(value_name = "SYSTEM")]
    pub(crate) system: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) qemu: QemuProgramArg,
    /// Fail if a number is more than 2% above its value in SYSTEM.json, beside SYSTEM.system
    #[arg(long, conflicts_with = "bless")]
    pub(crate) check: bool,
    /// Replace SYSTEM.json with the new measurements
    #[arg(long)]
    pub(crate) bless: bool,
    /// Write all measurements to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write a chart of the measurements to this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Also measure the build time of the system: a clean build, and a build after a change
    #[arg(long)]
    pub(crate) build_time: bool,
    /// Time limit for each system, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// Find deadlocks and unsafe memory mappings in a system before it runs
///
/// Refuses a system whose protection domains can wait for each other forever: through calls,
/// through notifications that a handler waits for, through locks, or through faults. A program
/// declares its waits, except calls, with `sel4_microkit::waits!`. This command reads the
/// declaration from the ELF file. A program without a declaration is assumed to make every call
/// that the system file allows, at any time. Warns about valid but surprising settings, such as a
/// child that its parent cannot stop.
///
/// Refuses a system file that does not map memory as a program expects: a region of another size or
/// physical address, a driver's memory that another PD can write, a mapping below a stack, or a
/// stack that is too small. `build`, `run` and `test` also refuse such a system file.
///
/// Prints one line for each system without findings. Prints findings to standard error, each with
/// the affected lines of the system file. Fails if there is an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit check\n  \
    cargo microkit check ping-pong --deny-warnings\n  \
    cargo microkit check path/to/my.system --no-build --kernel model\n  \
    cargo microkit check path/to/my.system --elf path/to/build")]
pub(crate) struct CheckArgs {
    /// Systems to check, by name or path, as for `run` [default: all systems of the package; for a
    /// package without systems, and at the workspace's root, all of the workspace]
    #[arg(value_name = "SYSTEM")]
    pub(crate) systems: Vec<String>,
    /// Fail on warnings too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[command(flatten)]
    pub(crate) programs: DeclaringArgs,
}

/// The options for finding programs and their declarations.
#[derive(Debug, Args)]
pub(crate) struct DeclaringArgs {
    /// Do not build the programs; assume that no program has a declaration
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Read the programs from this folder instead of building them, for systems with their own
    /// build (repeatable; folders are searched in order)
    #[arg(long, value_name = "DIR", conflicts_with = "no_build")]
    pub(crate) elf: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) variant: VariantArgs,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// Draw a system as SVG
///
/// Shows protection domains with their priorities, channels, interrupts, and memory regions with
/// the mapping rights of each PD. Each child is inside its parent, and the highest priority is
/// first. Regions that the same PDs map are drawn as one box. Possible deadlocks, as reported by
/// `check`, are red. In a browser, a tooltip names the line under the pointer. The same system
/// always gives the same picture.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit graph ping-pong > ping-pong.svg\n  \
    cargo microkit graph path/to/my.system --no-build -o my.svg\n  \
    cargo microkit graph my --channels --pd server")]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) system: SystemArg,
    /// Draw channels [default: channels and memory]
    #[arg(long)]
    pub(crate) channels: bool,
    /// Draw memory regions and their mappings [default: channels and memory]
    #[arg(long)]
    pub(crate) memory: bool,
    /// Draw only this protection domain and its neighbours (repeatable)
    #[arg(long = "pd", value_name = "NAME")]
    pub(crate) pds: Vec<String>,
    /// Write the picture to this file [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) programs: DeclaringArgs,
}

/// Manage the Microkit SDKs that builds use
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    cargo microkit sdk add microkit-sdk-2.3.0-linux-x86-64.tar.gz\n\n\
    SDKs are stored in CARGO_MICROKIT_HOME, or in cargo-microkit in the user's data directory.")]
pub(crate) struct SdkArgs {
    #[command(subcommand)]
    pub(crate) command: SdkCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SdkCommand {
    /// Check an SDK, run its tool, and store a copy of the SDK; an SDK of the same version is
    /// replaced
    #[command(after_help = "Example:\n  cargo microkit sdk add ~/Downloads/microkit-sdk-2.3.0")]
    Add {
        /// The unpacked SDK, or the published .tar.gz
        #[arg(value_name = "DIR OR TARBALL")]
        from: PathBuf,
    },
    /// List the stored SDKs
    #[command(after_help = "Example:\n  cargo microkit sdk list")]
    List,
    /// Delete a stored SDK
    #[command(after_help = "Example:\n  cargo microkit sdk remove 2.3.0")]
    Remove {
        /// The version, as `sdk list` shows it [default: the only stored version]
        version: Option<String>,
    },
}

/// List the required tools that are installed, and show how to install the missing tools
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo microkit doctor")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) sdk: SdkArg,
    #[command(flatten)]
    pub(crate) program: QemuProgramArg,
}

/// Print the script that completes `cargo microkit` in a shell
///
/// The script completes subcommands, options, and names of systems. For the names, `cargo-microkit`
/// must be on the PATH.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    bash: echo 'source <(cargo microkit completions bash)' >> ~/.bashrc\n  \
    zsh:  cargo microkit completions zsh > DIR/_cargo-microkit, for a DIR in fpath\n  \
    fish: cargo microkit completions fish > ~/.config/fish/conf.d/cargo-microkit.fish")]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum, required_unless_present = "systems")]
    pub(crate) shell: Option<ShellArg>,
    /// Print the names of the systems, for the scripts
    #[arg(long, hide = true, conflicts_with = "shell")]
    pub(crate) systems: bool,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellArg {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(crate) struct SystemArg {
    /// The name of a system, or the path of a system file [default: the only system]
    ///
    /// NAME means the file NAME.system in the current folder, beside the Cargo.toml of the current
    /// package or workspace, or in the folder microkit-systems there, with its subfolders. If these
    /// places do not contain NAME.system, the other packages of the workspace are searched in the
    /// same way. Two files of one name are an error.
    #[arg(value_name = "SYSTEM")]
    pub(crate) system: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VariantArgs {
    /// Kernel configuration
    #[arg(
        long,
        value_name = "CONFIG",
        env = "MICROKIT_CONFIG",
        default_value = "debug"
    )]
    pub(crate) config: String,
    /// Cargo profile of the Rust programs
    #[arg(long, value_name = "NAME", default_value = "dev")]
    pub(crate) profile: String,
    /// Same as --profile release
    #[arg(long, short = 'r', conflicts_with = "profile")]
    pub(crate) release: bool,
}

/// Options that `build`, `run`, `test`, `bench`, `check` and `graph` share.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The kernel that the system runs on
    #[arg(long, value_enum, default_value_t = KernelArg::Auto)]
    pub(crate) kernel: KernelArg,
    /// The board, by its name in the SDK
    #[arg(long, env = "MICROKIT_BOARD", default_value = "qemu_virt_aarch64")]
    pub(crate) board: String,
    #[command(flatten)]
    pub(crate) sdk: SdkArg,
    /// Search this folder for program images first, before any binary of the project (repeatable)
    #[arg(long = "search-path", value_name = "DIR")]
    pub(crate) search_paths: Vec<PathBuf>,
    /// Cargo features of the Rust programs; each feature is enabled for the packages that have it
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    /// Do not install anything (the Rust target, QEMU); print how to install a missing tool instead
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Show the source of each program, the executed commands, and their output
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SdkArg {
    /// The Microkit SDK: a folder, or the version of a stored SDK [default: `MICROKIT_SDK`, or the
    /// stored SDK that `sdk list` marks]
    #[arg(long, value_name = "VERSION_OR_DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Write the image to this file
    #[arg(long, short, value_name = "IMAGE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the report to this file; the report lists all addresses in the image
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct QemuArgs {
    #[command(flatten)]
    pub(crate) program: QemuProgramArg,
    /// Make virtual time follow the executed instructions, not this machine's clock
    #[arg(long)]
    pub(crate) icount: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QemuProgramArg {
    /// The QEMU program to use [default: qemu-system-aarch64 on the PATH]
    #[arg(long, value_name = "PATH")]
    pub(crate) qemu: Option<PathBuf>,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, ValueEnum)]
pub(crate) enum KernelArg {
    /// seL4 if there is an SDK, else the model kernel; `test` and `bench` use both kernels
    Auto,
    /// seL4, from the SDK
    Sel4,
    /// The model kernel, for development without an SDK
    Model,
}

/// Removes the first argument `microkit`. Cargo adds this argument when it runs a subcommand.
pub(crate) fn arguments(all: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    all.enumerate()
        .filter(|(i, word)| *i != 1 || word != "microkit")
        .map(|(_, word)| word)
}

impl VariantArgs {
    /// The profile that `--release` or `--profile` chooses.
    pub(crate) fn profile(&self) -> &str {
        if self.release {
            "release"
        } else {
            &self.profile
        }
    }
}

/// Returns the parser of a template's name.
fn one_template() -> impl TypedValueParser<Value = &'static Template> {
    let names = template::ALL.iter().map(|template| template.name);
    PossibleValuesParser::new(names)
        .try_map(|name| Template::named(&name).ok_or("this template does not exist"))
}

/// The longest time limit. Adding this limit to an `Instant` cannot overflow.
const MOST: Duration = Duration::from_secs(1_000_000);

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>().map(Duration::try_from_secs_f64) {
        Ok(Ok(duration)) if !duration.is_zero() && duration <= MOST => Ok(duration),
        _ => Err(format!(
            "expected a number of seconds above 0 and up to {}",
            MOST.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_and_a_shell_pass_the_same_arguments() {
        let check = |words: &[&str]| {
            let cli = Cli::try_parse_from(arguments(words.iter().map(OsString::from)));
            assert!(
                matches!(cli.expect("valid").command, Command::Build(_)),
                "{words:?}"
            );
        };
        check(&["cargo-microkit", "build", "hello"]);
        check(&["cargo-microkit", "microkit", "build", "microkit"]);
    }

    #[test]
    fn seconds_are_above_zero_and_bounded() {
        let check = |text, expect| assert_eq!(seconds(text).ok(), expect, "{text}");
        check("1", Some(Duration::from_secs(1)));
        check("0.5", Some(Duration::from_millis(500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "1e30", "ten", ""] {
            check(wrong, None);
        }
    }
}
