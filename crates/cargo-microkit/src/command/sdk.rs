//! `sdk`: the SDKs that are kept.

use miette::Result;

use crate::cli::SdkCommand;
use crate::command::Outcome;
use crate::nearest::quoted;
use crate::sdk::{Origin, Sdk, how_to_get, store};
use crate::terminal;

/// Adds, lists or removes SDKs.
pub(super) fn sdk(command: &SdkCommand) -> Result<Outcome> {
    match command {
        SdkCommand::Add { from } => {
            let directory = store::add(from)?;
            terminal::line(directory.display());
        }
        SdkCommand::List => list()?,
        SdkCommand::Remove { version } => {
            let directory = store::remove(version)?;
            terminal::status("Removed", directory.display());
        }
    }
    Ok(Outcome::Done)
}

fn list() -> Result<()> {
    let all = store::list()?;
    if all.is_empty() {
        terminal::aside(format_args!("no Microkit SDK is kept; {}", how_to_get()));
    }
    for kept in all {
        let what = match Sdk::open(&kept.directory, Origin::Kept) {
            Ok(sdk) => format!("boards: {}", quoted(sdk.boards())),
            Err(report) => format!("cannot be used: {report}"),
        };
        terminal::line(format_args!(
            "{}  {}  {what}",
            kept.version,
            kept.directory.display()
        ));
    }
    Ok(())
}
