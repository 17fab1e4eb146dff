//! Runs a system under every schedule.
//!
//! ```text
//! try_check ─▶ run ─▶ options ─▶ chooser ─▶ step, IRQ or crash ─┐
//!    ▲          │        ▲                                      │
//!    │          │        └──────────────────────────────────────┘
//!    └─ judge ◀─┘ at rest, too long, or left because the state is known
//! ```

mod chooser;
mod result;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::choice::Choice;
use crate::random::Random;
use crate::search::Search;
use crate::{Run, Schedule, System};

pub use result::{Explored, Found};

use chooser::{Chooser, Repeat, Sample, Script, choose};
use result::sel4_fault;

/// Runs a system under every schedule: all orders in which its PDs can make their steps.
///
/// A step of a PD ends with its next system call, or its next access to a `SharedWord`. If several
/// PDs can run, the explorer tries each of these PDs as the next. The explorer ignores priorities,
/// unless [`by_priority`](Self::by_priority) is set. So a successful check is valid for all
/// priorities that the system file could give.
///
/// The memory is sequentially consistent, as on one core. Several Arm cores may also reorder
/// accesses to shared memory. No schedule shows such a reordering.
///
/// Two schedules that lead to the same state, with the same output so far, have the same future.
/// The explorer explores this future once. A state consists of the kernel, the shared memory, and
/// all inputs that each PD has received so far. The behaviour of a PD is a function of these
/// inputs.
///
/// **A schedule fails** in four cases:
/// * A PD without a parent faults.
/// * No PD can run while a PD waits for a reply or to send.
/// * The schedule does not end.
/// * The check of the test panics.
///
/// The crate page has an [example](crate).
#[derive(Debug, Clone)]
pub struct Explorer<'a> {
    system: &'a System,
    by_priority: bool,
    irqs: Vec<(usize, u8)>,
    crashes: Vec<usize>,
    failing: Vec<usize>,
    allow_faults: bool,
    allow_stuck: bool,
    max_runs: usize,
    samples: usize,
    seed: u64,
    max_steps: u64,
    depth: u64,
    is_plain: bool,
}

impl<'a> Explorer<'a> {
    /// Makes an explorer of all schedules of `system`, with up to 100,000 runs of at most 10,000
    /// steps.
    pub fn new(system: &'a System) -> Self {
        Self {
            system,
            by_priority: false,
            irqs: Vec::new(),
            crashes: Vec::new(),
            failing: Vec::new(),
            allow_faults: false,
            allow_stuck: false,
            max_runs: 100_000,
            samples: 1000,
            seed: 0,
            max_steps: 10_000,
            depth: u64::MAX,
            is_plain: false,
        }
    }

    /// Runs only PDs with the highest priority among the PDs that can run.
    ///
    /// The explored schedules are all schedules that seL4 can produce for this system on one core.
    /// Time slices may end at any time.
    #[must_use]
    pub fn by_priority(mut self) -> Self {
        self.by_priority = true;
        self
    }

    /// Explores the arrival of an IRQ, once in each schedule, at any time at which the IRQ is not
    /// masked.
    ///
    /// # Panics
    ///
    /// Panics if the PD has no IRQ with this channel identifier.
    #[must_use]
    #[track_caller]
    pub fn interrupt(mut self, name: &str, channel: u8) -> Self {
        let pd = self.system.pd(name);
        let irqs = &self.system.image.spec.pds[pd].irqs;
        assert!(
            irqs.iter().any(|irq| irq.id == channel),
            "{name} has no <irq> with id=\"{channel}\""
        );
        self.irqs.push((pd, channel));
        self
    }

    /// Explores the death of a PD before each of its steps. Schedules without a death are explored
    /// too. The PD dies as in a panic.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name.
    #[must_use]
    #[track_caller]
    pub fn crash(mut self, name: &str) -> Self {
        self.crashes.push(self.system.pd(name));
        self
    }

    /// Explores one failing system call of a PD: each call that can fail, with each possible
    /// failure. Schedules without a failure are explored too.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name.
    #[must_use]
    #[track_caller]
    pub fn failing_call(mut self, name: &str) -> Self {
        self.failing.push(self.system.pd(name));
        self
    }

    /// Accepts schedules in which PDs fault.
    #[must_use]
    pub fn allow_faults(mut self) -> Self {
        self.allow_faults = true;
        self
    }

    /// Accepts schedules after which PDs wait forever for a reply, or to send.
    #[must_use]
    pub fn allow_stuck(mut self) -> Self {
        self.allow_stuck = true;
        self
    }

    /// Limits the number of runs. At the limit, the explorer runs [`samples`](Self::samples) random
    /// schedules.
    #[must_use]
    pub fn max_runs(mut self, runs: usize) -> Self {
        self.max_runs = runs;
        self
    }

    /// Sets the number of random schedules that run after [`max_runs`](Self::max_runs) is reached.
    /// The default is 1000.
    #[must_use]
    pub fn samples(mut self, samples: usize, seed: u64) -> Self {
        (self.samples, self.seed) = (samples, seed);
        self
    }

    /// Limits the steps of a schedule. A longer schedule fails. The default is 10,000.
    #[must_use]
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.max_steps = steps;
        self
    }

    /// Ends every run after `steps` steps, for a system that never comes to rest.
    ///
    /// The check gets the run after the last step.
    #[must_use]
    pub fn depth(mut self, steps: u64) -> Self {
        self.depth = steps;
        self
    }

    /// Explores every schedule separately, even if another schedule has led to the same state.
    ///
    /// Use this method for handlers that depend on something besides their messages and memory,
    /// such as statics.
    #[must_use]
    pub fn without_merging(mut self) -> Self {
        self.is_plain = true;
        self
    }

    /// Explores all schedules, and calls `check` at the end of every run. `check` must panic if the
    /// run is wrong.
    ///
    /// # Panics
    ///
    /// Panics if a schedule fails. The message contains the failure, the schedule, and every step.
    #[track_caller]
    pub fn check(&self, check: impl Fn(&Run)) -> Explored {
        match self.try_check(check) {
            Ok(explored) => explored,
            Err(found) => panic!("{found}"),
        }
    }

    /// Explores like [`check`](Self::check), but returns the failure instead of panicking.
    ///
    /// # Errors
    ///
    /// Returns the first schedule that fails.
    pub fn try_check(&self, check: impl Fn(&Run)) -> Result<Explored, Box<Found>> {
        let mut search = Search::new(self.is_plain);
        let mut explored = Explored {
            runs: 0,
            schedules: None,
            states: 0,
            samples: 0,
            seed: self.seed,
        };
        while explored.runs < self.max_runs {
            let (run, end) = self.run(&mut search, false);
            explored.runs += 1;
            if let Err(message) = self.judge(&run, end, &check) {
                drop(run);
                return Err(Box::new(self.found(search.chosen(), message, &check)));
            }
            explored.states = search.states();
            explored.schedules = search.next_run();
            if explored.schedules.is_some() {
                return Ok(explored);
            }
        }
        let mut random = Random::new(self.seed);
        for _ in 0..self.samples {
            let mut sample = Sample {
                random: &mut random,
                chosen: Vec::new(),
            };
            let (run, end) = self.run(&mut sample, false);
            explored.samples += 1;
            if let Err(message) = self.judge(&run, end, &check) {
                drop(run);
                return Err(Box::new(self.found(sample.chosen, message, &check)));
            }
        }
        Ok(explored)
    }

    /// Runs one random schedule to its end, and returns the run, for measurements.
    pub fn sample(&self, seed: u64) -> Run {
        let mut random = Random::new(seed);
        let mut sample = Sample {
            random: &mut random,
            chosen: Vec::new(),
        };
        self.run(&mut sample, false).0
    }

    /// Runs one schedule to its end, and returns the run.
    ///
    /// # Panics
    ///
    /// Panics if the schedule does not fit this system.
    #[track_caller]
    pub fn replay(&self, schedule: &Schedule) -> Run {
        let mut script = Script {
            explorer: self,
            schedule,
            next: 0,
            wrong: None,
        };
        let (run, _) = self.run(&mut script, true);
        if let Some(wrong) = script.wrong {
            panic!("{wrong}");
        }
        assert!(
            script.next == schedule.tokens.len(),
            "the schedule has {} choices, and the system had only {}",
            schedule.tokens.len(),
            script.next
        );
        run
    }

    /// Makes one run.
    fn run(&self, chooser: &mut dyn Chooser, is_traced: bool) -> (Run, End) {
        let run = self.system.start();
        let run = if is_traced { run } else { run.untraced() };
        let mut run = if chooser.wants_states() {
            run.followed()
        } else {
            run
        };
        let mut around = Around {
            irqs: self.irqs.clone(),
            crashes: self.crashes.clone(),
            failing: self.failing.clone(),
        };
        let mut options = Vec::new();
        loop {
            options.clear();
            self.options(&run, &around, &mut options);
            if options.is_empty() || run.steps() >= self.depth {
                return (run, End::Rest);
            }
            if run.steps() >= self.max_steps {
                return (run, End::TooLong);
            }
            let Some(choice) = choose(chooser, &run, &around, &options) else {
                return (run, End::Left);
            };
            let mut is_left = false;
            match choice {
                Choice::Run(pd) => {
                    let thread = run.kernel().thread_of(pd).expect("it can run");
                    run.step_thread(thread, &mut |run, pd, possible| {
                        let position = around.failing.iter().position(|of| *of == pd)?;
                        let failures = possible.iter().map(|failure| Choice::Fail(*failure));
                        let options: Vec<_> = [Choice::Pass].into_iter().chain(failures).collect();
                        match choose(chooser, run, &around, &options) {
                            Some(Choice::Fail(failure)) => {
                                around.failing.remove(position);
                                Some(failure)
                            }
                            Some(_) => None,
                            None => {
                                is_left = true;
                                None
                            }
                        }
                    });
                }
                Choice::Irq { pd, channel } => {
                    around.irqs.retain(|irq| *irq != (pd, channel));
                    run.raise_irq(self.system.image.pds[pd].name, channel);
                }
                Choice::Crash(pd) => {
                    around.crashes.retain(|crash| *crash != pd);
                    let thread = run.kernel().thread_of(pd).expect("it can run");
                    run.kill_thread(thread);
                }
                Choice::Pass | Choice::Fail(_) => unreachable!("no options between steps"),
            }
            if is_left {
                return (run, End::Left);
            }
        }
    }

    /// Collects all choices for the next event.
    fn options(&self, run: &Run, around: &Around, options: &mut Vec<Choice>) {
        let priority = |thread| run.kernel().thread(thread).priority();
        let highest = run.runnable().map(priority).max();
        let may_run = |thread: &_| !self.by_priority || Some(priority(*thread)) == highest;
        options.extend(
            run.runnable()
                .filter(may_run)
                .map(|thread| Choice::Run(thread.index())),
        );
        for &pd in &around.crashes {
            if options.contains(&Choice::Run(pd)) {
                options.push(Choice::Crash(pd));
            }
        }
        for &(pd, channel) in &around.irqs {
            let number = run.irq_number(pd, channel);
            if number.is_some_and(|number| !run.is_masked(number)) {
                options.push(Choice::Irq { pd, channel });
            }
        }
    }

    /// Checks a run that has ended, and returns its failure as an error.
    fn judge(&self, run: &Run, end: End, check: &dyn Fn(&Run)) -> Result<(), String> {
        if end == End::TooLong {
            return Err(format!("no end after {} steps", self.max_steps));
        }
        let fault = run.faults().iter().find(|fault| !run.was_killed(fault));
        if let Some(fault) = fault.filter(|_| !self.allow_faults) {
            return Err(format!(
                "{} has faulted: {}",
                fault.protection_domain(),
                sel4_fault(fault.label)
            ));
        }
        if end == End::Left {
            // Another run has already explored the continuation from this state.
            return Ok(());
        }
        let stuck = run.stuck();
        if !stuck.is_empty() && !self.allow_stuck && run.steps() < self.depth {
            return Err(format!(
                "nothing can run any more, but {} waits for a reply, or to send, or for time to run",
                stuck.join(" and ")
            ));
        }
        catch_unwind(AssertUnwindSafe(|| check(run))).map_err(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            text.unwrap_or("the check panicked").to_owned()
        })
    }

    /// Repeats a failed run, and records a trace.
    fn found(&self, chosen: Vec<usize>, message: String, check: &dyn Fn(&Run)) -> Found {
        let mut repeat = Repeat {
            explorer: self,
            chosen,
            next: 0,
            tokens: Vec::new(),
        };
        let (run, end) = self.run(&mut repeat, true);
        let again = self.judge(&run, end, check);
        Found {
            is_repeated: again.is_err(),
            message,
            schedule: Schedule {
                tokens: repeat.tokens,
            },
            log: run.log(),
            trace: run.trace().iter().map(ToString::to_string).collect(),
        }
    }
}

/// The possible events from outside the PDs, such as IRQs, that have not occurred in this run.
#[derive(Debug, Clone, Hash)]
struct Around {
    irqs: Vec<(usize, u8)>,
    crashes: Vec<usize>,
    failing: Vec<usize>,
}

/// How a run ended.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum End {
    /// No PD can run, or the limit of `depth` is reached.
    Rest,
    /// The run ended early, because an earlier run has visited the same state.
    Left,
    TooLong,
}
