//! `test`: systems run in every kernel configuration and profile asked for, and their serial logs
//! held against what they must print.

mod tally;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use miette::{Report, Result, miette};

use crate::builder::Builder;
use crate::cli::{OutputArgs, TestArgs};
use crate::command::{Outcome, check_kernel, current_directory, project_here};
use crate::expected::{self, Expectation, Expected};
use crate::fault::Faults;
use crate::files;
use crate::interrupt;
use crate::log::Log;
use crate::nearest::quoted;
use crate::project::Project;
use crate::qemu::{self, Console, Guest, Machine};
use crate::sdk::{self, Sdk};
use crate::system::{self, System};
use crate::terminal;
use crate::variant::Variant;
use crate::watch::{self, Watched};
use tally::{Tally, Verdict};

/// A system, and what it must print.
struct Case {
    system: System,
    file: PathBuf,
    expected: Vec<Expected>,
}

/// What seL4 needs to run, or the verdict on every case where something of it is missing.
type Tools = Result<(Sdk, PathBuf), Verdict>;

/// Tests every system in every variant.
pub(super) fn test(args: &TestArgs) -> Result<Outcome> {
    check_kernel(args.options.kernel)?;
    let (systems, project) = systems(args)?;
    let variants = variants(args);
    if args.bless && variants.len() > 1 {
        return Err(miette!(
            help = "give one `--config` and one `--profile` with `--bless`",
            "only one variant of a system can say what all of them must print"
        ));
    }
    if args.list {
        for variant in &variants {
            for system in &systems {
                terminal::line(format_args!("{} ({variant})", system.name));
            }
        }
        return Ok(Outcome::Done);
    }

    let tools = tools(args);
    let mut tally = Tally::default();
    for variant in &variants {
        let mut cases = Vec::new();
        for system in &systems {
            match case(system, variant, args.bless) {
                Ok(case) => cases.push(case),
                Err(verdict) => tally.record(&system.name, variant, verdict),
            }
        }
        test_variant(args, &tools, project.as_ref(), variant, cases, &mut tally);
    }
    Ok(tally.finish())
}

/// Builds all cases for one variant together, and runs those that could be built.
fn test_variant(
    args: &TestArgs,
    tools: &Tools,
    project: Option<&Project>,
    variant: &Variant,
    cases: Vec<Case>,
    tally: &mut Tally,
) {
    let (sdk, qemu, machine) = match usable(tools, variant) {
        Ok(usable) => usable,
        Err(verdict) => {
            for case in cases {
                tally.record(&case.system.name, variant, verdict.clone());
            }
            return;
        }
    };
    let builder = Builder {
        sdk,
        project,
        variant,
        options: &args.options,
    };
    let mut planned = Vec::new();
    for case in cases {
        match builder.plan(case.system.clone()) {
            Ok(plan) => planned.push((case, plan)),
            Err(report) => tally.record(&case.system.name, variant, failed(&report)),
        }
    }
    let plans: Vec<_> = planned.iter().map(|(_, plan)| plan).collect();
    let built = builder.compile(&plans);
    let mut images = Vec::new();
    for (case, plan) in planned {
        let outputs = OutputArgs {
            output: None,
            report: None,
        };
        let packed = built.as_ref().map_err(failed);
        match packed.and_then(|built| builder.pack(&plan, built, &outputs).map_err(|e| failed(&e)))
        {
            Ok(image) => images.push((case, image)),
            Err(verdict) => tally.record(&case.system.name, variant, verdict),
        }
    }

    let queue = Mutex::new(images.into_iter());
    let tally = Mutex::new(tally);
    let work = || {
        while !interrupt::requested() {
            // Not in the loop's condition, where the lock would be held while the system runs.
            let next = lock(&queue).next();
            let Some((case, image)) = next else { break };
            let command = machine.command(qemu, &image, variant, Console::None, args.qemu.icount);
            if args.options.verbose {
                terminal::running(&command);
            }
            let verdict =
                Guest::start_quietly(command).map(|guest| run(args, &case, variant, guest));
            let verdict = verdict.unwrap_or_else(|report| failed(&report));
            lock(&tally).record(&case.system.name, variant, verdict);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(work);
        }
    });
}

/// Runs one case.
fn run(args: &TestArgs, case: &Case, variant: &Variant, mut guest: Guest) -> Verdict {
    let log = Log::new(variant);
    let file = file_name(&case.file);
    if !args.bless {
        return match watch::compare(&mut guest, log, &case.expected, &file, args.timeout) {
            Watched::Done(()) => Verdict::Passed(String::new()),
            Watched::Failed(why) => Verdict::Failed(why),
            Watched::Interrupted => Verdict::Interrupted,
        };
    }
    match watch::record(&mut guest, log, args.timeout) {
        Watched::Interrupted => Verdict::Interrupted,
        Watched::Failed(why) => Verdict::Failed(why),
        Watched::Done(lines) if lines.is_empty() => Verdict::Failed(format!(
            "the system printed nothing in {} s, so `{file}` was not written\n{}",
            args.timeout.as_secs_f64(),
            guest.messages()
        )),
        Watched::Done(lines) => {
            let mut faults = Faults::default();
            for pd in lines.iter().filter_map(|line| faults.hear(line)) {
                terminal::remark(format_args!(
                    "PD `{pd}` has faulted, and `{file}` now expects it"
                ));
            }
            match files::write(&case.file, &expected::blessed(&lines, &case.expected)) {
                Ok(()) => Verdict::Passed(format!(": wrote {}", case.file.display())),
                Err(report) => failed(&report),
            }
        }
    }
}

/// The systems to test, and the project of their programs.
fn systems(args: &TestArgs) -> Result<(Vec<System>, Option<Project>)> {
    let project = project_here()?;
    let root = project.as_ref().map(Project::root);
    let mut systems = Vec::new();
    for argument in &args.systems {
        let system = System::find(argument, root)?;
        if !systems.contains(&system) {
            systems.push(system);
        }
    }
    if args.systems.is_empty() {
        let Some(root) = root else {
            return Err(miette!(
                help = "go to one, or give the paths of system files",
                "there is no Cargo project here whose systems could be tested"
            ));
        };
        let is_tested = |system: &System| {
            let configs = args.configs.iter().map(String::as_str).chain([""]);
            configs
                .into_iter()
                .any(|config| expected::file_for(system, config).is_some())
        };
        systems = System::all(root).into_iter().filter(is_tested).collect();
        if systems.is_empty() {
            return Err(miette!(
                help = "have one written by `cargo microkit test SYSTEM --bless`",
                "there is nothing to test: no system in `{}` has an .expected file beside it",
                system::directory(root).display()
            ));
        }
    }
    let names: BTreeSet<_> = systems.iter().map(|system| &system.name).collect();
    if names.len() < systems.len() {
        return Err(miette!(
            help = "test them one after the other",
            "several of the systems have the same name: {}",
            quoted(systems.iter().map(|system| system.path.to_string_lossy()))
        ));
    }

    let Some(project) = project else {
        let here = current_directory()?;
        let around: Vec<_> = systems
            .iter()
            .map(|system| here.join(system.directory()))
            .collect();
        let around: Vec<_> = around.iter().map(PathBuf::as_path).collect();
        return Ok((systems, Project::around(&around)?));
    };
    Ok((systems, Some(project)))
}

fn variants(args: &TestArgs) -> Vec<Variant> {
    let profiles = if args.release {
        &["release".to_owned()][..]
    } else {
        &args.profiles
    };
    let variants = args.configs.iter().flat_map(|config| {
        profiles.iter().map(|profile| Variant {
            board: args.options.board.clone(),
            config: config.clone(),
            profile: profile.clone(),
        })
    });
    variants.collect()
}

/// What a system must print in a variant, or the verdict where that is not to be found out.
fn case(system: &System, variant: &Variant, is_blessing: bool) -> Result<Case, Verdict> {
    let case = |file, expected| Case {
        system: system.clone(),
        file,
        expected,
    };
    let common = expected::common_file(system);
    match expected::file_for(system, &variant.config) {
        Some(file) => match expected::read(&file) {
            Ok(Expectation::Lines(lines)) => Ok(case(file, lines)),
            Ok(Expectation::Skip(reason)) => Err(Verdict::Skipped(reason)),
            Err(_) if is_blessing => Ok(case(file, Vec::new())),
            Err(report) => Err(failed(&report)),
        },
        None if is_blessing => Ok(case(common, Vec::new())),
        None => Err(Verdict::Failed(format!(
            "there is no `{}` that says what it must print; `--bless` writes one",
            common.display()
        ))),
    }
}

fn tools(args: &TestArgs) -> Tools {
    let options = &args.options;
    let found = || -> Result<Option<(Sdk, PathBuf)>> {
        let Some(sdk) = Sdk::locate(options.sdk.sdk.as_deref())? else {
            return Ok(None);
        };
        let qemu = qemu::provide(args.qemu.program.qemu.as_deref(), !options.no_install)?;
        Ok(Some((sdk, qemu)))
    };
    match found() {
        Ok(Some(tools)) => Ok(tools),
        Ok(None) => Err(match sdk::why_none() {
            Ok(why) => Verdict::Skipped(format!("no SDK: {why}")),
            Err(report) => failed(&report),
        }),
        Err(report) => Err(failed(&report)),
    }
}

fn usable<'a>(
    tools: &'a Tools,
    variant: &Variant,
) -> Result<(&'a Sdk, &'a Path, Machine), Verdict> {
    let (sdk, qemu) = tools.as_ref().map_err(Verdict::clone)?;
    sdk.check_kernel(&variant.board, &variant.config)
        .map_err(|report| failed(&report))?;
    let machine = Machine::of(&variant.board).ok_or_else(|| {
        Verdict::Failed(format!("the board `{}` is no QEMU machine", variant.board))
    })?;
    Ok((sdk, qemu, machine))
}

fn failed(report: &Report) -> Verdict {
    Verdict::Failed(terminal::rendered(report))
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
