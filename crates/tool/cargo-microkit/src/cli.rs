//! The command line: what can be asked for, and the help that says so.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use regex::Regex;

use crate::keys::Escape;

/// What this program is made of, and where it is: in a clone, the alias of `.cargo/config.toml`
/// comes before one that is installed.
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
    Build(BuildArgs),
    Run(RunArgs),
    Test(TestArgs),
    Bench(BenchArgs),
    Check(CheckArgs),
    Graph(GraphArgs),
    Sdk(SdkArgs),
    Doctor(DoctorArgs),
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
/// Shows the serial log as it comes, and passes standard input on to the system's serial port: from
/// a terminal every key but Ctrl-C, which ends the run; from a pipe or a file every byte. Input
/// waits until the system has printed something, or for three seconds of silence. The terminal is
/// put back in order at the end.
///
/// Ends also when QEMU does, when every PD has faulted, or as --until and --timeout say; on the
/// model kernel also when no PD runs and nothing can wake one, unless QEMU has a monitor or a
/// debugger. A run that ends before --until is met, or by Ctrl-C, says where each PD is and what it
/// waits for (on seL4 in the configuration `debug`).
///
/// NAME.qemu beside NAME.system says what devices the machine has besides. Each line is arguments
/// of QEMU, quoted as in a shell, or a disk: `disk: SIZE` (as `disk: 64K`) makes one of zeros for
/// this run alone, `disk: FILE` one that starts as FILE and leaves FILE as it is, and
/// `disk-in-place: FILE` one that writes to FILE. The first is called disk0, for use as in
/// `-device virtio-blk-device,drive=disk0`. Paths are relative to NAME.qemu.
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
    /// The key that ends the run; every other reaches the system
    #[arg(long, value_name = "KEY", default_value = "ctrl-c")]
    pub(crate) escape: Escape,
    /// More arguments for QEMU
    #[arg(last = true, value_name = "QEMU ARGS")]
    pub(crate) qemu_args: Vec<OsString>,
}

/// Run systems and hold each serial log against its .expected file
///
/// NAME.expected beside NAME.system holds the lines that the system must print, without those of
/// the boot and without remarks of the kernel and the monitor, save for reports of faults.
/// NAME.CONFIG.expected is used instead for that configuration, and NAME.model.expected for the
/// model kernel. A line `re:REGEX` matches a whole line by a regular expression. A line `type:
/// TEXT` is no line that comes: TEXT and Enter are typed when all lines before it have come. A file
/// that is only `skip: REASON` skips the system; one that is only `refused: TEXT` wants it refused,
/// with TEXT somewhere in the report. Every system runs on the model kernel and on seL4, which is
/// skipped by name where there is no SDK; --kernel takes one of them. A system that lacks a line
/// when its time is up, or when nothing can wake one of its PDs any more, fails with where each PD
/// is. NAME.qemu says what devices the machine has besides, as for `run`.
///
/// Before that, `cargo test` runs for each package that has `microkit-test` among its dependencies and a
/// program of the systems, always for this machine: `build.target` of the configuration and
/// `CARGO_BUILD_TARGET` are for the programs.
///
/// The last line printed is always `N passed, N failed, N skipped`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit test\n  \
    cargo microkit test ping-pong --config debug,release --profile dev,release\n  \
    cargo microkit test hello --bless")]
pub(crate) struct TestArgs {
    /// Systems to test, by name or path; none means every one in microkit-systems that has an
    /// .expected file
    #[arg(value_name = "SYSTEM")]
    pub(crate) systems: Vec<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    /// Kernel configurations, each of which is tested
    #[arg(long = "config", value_name = "CONFIG", env = "MICROKIT_CONFIG")]
    #[arg(default_value = "debug", value_delimiter = ',')]
    pub(crate) configs: Vec<String>,
    /// Cargo profiles of the Rust programs, each of which is tested
    #[arg(
        long = "profile",
        value_name = "PROFILE",
        default_value = "dev",
        value_delimiter = ','
    )]
    pub(crate) profiles: Vec<String>,
    /// The same as --profile release
    #[arg(long, short = 'r', conflicts_with = "profiles")]
    pub(crate) release: bool,
    #[command(flatten)]
    pub(crate) qemu: QemuArgs,
    /// Write what the systems print to their .expected files; what the file of before types is typed
    /// whenever the system falls silent. A file that cannot be read is left as it is
    #[arg(long)]
    pub(crate) bless: bool,
    /// Seconds that each system has
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Systems that run at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,
    /// Only say what would be tested
    #[arg(long)]
    pub(crate) list: bool,
}

/// Count the instructions of round trips, on the model kernel and on seL4
///
/// Runs a system of measurements, built for release, under QEMU's `-icount`, where counts are exact;
/// on seL4 in the configuration `release`. Its lines `NAME: NUMBER` are the table. Beside
/// NAME.system, NAME-more.system adds rows; NAME-c.system and NAME-limit.system give the columns of
/// the same in C and of bare system calls, and are left out by name where there is no SDK or no C
/// compiler.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit bench\n  \
    cargo microkit bench --check\n  \
    cargo microkit bench --kernel sel4 --json bench.json --plot bench.svg")]
pub(crate) struct BenchArgs {
    /// The name of a system in the workspace's microkit-systems or in the current folder, or the
    /// path of a system file
    #[arg(value_name = "SYSTEM", default_value = "bench")]
    pub(crate) system: String,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) qemu: QemuProgramArg,
    /// Fail if a number has risen by more than 2% since SYSTEM.json, beside SYSTEM.system, was written
    #[arg(long, conflicts_with = "bless")]
    pub(crate) check: bool,
    /// Write SYSTEM.json anew
    #[arg(long)]
    pub(crate) bless: bool,
    /// Write all that was measured to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw it, as an SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Also say how long the system takes to build, from nothing and again
    #[arg(long)]
    pub(crate) build_time: bool,
    /// Seconds that each system has
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// Find what is wrong with a system before it runs: waits that never end, memory that is not safe
///
/// Refuses a system whose protection domains can wait for each other for ever: through calls,
/// through notifications that a handler waits for, through locks, or through faults. What a program
/// waits for besides its calls it says with `sel4_microkit::waits!`, which is read from its ELF file;
/// of one that says nothing it is taken that it makes every call that the system file allows, at any
/// time. Warns of what is accepted and surprises, such as a child that its parent cannot stop.
///
/// Refuses a system file that does not map memory as a program expects: the size or the physical
/// address of another region, a driver's memory that another PD can write, a mapping below a stack,
/// or a stack that is too small. `build`, `run` and `test` refuse these too.
///
/// Prints a line for each system that is in order; findings go to standard error, each with its
/// lines of the system file. Fails if there is an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit check\n  \
    cargo microkit check ping-pong --deny-warnings\n  \
    cargo microkit check path/to/my.system --no-build --kernel model\n  \
    cargo microkit check path/to/my.system --elf path/to/build")]
pub(crate) struct CheckArgs {
    /// Systems to check; none means every one in microkit-systems
    #[arg(value_name = "SYSTEM")]
    pub(crate) systems: Vec<String>,
    /// Fail if there is a warning too
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    #[command(flatten)]
    pub(crate) programs: DeclaringArgs,
}

/// The programs that say what they wait for.
#[derive(Debug, Args)]
pub(crate) struct DeclaringArgs {
    /// Build no program: take each as one that says nothing of what it waits for
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Take the programs from this folder instead of building them, for systems with a build of
    /// their own; several folders are searched in order
    #[arg(long, value_name = "DIR", conflicts_with = "no_build")]
    pub(crate) elf: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) variant: VariantArgs,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// Draw a system as SVG
///
/// Shows protection domains with their priorities, each inside its parent and the highest first;
/// channels; interrupts; memory regions, those of the same mappers as one, and who maps them with
/// which rights; and in red those that can wait for each other forever, as `check` finds them. A
/// browser names the line under the pointer. The same system gives the same picture.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo microkit graph ping-pong > ping-pong.svg\n  \
    cargo microkit graph path/to/my.system --no-build -o my.svg\n  \
    cargo microkit graph my --channels --pd server")]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) system: SystemArg,
    /// Draw channels; with --memory both, and without either too
    #[arg(long)]
    pub(crate) channels: bool,
    /// Draw memory regions and their mappings
    #[arg(long)]
    pub(crate) memory: bool,
    /// Draw only what has to do with this protection domain, and its neighbours; may be repeated
    #[arg(long = "pd", value_name = "NAME")]
    pub(crate) pds: Vec<String>,
    /// Where to put the picture, if not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) programs: DeclaringArgs,
}

/// Keep a Microkit SDK for all later builds
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    cargo microkit sdk add microkit-sdk-2.3.0-linux-x86-64.tar.gz\n\n\
    SDKs are kept in CARGO_MICROKIT_HOME, or else in cargo-microkit in the user's data directory.")]
pub(crate) struct SdkArgs {
    #[command(subcommand)]
    pub(crate) command: SdkCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SdkCommand {
    /// Check an SDK, run its tool, and keep a copy of it, in place of one of the same version
    #[command(after_help = "Example:\n  cargo microkit sdk add ~/Downloads/microkit-sdk-2.3.0")]
    Add {
        /// The unpacked SDK, or the .tar.gz that it is published as
        #[arg(value_name = "DIR OR TARBALL")]
        from: PathBuf,
    },
    /// List the SDKs that are kept
    #[command(after_help = "Example:\n  cargo microkit sdk list")]
    List,
    /// Delete a kept SDK
    #[command(after_help = "Example:\n  cargo microkit sdk remove 2.3.0")]
    Remove {
        /// As `sdk list` shows it [default: the only one]
        version: Option<String>,
    },
}

/// Say what is installed of all that is needed, and how to get the rest
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo microkit doctor")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) sdk: SdkArg,
    #[command(flatten)]
    pub(crate) program: QemuProgramArg,
}

#[derive(Debug, Args)]
pub(crate) struct SystemArg {
    /// The name of a system in the workspace's microkit-systems or in the current folder, or the
    /// path of a system file
    #[arg(value_name = "SYSTEM")]
    pub(crate) system: String,
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
    /// The same as --profile release
    #[arg(long, short = 'r', conflicts_with = "profile")]
    pub(crate) release: bool,
}

/// What `build`, `run`, `test` and `bench` share.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The kernel under the system
    #[arg(long, value_enum, default_value_t = Kernel::Auto)]
    pub(crate) kernel: Kernel,
    /// Board, as the SDK names it
    #[arg(long, env = "MICROKIT_BOARD", default_value = "qemu_virt_aarch64")]
    pub(crate) board: String,
    #[command(flatten)]
    pub(crate) sdk: SdkArg,
    /// Take the program images that are in this folder from there, whatever binaries there are
    /// (repeatable)
    #[arg(long = "search-path", value_name = "DIR")]
    pub(crate) search_paths: Vec<PathBuf>,
    /// Cargo features of the Rust programs; each goes to the packages that have it
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub(crate) features: Vec<String>,
    /// Never install anything (the Rust target, QEMU), only say how to
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Show where each program comes from, the commands that are run, and all that they say
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SdkArg {
    /// The Microkit SDK: the version of a kept one, or its folder [default: `MICROKIT_SDK`, or the
    /// one that `sdk list` marks]
    #[arg(long, value_name = "VERSION_OR_DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Where to put the image
    #[arg(long, short, value_name = "IMAGE")]
    pub(crate) output: Option<PathBuf>,
    /// Where to put the report that says where everything lies
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct QemuArgs {
    #[command(flatten)]
    pub(crate) program: QemuProgramArg,
    /// Let virtual time follow the instructions executed, not the clock of this machine
    #[arg(long)]
    pub(crate) icount: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QemuProgramArg {
    /// The QEMU to use [default: qemu-system-aarch64 on the PATH]
    #[arg(long, value_name = "PATH")]
    pub(crate) qemu: Option<PathBuf>,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kernel {
    /// seL4 where there is an SDK, else the model kernel; `test` and `bench` take both
    Auto,
    /// seL4, from the SDK
    Sel4,
    /// The model kernel, which needs no SDK and is for development
    Model,
}

/// The arguments without the `microkit` that Cargo puts first when it runs a subcommand.
pub(crate) fn arguments(all: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    all.enumerate()
        .filter(|(i, word)| *i != 1 || word != "microkit")
        .map(|(_, word)| word)
}

/// The profile that `--release` and `--profile` ask for.
impl VariantArgs {
    pub(crate) fn profile(&self) -> &str {
        if self.release {
            "release"
        } else {
            &self.profile
        }
    }
}

/// Not more than a clock can count.
const MOST: Duration = Duration::from_secs(1_000_000);

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>().map(Duration::try_from_secs_f64) {
        Ok(Ok(duration)) if !duration.is_zero() && duration <= MOST => Ok(duration),
        _ => Err(format!(
            "not a number of seconds above 0 and up to {}",
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
    fn cargo_and_the_shell_may_both_start_it() {
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
    fn seconds_are_above_zero_and_can_be_counted() {
        let check = |text, expect| assert_eq!(seconds(text).ok(), expect, "{text}");
        check("1", Some(Duration::from_secs(1)));
        check("0.5", Some(Duration::from_millis(500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "1e30", "ten", ""] {
            check(wrong, None);
        }
    }
}
