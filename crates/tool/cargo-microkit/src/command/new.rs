//! `new` and `init`: make a package from a template.

use std::path::{Path, PathBuf};

use miette::{Result, miette};

use crate::cli::{InitArgs, NewArgs, TemplateArgs};
use crate::command::{Outcome, current_directory};
use crate::new_package;
use crate::template::{self, PackageName, Runtime};
use crate::terminal;

/// Makes a package in a folder of its own, or lists the templates.
pub(super) fn new(args: &NewArgs) -> Result<Outcome> {
    let Some(path) = &args.path else {
        list();
        return Ok(Outcome::Done);
    };
    // `.` and `a/..` have no last part.
    let name = path.file_name().ok_or_else(|| {
        miette!(
            help = "for the current folder, run `cargo microkit init`",
            "`{}` does not end with the name of a package",
            path.display()
        )
    })?;
    let name = PackageName::new(&name.to_string_lossy())?;
    // Every relative path then has an ancestor that exists.
    let folder = current_directory()?.join(path);
    make(&folder, &name, &args.template)?;
    let folder = path.to_string_lossy();
    // Only a zero byte cannot be quoted, and a path has none.
    let folder = shlex::try_quote(&folder).unwrap_or_default();
    terminal::line(format_args!("cd {folder}\ncargo microkit run {name}"));
    Ok(Outcome::Done)
}

/// Makes a package in the current folder.
pub(super) fn init(args: &InitArgs) -> Result<Outcome> {
    let folder = current_directory()?;
    let name = match (&args.name, folder.file_name()) {
        (Some(name), _) => name.clone(),
        (None, name) => name.unwrap_or_default().to_string_lossy().into_owned(),
    };
    let name = PackageName::new(&name).map_err(|error| match &args.name {
        Some(_) => error,
        None => error
            .wrap_err("the package cannot have the name of the folder; select another name with `--name NAME`"),
    })?;
    make(&folder, &name, &args.template)?;
    terminal::line(format_args!("cargo microkit run {name}"));
    Ok(Outcome::Done)
}

fn make(folder: &Path, name: &PackageName, args: &TemplateArgs) -> Result<()> {
    let runtime = Runtime::find(args.runtime.as_deref());
    new_package::check(folder, || lines_to_add(runtime.as_ref().ok()))?;
    if args.template.depends_on(name)? {
        return Err(miette!(
            help = "choose another name",
            "`{name}` cannot be the name of the package, because the template `{}` depends on a \
             package of this name",
            args.template.name
        ));
    }
    let files = args.template.files(name, &runtime?)?;
    new_package::write(folder, &files)?;
    terminal::status(
        "Created",
        format_args!(
            "the package `{name}` from the template `{}`",
            args.template.name
        ),
    );
    Ok(())
}

/// Returns the help for an existing package.
fn lines_to_add(runtime: Option<&Runtime>) -> String {
    let placeholder = Runtime::Folder(PathBuf::from("CLONE"));
    let runtime = runtime.unwrap_or(&placeholder);
    format!(
        "make the package in another folder, with `cargo microkit new NAME`. Or add PDs to this \
         package: read `docs/guide/first-hour.md` in the repository of the runtime, and add to \
         Cargo.toml:\n\n\
         [dependencies]\nsel4-microkit = {{ {} }}\n\n\
         [dev-dependencies]\nmicrokit-test = {{ {} }}\n\n\
         [[bin]] # For each PD, with its program in src/bin/NAME.rs.\nname = \"NAME\"\n\
         test = false",
        runtime.dependency("crates/runtime/sel4-microkit"),
        runtime.dependency("crates/test/microkit-test"),
    )
}

/// Prints each template with a line about it and a line that its system prints.
fn list() {
    let width = template::ALL.iter().map(|template| template.name.len());
    let width = width.max().unwrap_or_default();
    for template in &template::ALL {
        let (name, about) = (template.name, template.about);
        let default = match name == template::DEFAULT {
            true => " (default)",
            false => "",
        };
        let prints = template.prints.trim();
        terminal::line(format_args!(
            "{name:width$}  {about}; prints `{prints}`{default}"
        ));
    }
}
