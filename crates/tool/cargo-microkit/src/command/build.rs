//! `build`: makes the image of one system.

use miette::Result;

use crate::builder::{Builder, Packed};
use crate::cli::{BuildArgs, Options, OutputArgs, VariantArgs};
use crate::command::Outcome;
use crate::command::systems::find_system;
use crate::declared;
use crate::kernel::Kernel;
use crate::output::{self, OutputKind};
use crate::pds;
use crate::project::Project;
use crate::system::NamedSystem;
use crate::terminal;
use crate::variant::Variant;

/// Builds the image, shows the memory use of each PD, and prints the path of the image.
pub(super) fn build(args: &BuildArgs) -> Result<Outcome> {
    let (system, project) = find_system(args.system.system.as_deref(), "build")?;
    let (packed, _) = image(
        system,
        project.as_deref(),
        &args.variant,
        &args.options,
        &args.outputs,
        true,
    )?;
    terminal::aside(pds::table(&packed.pds).trim_end());
    terminal::line(packed.image.display());
    Ok(Outcome::Done)
}

/// Builds the image of a system, and returns the image and its variant. Keeps the image in the
/// target directory if `keeps` is true.
pub(super) fn image(
    system: NamedSystem,
    project: Option<&Project>,
    variant: &VariantArgs,
    options: &Options,
    outputs: &OutputArgs,
    keeps: bool,
) -> Result<(Packed, Variant)> {
    output::check([
        (OutputKind::Image, outputs.output.as_deref()),
        (OutputKind::Report, outputs.report.as_deref()),
    ])?;
    let kernel = Kernel::choose(options)?;
    let variant = kernel.variant(variant, options)?;

    let builder = Builder {
        kernel: &kernel,
        project,
        variant: &variant,
        options,
        keeps,
    };
    let file = builder.read(system)?;
    let plan = builder.plan(file)?;
    if let Some(parsed) = plan.file.before_build()? {
        declared::show_warnings(parsed);
        let budgets = microkit_check::budgets(parsed);
        if !budgets.findings().is_empty() {
            terminal::error(&budgets.into());
        }
    }
    let built = builder.compile(&[&plan])?;
    let packed = builder.pack(&plan, &built, outputs)?;
    Ok((packed, variant))
}
