//! `build`: the image of one system.

use std::path::PathBuf;

use miette::Result;

use crate::builder::Builder;
use crate::cli::{BuildArgs, Options, OutputArgs, VariantArgs};
use crate::command::{Outcome, find_system};
use crate::kernel::Kernel;
use crate::system::System;
use crate::terminal;
use crate::variant::Variant;

/// Builds the image and prints where it lies.
pub(super) fn build(args: &BuildArgs) -> Result<Outcome> {
    let (image, _, _) = image(
        &args.system.system,
        &args.variant,
        &args.options,
        &args.outputs,
    )?;
    terminal::line(image.display());
    Ok(Outcome::Done)
}

/// Builds the image of the system that `argument` names, and says which that is.
pub(super) fn image(
    argument: &str,
    variant: &VariantArgs,
    options: &Options,
    outputs: &OutputArgs,
) -> Result<(PathBuf, System, Variant)> {
    let (system, project) = find_system(argument)?;
    let kernel = Kernel::choose(options)?;
    let variant = Variant {
        kernel: kernel.kind(),
        board: options.board.clone(),
        config: variant.config.clone(),
        profile: variant.profile().to_owned(),
    };
    kernel.check(&variant.board, &variant.config)?;

    let builder = Builder {
        kernel: &kernel,
        project: project.as_ref(),
        variant: &variant,
        options,
    };
    let plan = builder.plan(system.clone())?;
    let built = builder.compile(&[&plan])?;
    let image = builder.pack(&plan, &built, outputs)?;
    Ok((image, system, variant))
}
