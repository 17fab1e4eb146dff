//! `graph`: draws a system.

use microkit_check::Choice;
use microkit_sdf as sdf;
use miette::{Result, miette};

use crate::cli::GraphArgs;
use crate::command::Outcome;
use crate::command::systems::find_system;
use crate::declared;
use crate::files;
use crate::nearest::advice;
use crate::output::{self, OutputKind};
use crate::terminal;

/// Draws the system and writes the picture to a file or to standard output.
pub(super) fn graph(args: &GraphArgs) -> Result<Outcome> {
    output::check([(OutputKind::Drawing, args.output.as_deref())])?;
    let (system, project) = find_system(args.system.system.as_deref(), "graph")?;
    let file = declared::read_system(system, &args.programs)?;
    let choice = choice(args, file.parsed()?)?;
    let systems = [file];
    let declarations = declared::declarations(&systems, project.as_deref(), &args.programs)?;
    let declarations = declarations.into_iter().next().unwrap_or_default();
    let picture = microkit_check::svg(systems[0].parsed()?, &declarations.waits, &choice);
    match &args.output {
        Some(file) => files::write(file, picture)?,
        None => terminal::line(picture.trim_end()),
    }
    Ok(Outcome::Done)
}

/// Returns the parts of the system that the arguments choose.
fn choice(args: &GraphArgs, system: &sdf::System) -> Result<Choice> {
    let index = |name: &String| {
        system.protection_domain(name).ok_or_else(|| {
            let all = system.protection_domains.iter();
            let names: Vec<&str> = all.map(|pd| pd.name.as_str()).collect();
            miette!(
                help = advice(name, &names),
                "`{}` has no protection domain `{name}`",
                system.source.name
            )
        })
    };
    let is_all = args.channels == args.memory;
    Ok(Choice {
        channels: args.channels || is_all,
        memory: args.memory || is_all,
        pds: args.pds.iter().map(index).collect::<Result<_>>()?,
    })
}
