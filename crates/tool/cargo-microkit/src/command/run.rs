//! `run`: runs one system in QEMU, with its serial log on standard output.

use std::time::{Duration, Instant};

use miette::{Report, Result, miette};

use crate::cli::RunArgs;
use crate::command::systems::find_system;
use crate::command::{Outcome, build};
use crate::dead::Dead;
use crate::debug_output;
use crate::fault::FaultLine;
use crate::files;
use crate::keys::Keys;
use crate::log::Log;
use crate::qemu::{self, Devices, Guest, Heard, Machine, Monitor};
use crate::screen::Screen;
use crate::target::Target;
use crate::terminal;
use crate::watch::{HALTED, NOTHING_MORE, SILENCE, Tail};
use crate::whereabouts::{End, Observer, Rest, Whereabouts};

/// The silence after which the system is assumed to wait for input.
const LONG: Duration = Duration::from_secs(3);

/// The help text for errors without a more specific help text.
const LOOK_AT_LOG: &str = "see the log, and with `--verbose` the command that ran QEMU";

/// Builds the system and runs it until the system ends, a line matches `--until`, or time is up.
pub(super) fn run(args: &RunArgs) -> Result<Outcome> {
    let machine = Machine::for_board(&args.options.board);
    // QEMU is checked before the build, because the build takes long and is useless without QEMU.
    let qemu = match machine {
        Some(_) => {
            qemu::provide(args.qemu.program.qemu.as_deref(), !args.options.no_install).map(Some)?
        }
        None => None,
    };
    let (system, project) = find_system(args.system.system.as_deref(), "run")?;
    let devices = Devices::read(&system)?;
    let (packed, variant) = build::image(
        system.clone(),
        project.as_deref(),
        &args.variant,
        &args.options,
        &args.outputs,
        machine.is_none(),
    )?;
    let image = &packed.image;
    let (Some(machine), Some(qemu)) = (machine, qemu) else {
        return Err(miette!(
            help = format!(
                "load `{}` onto the board as the Microkit manual describes, in its chapter on \
                 board support packages",
                image.display()
            ),
            "the board `{}` is not a QEMU machine, so the image was built but cannot be run here",
            variant.board
        ));
    };

    let mut command = machine.command(&qemu, image, &variant, args.qemu.icount);
    let monitor = Monitor::add_to(&mut command);
    let _disks = devices.add_to(&mut command)?;
    command.args(&args.qemu_args);
    let observer = Observer::new(monitor, &command, &packed);
    if args.options.verbose {
        terminal::running(&qemu::without_monitor(&command));
    }
    let mut guest = Guest::start(command)?;
    // The guest's start installs the signal handlers. Raw mode must begin after the guest's start,
    // because an unhandled signal would end this program before the terminal's settings are
    // restored.
    let keys = Keys::from_stdin();
    let name = args.system.system.as_ref().unwrap_or(&system.name);
    if let Some(keys) = &keys {
        terminal::status(
            "Running",
            format_args!("{name} ({variant}); press {} to stop", args.escape),
        );
        keys.type_to(guest.typist(), args.escape)
            .map_err(|e| files::cannot("read", "the terminal".as_ref(), &e))?;
    }
    let mut session = Session {
        args,
        name,
        log: Log::new(&variant),
        tail: Tail::default(),
        dead: Dead::new(packed.pds.iter().map(|pd| pd.name.clone()).collect()),
        may_all_die: !packed.has_virtual_machine,
        observer,
        screen: Screen::default(),
        has_spoken: false,
        note: debug_output::note(&variant, &packed.pds),
    };
    session.follow(&mut guest)
}

/// The state of a run.
struct Session<'a> {
    args: &'a RunArgs,
    /// The system, as on the command line.
    name: &'a str,
    log: Log,
    tail: Tail,
    dead: Dead,
    /// Whether the output is complete as soon as all PDs have faulted.
    may_all_die: bool,
    observer: Observer,
    /// Dropping the value restores the terminal's settings.
    screen: Screen,
    /// Whether the system itself has printed a line. From then on, input is sent to the system.
    has_spoken: bool,
    /// A remark to show if the system prints nothing.
    note: Option<String>,
}

impl Session<'_> {
    fn follow(&mut self, guest: &mut Guest) -> Result<Outcome> {
        let start = Instant::now();
        let mut last_heard = start;
        let end = self.args.timeout.map(|timeout| start + timeout);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(self.out_of_time());
            }
            match guest.listen(SILENCE.min(left.unwrap_or(Duration::MAX))) {
                Heard::Text(text) => {
                    last_heard = Instant::now();
                    for piece in text.split_inclusive('\n') {
                        if let Some(outcome) = self.show(piece) {
                            return Ok(outcome);
                        }
                    }
                    if self.has_spoken {
                        guest.let_type();
                    }
                }
                // A prompt without a newline may match too, but only after a silence. Before the
                // silence, the line may be incomplete.
                Heard::Silence if self.awaits_no_more() => {
                    self.end_line();
                    return Ok(Outcome::Done);
                }
                Heard::Silence if self.are_all_dead() => {
                    let help = "see the reports of the faults in the log above";
                    let why = "every PD has faulted";
                    return Err(self.failed(why, &[], help));
                }
                Heard::Silence => {
                    if let Some(end) = self.observer.end() {
                        return self.end(end);
                    }
                    let is_long = last_heard.elapsed() > LONG;
                    let has_partial = !self.log.partial().is_empty();
                    // An unfinished line, such as a prompt, is sufficient to send the input. A
                    // system may also read input without printing anything.
                    if is_long || (has_partial && !self.log.is_boot()) {
                        guest.let_type();
                    }
                    let is_silent = is_long && self.tail.is_empty() && !has_partial;
                    if let Some(note) = self.note.take_if(|_| is_silent) {
                        terminal::remark(note);
                    }
                }
                Heard::Interrupt => {
                    self.end_line();
                    let dead = self.dead.render().into_iter();
                    let whereabouts = self.whereabouts().into_iter().map(|pd| pd.sentence);
                    dead.chain(whereabouts).for_each(terminal::remark);
                    let is_failure = self.args.until.is_some();
                    return Ok(if is_failure {
                        Outcome::Interrupted
                    } else {
                        Outcome::Done
                    });
                }
                Heard::End(_) if self.awaits_no_more() => {
                    self.end_line();
                    return Ok(Outcome::Done);
                }
                Heard::End(status) if status.success() && self.args.until.is_none() => {
                    self.end_line();
                    return Ok(Outcome::Done);
                }
                Heard::End(status) => {
                    guest.messages(); // Shows QEMU's messages before this error.
                    return Err(self.failed(&format!("QEMU ended ({status})"), &[], LOOK_AT_LOG));
                }
            }
        }
    }

    /// Shows a piece of the log. Returns the outcome if the run ends here.
    fn show(&mut self, piece: &str) -> Option<Outcome> {
        self.screen.hear(piece);
        if terminal::echo(piece, self.log.is_boot()).is_err() {
            return Some(Outcome::Done); // The reader of standard output has closed the pipe.
        }
        let line = self.log.push(piece)?;
        self.has_spoken |= line.is_of_system;
        self.tail.push(&line.text);
        self.explain(&line.text);
        self.is_awaited(&line.text).then_some(Outcome::Done)
    }

    /// Adds remarks to a line of the log: places in the source, and advice on faults.
    fn explain(&mut self, line: &str) {
        for (depth, place) in self.observer.places.of_backtrace(line).iter().enumerate() {
            terminal::aside(format_args!("{depth:>4}: {place}"));
        }
        match self.dead.hear(line, &self.observer.places) {
            Some(FaultLine::Fault { pd }) => {
                terminal::remark(format_args!(
                    "PD `{pd}` has faulted; see the monitor's report"
                ));
            }
            Some(FaultLine::At { pd, .. }) => {
                if let Some(place) = self.dead.place(&pd) {
                    terminal::remark(format_args!("PD `{pd}` was in {place}"));
                }
            }
            Some(FaultLine::StackOverflow { pd }) => {
                let size = match self.observer.places.stack_bytes(&pd) {
                    Some(bytes) => format!("its stack of {bytes:#x} bytes"),
                    None => "its stack".to_owned(),
                };
                terminal::remark(format_args!(
                    "PD `{pd}` has used up {size}: set a larger `stack_size` in the system file"
                ));
            }
            Some(FaultLine::FloatingPoint { pd }) => {
                let target = Target::NoFpu;
                terminal::remark(format_args!(
                    "PD `{pd}` used a floating-point register: remove `fpu=\"false\"` from the \
                     system file, or build the program without floating point (Rust: for \
                     {target}; C: with `-mgeneral-regs-only`)"
                ));
            }
            None => {}
        }
    }

    /// Returns whether every PD that could print has faulted.
    fn are_all_dead(&self) -> bool {
        self.may_all_die && self.dead.are_all()
    }

    fn is_awaited(&self, line: &str) -> bool {
        self.args
            .until
            .as_ref()
            .is_some_and(|until| until.is_match(line))
    }

    /// Returns whether the unfinished line matches `--until`.
    fn awaits_no_more(&self) -> bool {
        !self.log.partial().is_empty() && self.is_awaited(self.log.partial())
    }

    /// Ends the unfinished line of the log, so that the next message starts on a new line.
    fn end_line(&mut self) {
        if !self.log.partial().is_empty() {
            let line = self.log.flush();
            self.tail.push(&line.text);
            let _ = terminal::echo("\n", false);
        }
    }

    fn out_of_time(&mut self) -> Report {
        let seconds = self.args.timeout.unwrap_or_default().as_secs_f64();
        let whereabouts = self.whereabouts();
        let help = match &self.args.until {
            Some(_) => "increase `--timeout`, or see in the log why the line did not come",
            None => LOOK_AT_LOG,
        };
        self.failed(&format!("{seconds} s have passed"), &whereabouts, help)
    }

    /// Ends the run because no PD can run any more.
    ///
    /// Fails if the run waits for a line, if a PD has faulted, or if a PD waits for an event that
    /// cannot come.
    fn end(&mut self, end: End) -> Result<Outcome> {
        if end == End::Halted {
            let help = "see the reason in the log above";
            return Err(self.failed(HALTED, &[], help));
        }
        let whereabouts = self.whereabouts();
        let is_failure = self.args.until.is_some() || self.dead.is_any();
        if !is_failure && whereabouts.iter().all(|pd| pd.rest != Rest::Stuck) {
            self.end_line();
            let stopped = whereabouts.iter().filter(|pd| pd.rest == Rest::Stopped);
            stopped.for_each(|pd| terminal::remark(&pd.sentence));
            terminal::remark(
                "nothing can happen any more: no PD runs, and no interrupt can wake one",
            );
            return Ok(Outcome::Done);
        }
        let help = "see what each PD waits for: no running PD can end that wait";
        Err(self.failed(NOTHING_MORE, &whereabouts, help))
    }

    /// Returns the whereabouts of each PD that has not faulted.
    fn whereabouts(&self) -> Vec<Whereabouts> {
        self.observer.whereabouts(|pd| self.dead.is(pd))
    }

    fn failed(&mut self, why: &str, whereabouts: &[Whereabouts], help: &str) -> Report {
        self.end_line();
        let awaited = match &self.args.until {
            Some(until) => format!(
                "before a line of the log of `{}` matched `{until}`",
                self.name
            ),
            None => format!("while `{}` ran", self.name),
        };
        let whereabouts = whereabouts.iter().map(|pd| pd.sentence.clone());
        let pds = self.dead.render().into_iter().chain(whereabouts);
        let pds: String = pds.map(|line| format!("\n{line}")).collect();
        let note = self.note.take().map(|note| format!("\n{note}"));
        let note = note.unwrap_or_default();
        miette!(
            help = help,
            "{why} {awaited}; {}{pds}{note}",
            self.tail.render()
        )
    }
}
