//! A search of all choices, which visits each state once.

use std::collections::HashMap;

use crate::fingerprint::Fingerprint;

/// A depth-first search of all choices.
///
/// It knows only the number of choices and the state at each of them. It does not visit a state
/// again that it has visited.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// The choices that lead to the present state.
    path: Vec<Node>,
    /// How many of them the present run has made.
    depth: usize,
    /// The number of schedules from each visited state on.
    known: HashMap<Fingerprint, u128>,
    /// The number of schedules from where the present run was left, because its state is known.
    left: Option<u128>,
    /// Whether it visits known states again.
    repeats: bool,
}

#[derive(Debug)]
struct Node {
    state: Fingerprint,
    choices: usize,
    chosen: usize,
    /// The number of schedules from here on, as far as they are known.
    schedules: u128,
}

impl Search {
    /// Makes a search, which visits known states again if it `repeats`.
    pub(crate) fn new(repeats: bool) -> Self {
        Self {
            repeats,
            ..Self::default()
        }
    }

    /// Chooses one of `choices`, or returns `None` if the state is known and the run must be left.
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

    /// Returns the choices of the present run.
    pub(crate) fn chosen(&self) -> Vec<usize> {
        let path = self.path.iter().take(self.depth);
        path.map(|node| node.chosen).collect()
    }

    /// Ends the present run. Returns the number of all schedules if there is no other run to make.
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

    /// Returns how many states with more than one choice were visited so far.
    pub(crate) fn states(&self) -> usize {
        self.known.len() + self.path.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two threads that make so many steps each, in any order. The state is how far each is.
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
        // 40! / 20!²
        check([20, 20], 137_846_528_820, 401);
    }
}
