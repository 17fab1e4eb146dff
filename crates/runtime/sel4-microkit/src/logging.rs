//! Messages of the crate `log`, one line each: the protection domain, the level, where it comes
//! from, and the message.
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

/// What prints a line, which has its end.
///
/// It may log nothing itself. A line comes in one call.
pub type Sink = fn(fmt::Arguments<'_>);

/// Has messages up to `level` printed on the kernel's debug console, as
/// [`debug_print!`](crate::debug_print) does: where the kernel does not print, nowhere.
///
/// **Errors:** there is a logger already.
pub fn init(level: LevelFilter) -> Result<(), SetLoggerError> {
    init_with(debug, level)
}

/// Has messages up to `level` printed by `sink`, such as a function that writes to a serial driver.
///
/// **Errors:** there is a logger already.
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
        // What is above the level does not come here.
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
