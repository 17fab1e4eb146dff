//! Choosers: a search, random choices, or a list of earlier choices.

use std::hash::Hash;

use super::{Around, Explorer};
use crate::choice::Choice;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::random::Random;
use crate::search::Search;
use crate::{Run, Schedule};

/// Chooses one of several options.
pub(super) trait Chooser {
    /// Returns the index of the chosen option, or `None` to end the run early.
    fn choose(
        &mut self,
        options: &[Choice],
        state: &mut dyn FnMut() -> Fingerprint,
    ) -> Option<usize>;

    /// Returns whether the chooser ever needs the fingerprint of a state.
    fn wants_states(&self) -> bool {
        false
    }
}

/// Returns one of several options. The chooser chooses only if there is more than one option.
pub(super) fn choose(
    chooser: &mut dyn Chooser,
    run: &Run,
    around: &Around,
    options: &[Choice],
) -> Option<Choice> {
    if let [only] = options {
        return Some(*only);
    }
    let place = chooser.choose(options, &mut || {
        let mut hasher = Fingerprinter::new();
        run.fingerprint(&mut hasher);
        around.hash(&mut hasher);
        options.hash(&mut hasher);
        hasher.fingerprint()
    })?;
    Some(options[place])
}

impl Chooser for Search {
    fn choose(
        &mut self,
        options: &[Choice],
        state: &mut dyn FnMut() -> Fingerprint,
    ) -> Option<usize> {
        Search::choose(self, options.len(), state)
    }

    fn wants_states(&self) -> bool {
        true
    }
}

/// Chooses at random.
pub(super) struct Sample<'a> {
    pub(super) random: &'a mut Random,
    pub(super) chosen: Vec<usize>,
}

impl Chooser for Sample<'_> {
    fn choose(&mut self, options: &[Choice], _: &mut dyn FnMut() -> Fingerprint) -> Option<usize> {
        let place = self.random.below(options.len());
        self.chosen.push(place);
        Some(place)
    }
}

/// Repeats the choices of an earlier run, and records the words of the schedule.
pub(super) struct Repeat<'a> {
    pub(super) explorer: &'a Explorer<'a>,
    pub(super) chosen: Vec<usize>,
    pub(super) next: usize,
    pub(super) tokens: Vec<String>,
}

impl Chooser for Repeat<'_> {
    fn choose(&mut self, options: &[Choice], _: &mut dyn FnMut() -> Fingerprint) -> Option<usize> {
        let place = *self.chosen.get(self.next)?;
        self.next += 1;
        let choice = options.get(place)?;
        self.tokens.push(choice.token(&self.explorer.system.image));
        Some(place)
    }
}

/// Follows a schedule.
pub(super) struct Script<'a> {
    pub(super) explorer: &'a Explorer<'a>,
    pub(super) schedule: &'a Schedule,
    pub(super) next: usize,
    pub(super) wrong: Option<String>,
}

impl Chooser for Script<'_> {
    fn choose(&mut self, options: &[Choice], _: &mut dyn FnMut() -> Fingerprint) -> Option<usize> {
        // After the end of the schedule, the run follows the kernel's own choice. The kernel's
        // choice is always the first option.
        let Some(token) = self.schedule.tokens.get(self.next) else {
            return Some(0);
        };
        let image = &self.explorer.system.image;
        let tokens: Vec<String> = options.iter().map(|choice| choice.token(image)).collect();
        let found = tokens.iter().position(|option| option == token);
        if found.is_none() {
            self.wrong = Some(format!(
                "choice {} of the schedule is `{token}`, but there can only be {}",
                self.next + 1,
                tokens.join(", ")
            ));
        }
        self.next += 1;
        found
    }
}
