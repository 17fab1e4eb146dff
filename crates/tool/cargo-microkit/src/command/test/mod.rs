//! `test`: runs the packages' host tests, then every system in every chosen kernel configuration
//! and profile, and compares the serial logs with the `.expected` files.

mod host;
mod selection;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use miette::{Report, Result};

use crate::builder::Builder;
use crate::c;
use crate::cli::{OutputArgs, TestArgs};
use crate::command::Outcome;
use crate::debug_output;
use crate::expected;
use crate::fault::Faults;
use crate::files;
use crate::interrupt;
use crate::kernel::{Kernel, KernelKind};
use crate::log::Log;
use crate::project::Project;
use crate::qemu::{self, Devices, Guest, Machine, Monitor};
use crate::sdk::{self, Sdk};
use crate::terminal;
use crate::variant::Variant;
use crate::watch::{self, Watched};
use crate::whereabouts::Observer;
use selection::{Case, Selection};
use tally::{Tally, Verdict};

/// A kernel and the path of QEMU. If one of them is missing: the verdict on every test case of the
/// kernel.
type Tools = Result<(Kernel, PathBuf), Verdict>;

/// Tests every chosen system in every variant.
pub(super) fn test(args: &TestArgs) -> Result<Outcome> {
    let selections = Selection::from_args(args)?;
    let packages = host::packages(args, &selections);
    if args.list {
        host::list(&packages);
        for (variant, systems, _) in selections.iter().flat_map(Selection::runs) {
            let is_there = selection::not_there(args, variant).is_none();
            for system in systems.iter().filter(|_| is_there) {
                terminal::line(format_args!("{} ({variant})", system.name));
            }
        }
        return Ok(Outcome::Done);
    }

    let (model, sel4) = (
        tools(args, KernelKind::Model),
        tools(args, KernelKind::Sel4),
    );
    let mut tally = Tally::default();
    host::test(&packages, &mut tally);
    for (variant, systems, project) in selections.iter().flat_map(Selection::runs) {
        if interrupt::requested() {
            break;
        }
        let mut cases = Vec::new();
        let not_there = selection::not_there(args, variant);
        for system in systems {
            if let Some(why) = &not_there {
                tally.record(&system.name, variant, Verdict::Skipped(why.clone()));
                continue;
            }
            match Case::new(system, variant, args.bless) {
                Ok(case) => cases.push(case),
                Err(verdict) => tally.record(&system.name, variant, verdict),
            }
        }
        let tools = match variant.kernel {
            KernelKind::Model => &model,
            KernelKind::Sel4 => &sel4,
        };
        test_variant(args, tools, project, variant, cases, &mut tally);
    }
    Ok(tally.finish())
}

/// Builds all cases for one variant together, and runs the successfully built cases.
fn test_variant(
    args: &TestArgs,
    tools: &Tools,
    project: Option<&Project>,
    variant: &Variant,
    cases: Vec<Case>,
    tally: &mut Tally,
) {
    let (kernel, qemu, machine) = match usable(tools, variant) {
        Ok(usable) => usable,
        Err(verdict) => {
            for case in cases {
                tally.record(&case.system.name, variant, verdict.clone());
            }
            return;
        }
    };
    let builder = Builder {
        kernel,
        project,
        variant,
        options: &args.options,
        keeps: false,
    };
    let mut planned = Vec::new();
    for case in cases {
        let plan = || {
            Ok((
                Devices::read(&case.system)?,
                builder.plan(builder.read(case.system.clone())?)?,
            ))
        };
        match plan() {
            Ok((devices, plan)) => planned.push((case, devices, plan)),
            Err(report) => tally.record(
                &case.system.name,
                variant,
                not_built(&case, failed(&report)),
            ),
        }
    }
    let plans: Vec<_> = planned.iter().map(|(_, _, plan)| plan).collect();
    let built = builder.compile(&plans);
    if interrupt::requested() {
        return; // Cargo was interrupted too. Its failure is not a verdict on a case.
    }
    let mut images = Vec::new();
    for (case, devices, plan) in planned {
        let outputs = OutputArgs {
            output: None,
            report: None,
        };
        let packed = built.as_ref().map_err(failed);
        match packed.and_then(|built| builder.pack(&plan, built, &outputs).map_err(|e| failed(&e)))
        {
            Ok(packed) => match &case.refusal {
                None => images.push((case, devices, packed)),
                Some(what) => {
                    let why = format!("it was built, but must be refused: {what}");
                    tally.record(&case.system.name, variant, Verdict::Failed(why));
                }
            },
            Err(verdict) => tally.record(&case.system.name, variant, not_built(&case, verdict)),
        }
    }

    let queue = Mutex::new(images.into_iter());
    let tally = Mutex::new(tally);
    let work = || {
        while !interrupt::requested() {
            // This must be a separate statement. A temporary in the loop condition would hold the
            // lock while the system runs.
            let next = lock(&queue).next();
            let Some((case, devices, packed)) = next else {
                break;
            };
            let mut command = machine.command(qemu, &packed.image, variant, args.qemu.icount);
            let start = || -> Result<_> {
                let monitor = Monitor::add_to(&mut command);
                let disks = devices.add_to(&mut command)?;
                let observer = Observer::new(monitor, &command, &packed);
                if args.options.verbose {
                    terminal::running(&qemu::without_monitor(&command));
                }
                Ok((Guest::start_quietly(command)?, observer, disks))
            };
            let verdict = match start() {
                Ok((guest, observer, _disks)) => {
                    match run(args, &case, variant, guest, &observer) {
                        Verdict::Failed(why) => {
                            Verdict::Failed(match debug_output::note(variant, &packed.pds) {
                                Some(note) => format!("{}\n{note}", why.trim_end()),
                                None => why,
                            })
                        }
                        verdict => verdict,
                    }
                }
                Err(report) => failed(&report),
            };
            lock(&tally).record(&case.system.name, variant, verdict);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(work);
        }
    });
}

/// Returns the verdict on a case that could not be built. The case passes if its `.expected` file
/// expects a refusal.
fn not_built(case: &Case, verdict: Verdict) -> Verdict {
    let (Some(what), Verdict::Failed(report)) = (&case.refusal, &verdict) else {
        return verdict;
    };
    // Compares words, because line breaks in a report depend on the terminal's width.
    let words = report.split(|c: char| c.is_whitespace() || c == '│');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    if words.join(" ").contains(what) {
        Verdict::Passed(format!(": refused, {what}"))
    } else {
        Verdict::Failed(format!("it must be refused: {what}; but\n{report}"))
    }
}

/// Runs one case.
fn run(
    args: &TestArgs,
    case: &Case,
    variant: &Variant,
    mut guest: Guest,
    observer: &Observer,
) -> Verdict {
    let log = Log::new(variant);
    let file = file_name(&case.file);
    if !args.bless {
        return match watch::compare(
            &mut guest,
            log,
            &case.expected,
            &file,
            args.timeout,
            observer,
        ) {
            Watched::Done(()) => Verdict::Passed(String::new()),
            Watched::Failed(why) => Verdict::Failed(why),
            Watched::Interrupted => Verdict::Interrupted,
        };
    }
    match watch::record(&mut guest, log, &case.expected, args.timeout, observer) {
        Watched::Interrupted => Verdict::Interrupted,
        Watched::Failed(why) => Verdict::Failed(format!("`{file}` was not written: {why}")),
        Watched::Done(lines) if lines.is_empty() => Verdict::Failed(format!(
            "the system printed nothing in {} s, so `{file}` was not written\n{}",
            args.timeout.as_secs_f64(),
            guest.messages()
        )),
        Watched::Done(lines) => {
            for pd in Faults::from_lines(lines.iter().map(String::as_str)).pds() {
                terminal::remark(format_args!(
                    "PD `{pd}` has faulted, and `{file}` now expects it"
                ));
            }
            let (text, lost) = expected::blessed(&lines, &case.expected);
            for pattern in lost {
                terminal::remark(format_args!(
                    "no line matches `{pattern}` any more, so it was removed from `{file}`"
                ));
            }
            match files::write(&case.file, text) {
                Ok(()) => Verdict::Passed(format!(": wrote {}", case.file.display())),
                Err(report) => failed(&report),
            }
        }
    }
}

fn tools(args: &TestArgs, kind: KernelKind) -> Tools {
    let options = &args.options;
    let found = || -> Result<Option<(Kernel, PathBuf)>> {
        let kernel = match (kind, Sdk::locate(options.sdk.sdk.as_deref())?) {
            (KernelKind::Model, sdk) => Kernel::model(sdk),
            (KernelKind::Sel4, Some(sdk)) => Kernel::Sel4(sdk),
            (KernelKind::Sel4, None) => return Ok(None),
        };
        let qemu = qemu::provide(args.qemu.program.qemu.as_deref(), !options.no_install)?;
        Ok(Some((kernel, qemu)))
    };
    match found() {
        Ok(Some(tools)) => Ok(tools),
        Ok(None) => Err(Verdict::Skipped(format!("no SDK: {}", sdk::why_none()))),
        Err(report) => Err(failed(&report)),
    }
}

fn usable<'a>(
    tools: &'a Tools,
    variant: &Variant,
) -> Result<(&'a Kernel, &'a Path, Machine), Verdict> {
    let (kernel, qemu) = tools.as_ref().map_err(Verdict::clone)?;
    kernel
        .check(&variant.board, &variant.config)
        .map_err(|report| failed(&report))?;
    let machine = Machine::for_board(&variant.board).ok_or_else(|| {
        Verdict::Failed(format!(
            "the board `{}` is not a QEMU machine",
            variant.board
        ))
    })?;
    Ok((kernel, qemu, machine))
}

/// Returns the verdict for an error before the system ran.
fn failed(report: &Report) -> Verdict {
    match report.downcast_ref::<c::Missing>() {
        Some(missing) => Verdict::Skipped(missing.to_string()),
        None => Verdict::Failed(terminal::rendered(report)),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
