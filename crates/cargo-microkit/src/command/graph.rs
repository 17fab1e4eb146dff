//! `graph`: a system as a picture.

use miette::Result;

use crate::cli::GraphArgs;
use crate::command::{Outcome, find_system};
use crate::declared;
use crate::files;
use crate::output;
use crate::terminal;

/// Draws the system, to a file or to standard output.
pub(super) fn graph(args: &GraphArgs) -> Result<Outcome> {
    output::check([(output::Kind::Drawing, args.output.as_deref())])?;
    let (system, project) = find_system(&args.system.system)?;
    let parsed = declared::parse(&system, &args.programs)?;
    let systems = [(system, parsed)];
    let declarations = declared::declarations(&systems, project.as_ref(), &args.programs)?;
    let declarations = declarations.into_iter().next().unwrap_or_default();
    let picture = microkit_check::svg(&systems[0].1, &declarations.waits);
    match &args.output {
        Some(file) => files::write(file, picture)?,
        None => terminal::line(picture.trim_end()),
    }
    Ok(Outcome::Done)
}
