//! A search of all choices that visits each state once.

use std::collections::HashMap;

use crate::fingerprint::Fingerprint;

/// A depth-first search of all choices.
///
/// The search uses only the number of choices, and the state at each choice. By default, the search
/// does not continue from a state that it has already visited.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// The choices that lead to the current state.
    path: Vec<Node>,
    /// The number of choices that the current run has made.
    depth: usize,
    /// The number of schedules that continue from each visited state.
    known: HashMap<Fingerprint, u128>,
    /// If the current run ended early at a known state: the number of schedules from that state.
    left: Option<u128>,
    /// Whether the search visits known states again.
    repeats: bool,
}

#[derive(Debug)]
struct Node {
    state: Fingerprint,
    choices: usize,
    chosen: usize,
    /// The number of schedules from this node that are known so far.
    schedules: u128,
}

impl Search {
    /// Makes a search. If `repeats` is true, the search visits known states again.
    pub(crate) fn new(repeats: bool) -> Self {
        Self {
            repeats,
            ..Self::default()
        }
    }

    /// Chooses one of `choices`. Returns `None` if the state is known and the run must end early.
    pub(crate) fn choose(
        &mut self,
        choices: usize,
        state: impl FnOnce() -> Fingerprint,
    ) -> Option<usize> {
        let node = match self.path.get(self.depth) {
            Some(node) => {
                assert!(
                    node.choices == choices,
                    "a protection domain behaves differently in two runs: it depends on something \
                     besides its messages and memory, such as a static"
                );
                node
            }
            None => {
                let state = state();
                if let Some(schedules) = self.known.get(&state).filter(|_| !self.repeats) {
                    self.left = Some(*schedules);
                    return None;
                }
                self.path.push(Node {
                    state,
                    choices,
                    chosen: 0,
                    schedules: 0,
                });
                &self.path[self.depth]
            }
        };
        self.depth += 1;
        Some(node.chosen)
    }

    /// Returns the choices of the current run.
    pub(crate) fn chosen(&self) -> Vec<usize> {
        let path = self.path.iter().take(self.depth);
        path.map(|node| node.chosen).collect()
    }

    /// Ends the current run. Returns the number of all schedules if the search is complete.
    pub(crate) fn next_run(&mut self) -> Option<u128> {
        self.depth = 0;
        let mut schedules = self.left.take().unwrap_or(1);
        while let Some(node) = self.path.last_mut() {
            node.schedules = node.schedules.saturating_add(schedules);
            node.chosen += 1;
            if node.chosen < node.choices {
                return None;
            }
            schedules = node.schedules;
            self.known.insert(node.state, schedules);
            self.path.pop();
        }
        Some(schedules)
    }

    /// Returns the number of states with more than one choice that were visited so far.
    pub(crate) fn states(&self) -> usize {
        self.known.len() + self.path.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the search with two threads that make `steps` steps in any order. The state is the
    /// number of steps that each thread has made.
    fn check(steps: [u64; 2], schedules: u128, runs: usize) {
        let mut search = Search::default();
        let mut count = 0;
        loop {
            count += 1;
            let mut left = steps;
            while left != [0, 0] {
                let one = match left {
                    [0, _] => 1,
                    [_, 0] => 0,
                    [a, b] => match search.choose(2, || u128::from(a) << 64 | u128::from(b)) {
                        Some(one) => one,
                        None => break,
                    },
                };
                left[one] -= 1;
            }
            if let Some(all) = search.next_run() {
                assert_eq!((all, count), (schedules, runs));
                return;
            }
        }
    }

    #[test]
    fn every_schedule_is_counted_and_few_are_run() {
        check([0, 5], 1, 1);
        check([1, 1], 2, 2);
        check([3, 3], 20, 10);
        // The number of schedules is 40! / 20!².
        check([20, 20], 137_846_528_820, 401);
    }
}
