//! `build`: the image of one system.

use std::path::PathBuf;

use miette::Result;

use crate::builder::Builder;
use crate::cli::{BuildArgs, Options, OutputArgs, VariantArgs};
use crate::command::{Outcome, find_system, require_sdk};
use crate::terminal;
use crate::variant::Variant;

/// Builds the image and prints where it lies.
pub(super) fn build(args: &BuildArgs) -> Result<Outcome> {
    let (image, _) = image(
        &args.system.system,
        &args.variant,
        &args.options,
        &args.outputs,
    )?;
    terminal::line(image.display());
    Ok(Outcome::Done)
}

/// Builds the image of the system that `argument` names.
pub(super) fn image(
    argument: &str,
    variant: &VariantArgs,
    options: &Options,
    outputs: &OutputArgs,
) -> Result<(PathBuf, Variant)> {
    let (system, project) = find_system(argument)?;
    let variant = Variant {
        board: options.board.clone(),
        config: variant.config.clone(),
        profile: variant.profile().to_owned(),
    };
    let sdk = require_sdk(options)?;
    sdk.check_kernel(&variant.board, &variant.config)?;

    let builder = Builder {
        sdk: &sdk,
        project: project.as_ref(),
        variant: &variant,
        options,
    };
    let plan = builder.plan(system)?;
    let built = builder.compile(&[&plan])?;
    let image = builder.pack(&plan, &built, outputs)?;
    Ok((image, variant))
}
