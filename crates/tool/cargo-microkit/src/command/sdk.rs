//! `sdk`: manages the stored SDKs.

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
            let sdk = store::add(from)?;
            terminal::line(sdk.directory().display());
            if store::preferred()?.as_deref() != Some(sdk.directory()) {
                terminal::aside(format_args!(
                    "use it with `--sdk {}`; `cargo microkit sdk list` marks the default",
                    sdk.version()
                ));
            }
        }
        SdkCommand::List => list()?,
        SdkCommand::Remove { version } => {
            let directory = store::remove(version.as_deref())?;
            terminal::status("Removed", directory.display());
        }
    }
    Ok(Outcome::Done)
}

fn list() -> Result<()> {
    let all = store::list()?;
    if all.is_empty() {
        terminal::aside(format_args!("no Microkit SDK is stored; {}", how_to_get()));
    }
    let default = store::preferred()?;
    for kept in all {
        let sdk = Sdk::open(&kept.directory, Origin::Kept);
        let what = match sdk.and_then(|sdk| sdk.check_whole().map(|()| sdk)) {
            Ok(sdk) => format!("boards: {}", quoted(sdk.boards())),
            Err(report) => format!("cannot be used: {report}"),
        };
        let mark = match default.as_ref() == Some(&kept.directory) {
            true => " (default)",
            false => "",
        };
        terminal::line(format_args!(
            "{}  {}  {what}{mark}",
            kept.version,
            kept.directory.display()
        ));
    }
    Ok(())
}
