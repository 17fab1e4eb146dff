//! Prints the messages of the crate `log`. Each line has the PD, the level, the module and the
//! message.
//!
//! ```no_run
//! sel4_microkit::logging::init(log::LevelFilter::Info)?;
//! log::info!("ready");
//! # Ok::<(), log::SetLoggerError>(())
//! ```

use core::cell::Cell;
use core::fmt;

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::symbols::DisplayName;

/// A function that prints one line.
///
/// The line ends with a line feed. The function must not log.
pub type Sink = fn(fmt::Arguments<'_>);

/// Prints messages up to `level` on the kernel's debug console, as
/// [`debug_print!`](crate::debug_print) does. If the kernel has no debug output, the messages are
/// dropped.
///
/// # Errors
///
/// Returns an error if a logger is already set.
pub fn init(level: LevelFilter) -> Result<(), SetLoggerError> {
    init_with(debug, level)
}

/// Prints messages up to `level` with `sink`, such as a function that writes to a serial driver.
///
/// ```no_run
/// fn write(line: core::fmt::Arguments<'_>) {
///     sel4_microkit::debug_print!("> {line}");
/// }
///
/// sel4_microkit::logging::init_with(write, log::LevelFilter::Warn)?;
/// # Ok::<(), log::SetLoggerError>(())
/// ```
///
/// # Errors
///
/// Returns an error if a logger is already set.
pub fn init_with(sink: Sink, level: LevelFilter) -> Result<(), SetLoggerError> {
    log::set_logger(&Logger)?;
    SINK.with(|current| current.set(sink));
    log::set_max_level(level);
    Ok(())
}

fn debug(line: fmt::Arguments<'_>) {
    crate::debug_print!("{line}");
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        // `log` drops messages above the level before it calls the logger.
        true
    }

    fn log(&self, record: &Record<'_>) {
        let sink = SINK.with(Cell::get);
        sink(format_args!(
            "{DisplayName} {} {}: {}\n",
            record.level(),
            record.target(),
            record.args()
        ));
    }

    fn flush(&self) {}
}

sel4::static_of_the_thread! {
    static SINK: Cell<Sink> = Cell::new(debug);
}
