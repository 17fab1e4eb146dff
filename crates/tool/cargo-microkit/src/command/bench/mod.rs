//! `bench`: counts the instructions of round trips, in Rust and in C, on every available kernel.

mod build_time;
mod figures;
mod guard;
mod measure;
mod plot;

use std::path::Path;

use miette::{Result, miette};

use crate::c;
use crate::cli::{self, BenchArgs};
use crate::command::Outcome;
use crate::command::systems::{Finder, Found};
use crate::files;
use crate::kernel::{Kernel, KernelKind};
use crate::model;
use crate::output::{self, OutputKind};
use crate::qemu;
use crate::sdk::Sdk;
use crate::system::NamedSystem;
use crate::terminal;
use crate::variant::Variant;
use figures::{Column, Figures, OfKernel};
use measure::Bench;

/// The kernel configuration for measurements on seL4, which products also use.
const SEL4_CONFIG: &str = "release";

/// The system to measure if no system is named.
const DEFAULT: &str = "bench";

/// Measures, prints the table, and writes the requested files. With `--check`, compares the numbers
/// with the recorded table.
pub(super) fn bench(args: &BenchArgs) -> Result<Outcome> {
    let (system, project) = system_of(args)?;
    let table = system.path.with_extension("json");
    output::check([
        (OutputKind::Table, args.bless.then_some(table.as_path())),
        (OutputKind::Table, args.json.as_deref()),
        (OutputKind::Drawing, args.plot.as_deref()),
    ])?;
    let qemu = qemu::provide(args.qemu.qemu.as_deref(), !args.options.no_install)?;
    let mut figures = Figures::default();
    for kernel in kernels(args)? {
        let variant = Variant {
            kernel: kernel.kind(),
            board: args.options.board.clone(),
            config: match kernel.kind() {
                KernelKind::Sel4 => SEL4_CONFIG,
                KernelKind::Model => model::CONFIG,
            }
            .to_owned(),
            profile: "release".to_owned(),
        };
        kernel.check(&variant.board, &variant.config)?;
        let bench = Bench {
            args,
            qemu: &qemu,
            kernel: &kernel,
            project: project.as_deref(),
            variant: &variant,
        };
        let of_kernel = columns(&bench, &system)?;
        terminal::line(&of_kernel);
        figures.kernels.push(of_kernel);
    }

    if let Some(file) = &args.json {
        files::write(file, figures.to_json())?;
    }
    if let Some(file) = &args.plot {
        files::write(file, plot::svg(&figures))?;
    }
    if args.build_time
        && let Some(project) = &project
    {
        build_time::measure(&system, project)?;
    }
    if args.bless {
        files::write(&table, figures.to_json())?;
        terminal::status("Wrote", table.display());
    }
    match args.check {
        true => check(&figures, &table),
        false => Ok(Outcome::Done),
    }
}

/// Finds the system to measure. Without an argument, this is the system `bench`, or else the only
/// system.
fn system_of(args: &BenchArgs) -> Result<Found> {
    let finder = Finder::default();
    if let Some(argument) = &args.system {
        return finder.find(argument);
    }
    match finder.has(DEFAULT)? {
        true => finder.find(DEFAULT),
        false => finder.only("bench"),
    }
}

/// Measures the system in Rust, then the related systems in the same folder. `NAME-more` has rows
/// without a C column. `NAME-c` and `NAME-limit` are skipped with `--check`. They are also skipped
/// if the SDK or the C compiler for their build is missing.
fn columns(bench: &Bench<'_>, system: &NamedSystem) -> Result<OfKernel> {
    let mut of_kernel = OfKernel::new(bench.variant);
    let rust = bench.measure(system)?;
    of_kernel.programs = rust.programs;
    of_kernel.add(Column::Rust, rust.rows);
    if let Some(more) = beside(system, "more") {
        of_kernel.add_new(bench.measure(&more)?);
    }
    for (column, ending) in [(Column::C, "c"), (Column::Limit, "limit")] {
        let Some(beside) = beside(system, ending).filter(|_| !bench.args.check) else {
            continue;
        };
        match bench.measure(&beside) {
            Ok(measured) => {
                let own = measured.programs.into_iter();
                of_kernel.programs.extend(own.filter(|program| {
                    // Other programs, such as the console, are the same files as in the Rust
                    // system.
                    program.name.contains(&format!("-{ending}."))
                }));
                of_kernel.add(column, measured.rows);
            }
            Err(report) => match report.downcast_ref::<c::Missing>() {
                Some(missing) => {
                    let name = &beside.name;
                    terminal::remark(format_args!("`{name}` is left out: {missing}"));
                }
                None => return Err(report),
            },
        }
    }
    Ok(of_kernel)
}

/// Finds the system `NAME-ending` in the folder of `system`. Returns `None` if that system does not
/// exist.
fn beside(system: &NamedSystem, ending: &str) -> Option<NamedSystem> {
    let name = format!("{}-{ending}.system", system.name);
    let path = system.path.with_file_name(name);
    path.is_file().then(|| NamedSystem::at(&path))
}

/// Returns the chosen kernels. `auto` selects every available kernel.
fn kernels(args: &BenchArgs) -> Result<Vec<Kernel>> {
    if args.options.kernel != cli::KernelArg::Auto {
        return Ok(vec![Kernel::choose(&args.options)?]);
    }
    let flag = args.options.sdk.sdk.as_deref();
    let sel4 = Sdk::locate(flag)?.map(Kernel::Sel4);
    if sel4.is_none() {
        terminal::remark("seL4 is left out: no SDK was found (see `cargo microkit doctor`)");
    }
    let model = Kernel::model(Sdk::locate(flag)?);
    Ok(std::iter::once(model).chain(sel4).collect())
}

fn check(figures: &Figures, table: &Path) -> Result<Outcome> {
    let text = std::fs::read_to_string(table)
        .map_err(|e| files::cannot("read the recorded table", table, &e))?;
    let before = Figures::from_json(&text).map_err(|error| {
        miette!(
            help = "replace it by `cargo microkit bench --bless`",
            "the table `{}` cannot be read: {error}",
            table.display()
        )
    })?;
    let complaints = guard::complaints(&before, figures);
    for complaint in &complaints {
        terminal::remark(complaint);
    }
    for remark in guard::gains(&before, figures) {
        terminal::aside(remark);
    }
    if complaints.is_empty() {
        terminal::line(format_args!(
            "no number is more than {}% above its value in `{}`",
            guard::PERCENT,
            table.display()
        ));
        return Ok(Outcome::Done);
    }
    Ok(Outcome::Failed)
}
