//! Prints results on standard output, and everything else on standard error.
//!
//! `println!` is not used here, because it panics if the reader of a pipe stops reading (`cargo
//! microkit run hello | head`).

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::Command;

use miette::{MietteHandlerOpts, Report};

/// Prints one line of the result.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints one line that is not part of the result.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints the current action, in the form of Cargo's status lines.
pub(crate) fn status(verb: &str, text: impl Display) {
    let verb = console::style(format!("{verb:>12}"))
        .green()
        .bold()
        .for_stderr();
    let _ = writeln!(io::stderr(), "{verb} {text}");
}

/// Prints a remark, for example about the running system.
pub(crate) fn remark(text: impl Display) {
    let label = console::style("cargo-microkit:")
        .yellow()
        .bold()
        .for_stderr();
    let _ = writeln!(io::stderr(), "{label} {text}");
}

/// Prints the command that is about to run, for `--verbose`.
pub(crate) fn running(command: &Command) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    status("Running", format_args!("`{}`", words.join(" ")));
}

/// Prints a piece of a serial log. Lines of the boot are dim.
///
/// # Errors
///
/// Fails if the reader of standard output has closed the pipe.
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

/// Prints an error with its help text.
pub(crate) fn error(report: &Report) {
    let _ = io::stdout().flush();
    let _ = write!(io::stderr(), "{}", rendered(report));
}

/// Renders an error as text, with a newline at its end.
pub(crate) fn rendered(report: &Report) -> String {
    format!("{}\n", format!("{report:?}").trim_end())
}

/// Configures the rendering of errors. Lines are wrapped on a terminal only, and never inside a
/// path.
pub(crate) fn set_up_errors() {
    let is_terminal = io::stderr().is_terminal();
    // Setting the hook fails only if a hook is already set. This function is called only once.
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
