//! How this program speaks: results on standard output, everything else on standard error.
//!
//! Whoever reads may stop reading (`cargo microkit run hello | head`); that is no reason to panic,
//! so nothing here uses `println!`.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::Command;

use miette::{MietteHandlerOpts, Report};

/// One line of the result.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// One line for the eye only.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What is being done now, in the form that Cargo uses for the same.
pub(crate) fn status(verb: &str, text: impl Display) {
    let verb = console::style(format!("{verb:>12}"))
        .green()
        .bold()
        .for_stderr();
    let _ = writeln!(io::stderr(), "{verb} {text}");
}

/// A remark about the system that runs, which does not stop it.
pub(crate) fn remark(text: impl Display) {
    let label = console::style("cargo-microkit:")
        .yellow()
        .bold()
        .for_stderr();
    let _ = writeln!(io::stderr(), "{label} {text}");
}

/// The command that is about to run, for `--verbose`.
pub(crate) fn running(command: &Command) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    status("Running", format_args!("`{}`", words.join(" ")));
}

/// A piece of a serial log as it comes, dim if it is not the system's own.
///
/// **Errors:** nobody reads standard output any more.
pub(crate) fn echo(piece: &str, is_boot: bool) -> io::Result<()> {
    let mut out = io::stdout();
    if is_boot && console::colors_enabled() {
        let text = piece.trim_end_matches('\n');
        write!(
            out,
            "{}{}",
            console::style(text).dim(),
            &piece[text.len()..]
        )?;
    } else {
        out.write_all(piece.as_bytes())?;
    }
    out.flush()
}

/// An error, with what to do about it.
pub(crate) fn error(report: &Report) {
    let _ = io::stdout().flush();
    let _ = write!(io::stderr(), "{}", rendered(report));
}

/// An error as text, with a newline at its end.
pub(crate) fn rendered(report: &Report) -> String {
    format!("{}\n", format!("{report:?}").trim_end())
}

/// Lines of errors are broken for eyes only: in a file they stay whole, and paths always do.
pub(crate) fn set_up_errors() {
    let is_terminal = io::stderr().is_terminal();
    // Setting the hook fails only if there is one already, and this is called once.
    let _ = miette::set_hook(Box::new(move |_| {
        Box::new(
            MietteHandlerOpts::new()
                .wrap_lines(is_terminal)
                .break_words(false)
                .tab_width(4)
                .build(),
        )
    }));
}
