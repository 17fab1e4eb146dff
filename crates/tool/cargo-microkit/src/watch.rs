//! Watches a guest's output: compares the output with the expected lines, or records the output.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::expected::{Expected, Judge, Verdict};
use crate::fault::Faults;
use crate::log::{Line, Log};
use crate::qemu::{Guest, Heard};
use crate::readable::readable;
use crate::whereabouts::{End, Observer};

/// The silence after which a guest's output is assumed to be complete.
pub(crate) const SILENCE: Duration = Duration::from_millis(300);

/// The silence after which a guest's output is assumed to be complete, if the number of lines is
/// unknown.
const LONG_SILENCE: Duration = Duration::from_secs(1);

/// The number of unexpected lines after which a test fails at once. A fault report has fewer lines,
/// so a report shows all lines of a fault.
const ENOUGH: usize = 64;

/// The reason for a failure if the kernel reports that no PD can run any more.
pub(crate) const NOTHING_MORE: &str =
    "every PD waits or has stopped, and nothing can wake one any more,";

/// The reason for a failure if the kernel has halted.
pub(crate) const HALTED: &str = "the kernel has halted";

/// The number of lines that a report shows from the end of the log.
const TAIL: usize = 10;

/// The result of watching a guest.
#[derive(Debug)]
pub(crate) enum Watched<T> {
    Done(T),
    Failed(String),
    Interrupted,
}

/// Compares a guest's output with the expected lines. Sends the scripted input between the expected
/// lines. Ends when all lines have arrived and the guest is silent, when a line differs, or when
/// the time is up.
pub(crate) fn compare(
    guest: &mut Guest,
    mut log: Log,
    expected: &[Expected],
    file: &str,
    timeout: Duration,
    observer: &Observer,
) -> Watched<()> {
    let end = Instant::now() + timeout;
    let mut judge = Judge::new(expected);
    let mut tail = Tail::default();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let mut ended = None;
        let mut is_silent = false;
        match guest.listen(SILENCE.min(left)) {
            Heard::Interrupt => return Watched::Interrupted,
            Heard::Text(text) => {
                for line in text
                    .split_inclusive('\n')
                    .filter_map(|piece| log.push(piece))
                {
                    hear(&mut judge, &mut tail, line);
                    while let Some(text) = judge.take_typed() {
                        guest.type_line(text);
                        tail.push(&format!("(typed `{text}`)"));
                    }
                }
            }
            Heard::Silence => is_silent = true,
            Heard::End(status) => ended = Some(status),
        }
        let is_up = ended.is_some() || Instant::now() >= end;
        let is_over = is_up || is_silent;

        // The last expected line may lack a newline. Other lines are complete only with a newline.
        let is_whole = ended.is_some()
            || judge.verdict() != Verdict::Waiting
            || judge
                .awaited_last()
                .is_some_and(|last| last.matches(log.partial()));
        if is_over && is_whole && !log.partial().is_empty() {
            hear(&mut judge, &mut tail, log.flush());
        }
        match judge.verdict() {
            Verdict::Complete if is_over => return Watched::Done(()),
            Verdict::Different if is_over || judge.surplus() > ENOUGH => {
                return Watched::Failed(different(&judge, file));
            }
            Verdict::Waiting => {
                let end = is_silent.then(|| observer.end()).flatten();
                let why = match (ended, end) {
                    (Some(status), _) => ended_early(status, guest),
                    (None, Some(End::Idle)) => NOTHING_MORE.to_owned(),
                    (None, Some(End::Halted)) => HALTED.to_owned(),
                    (None, None) if is_up => {
                        format!("{} s were not enough", timeout.as_secs_f64())
                    }
                    (None, None) => continue,
                };
                if !log.partial().is_empty() {
                    tail.push(log.partial());
                }
                let pds = match (ended, end) {
                    (Some(_), _) | (_, Some(End::Halted)) => String::new(),
                    _ => whereabouts(&judge, observer),
                };
                return Watched::Failed(missing(&judge, &tail, &why, file) + &pds);
            }
            _ => {}
        }
    }
}

/// Records a guest's output until the guest is silent for [`LONG_SILENCE`] or the time is up, and
/// returns the lines.
///
/// Sends each `type:` line of the old file when the guest is silent, and adds the line to the
/// returned lines. Fails if a `type:` line could not be sent, because the new file would lack this
/// line.
pub(crate) fn record(
    guest: &mut Guest,
    mut log: Log,
    before: &[Expected],
    timeout: Duration,
    observer: &Observer,
) -> Watched<Vec<String>> {
    let end = Instant::now() + timeout;
    let mut to_type = before
        .iter()
        .filter_map(|line| Some((line.text(), line.typed()?)))
        .peekable();
    let mut lines = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let is_over = match guest.listen(LONG_SILENCE.min(left)) {
            Heard::Interrupt => return Watched::Interrupted,
            Heard::Text(text) => {
                lines.extend(
                    text.split_inclusive('\n')
                        .filter_map(|piece| log.push(piece)),
                );
                false
            }
            Heard::Silence => {
                let has_spoken = !log.partial().is_empty() && !log.is_boot();
                let has_spoken = has_spoken || lines.iter().any(|line| line.is_of_system);
                match to_type.next_if(|_| has_spoken) {
                    Some((line, text)) => {
                        guest.type_line(text);
                        lines.push(Line {
                            text: line.to_owned(),
                            is_of_system: true,
                        });
                        false
                    }
                    None => has_spoken || observer.end().is_some(),
                }
            }
            Heard::End(_) => true,
        };
        if is_over || Instant::now() >= end {
            if let Some((line, _)) = to_type.peek() {
                return Watched::Failed(format!(
                    "the line `{line}` of the file was not typed: QEMU ended, or time was up, \
                     before the system had printed all lines before it"
                ));
            }
            if !log.partial().is_empty() {
                lines.push(log.flush());
            }
            let lines = lines.into_iter().filter(|line| line.is_of_system);
            return Watched::Done(lines.map(|line| line.text).collect());
        }
    }
}

/// The last lines of a log, including the lines of the boot and the kernel.
#[derive(Debug, Default)]
pub(crate) struct Tail(Vec<String>);

impl Tail {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: &str) {
        if self.0.len() == TAIL {
            self.0.remove(0);
        }
        self.0.push(line.to_owned());
    }

    /// Returns whether the tail has no lines.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Renders "the last lines were:" and the lines.
    pub(crate) fn render(&self) -> String {
        if self.0.is_empty() {
            return "it printed nothing at all".to_owned();
        }
        let lines = self
            .0
            .iter()
            .map(|line| format!("\n    {}", readable(line)));
        let lines: String = lines.collect();
        format!("the last lines were:{lines}")
    }
}

fn hear(judge: &mut Judge<'_>, tail: &mut Tail, line: Line) {
    tail.push(&line.text);
    if line.is_of_system {
        judge.hear(line.text);
    }
}

/// Renders the whereabouts of each PD that has not faulted, one PD per line.
fn whereabouts(judge: &Judge<'_>, observer: &Observer) -> String {
    let faults = Faults::from_lines(judge.seen().iter().map(String::as_str));
    let whereabouts = observer.whereabouts(|pd| faults.pds().any(|dead| dead == pd));
    let lines = whereabouts
        .into_iter()
        .map(|pd| format!("\n{}", pd.sentence));
    lines.collect()
}

fn faults(judge: &Judge<'_>) -> String {
    Faults::from_lines(judge.seen().iter().map(String::as_str)).render()
}

fn different(judge: &Judge<'_>, file: &str) -> String {
    let what = match judge.missed() {
        Some(number) => format!("line {number} differs from `{file}`"),
        None => format!("the system printed more lines than `{file}` holds"),
    };
    format!(
        "{what} (- expected, + seen):\n{}{}",
        judge.diff(),
        faults(judge).trim_start()
    )
}

fn missing(judge: &Judge<'_>, tail: &Tail, why: &str, file: &str) -> String {
    let awaited = judge.awaited().map_or(String::new(), |(number, expected)| {
        format!(
            "waited for line {number} of `{file}`: `{}`; ",
            readable(expected.text())
        )
    });
    format!("{why}: {awaited}{}{}", tail.render(), faults(judge))
}

fn ended_early(status: ExitStatus, guest: &mut Guest) -> String {
    let messages = guest.messages();
    let messages = messages.trim();
    let said = if messages.is_empty() {
        String::new()
    } else {
        let lines: Vec<_> = messages.lines().map(readable).collect();
        format!(" and printed `{}`", lines.join("\n"))
    };
    format!("QEMU ended ({status}){said}")
}
