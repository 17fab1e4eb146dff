//! Finds cycles of waits.
//!
//! The nodes of the graph are the waits. An edge leads from each wait to the waits that can block
//! this wait. A wait for a PD is blocked by the waits of that PD. A wait for a lock is blocked by
//! the waits of other PDs that hold the lock. The search finds the shortest cycle through each
//! wait. Only one of several cycles through the same PDs is reported.
//!
//! Every PD that can be in a cycle is in a reported cycle. After that cycle is fixed, the next
//! check reports the remaining cycles. A reported cycle may be impossible at run time. For example,
//! if a PD takes one lock in two handlers, the check assumes that both handlers can block at once.
//! As a result, all PDs must take locks in one common order.

use std::collections::{BTreeSet, VecDeque};

use microkit_sdf::System;

use crate::declaration::Context;
use crate::finding::{Finding, FindingKind, Label};
use crate::wait::{During, Target, Wait, WaitKind};

/// Returns the findings about cycles among `waits`.
pub(crate) fn findings(system: &System, waits: &[Wait]) -> Vec<Finding> {
    let name = |pd: usize| system.protection_domains[pd].name.clone();
    let twice = waits.iter().filter(|wait| holds_what_it_wants(wait));
    let mut findings: Vec<_> = twice
        .map(|wait| {
            let kind = FindingKind::LockTwice {
                pd: name(wait.pd),
                lock: wanted(system, wait),
            };
            Finding::new(kind, vec![label(system, wait)])
        })
        .collect();
    for cycle in cycles(waits) {
        let members: Vec<&Wait> = cycle.iter().map(|index| &waits[*index]).collect();
        findings.push(told(system, &members));
    }
    findings
}

/// Returns the shortest cycle through each wait that is in a cycle, as indices of `waits`. Of
/// several cycles through the same PDs, returns only the first. Cycles with faults come last.
pub(crate) fn cycles(waits: &[Wait]) -> Vec<Vec<usize>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for with_faults in [false, true] {
        let graph = Graph::new(waits, with_faults);
        for start in 0..waits.len() {
            let Some(mut cycle) = graph.shortest_cycle(start) else {
                continue;
            };
            let pds: BTreeSet<usize> = cycle.iter().map(|index| waits[*index].pd).collect();
            if seen.insert(pds) {
                let first = (0..cycle.len()).min_by_key(|at| (waits[cycle[*at]].pd, cycle[*at]));
                cycle.rotate_left(first.unwrap_or_default());
                found.push(cycle);
            }
        }
    }
    found
}

/// The graph of waits, indexed by PD and by held locks.
struct Graph<'a> {
    waits: &'a [Wait],
    is_in: Vec<bool>,
    of_pd: Vec<Vec<usize>>,
    holders: Vec<usize>,
}

impl<'a> Graph<'a> {
    fn new(waits: &'a [Wait], with_faults: bool) -> Self {
        let is_in: Vec<bool> = waits
            .iter()
            .map(|wait| with_faults || wait.kind != WaitKind::Fault)
            .collect();
        let pds = waits.iter().map(|wait| wait.pd + 1).max().unwrap_or(0);
        let mut of_pd = vec![Vec::new(); pds];
        let mut holders = Vec::new();
        for (index, wait) in waits.iter().enumerate().filter(|(index, _)| is_in[*index]) {
            of_pd[wait.pd].push(index);
            if !wait.holding.is_empty() {
                holders.push(index);
            }
        }
        Self {
            waits,
            is_in,
            of_pd,
            holders,
        }
    }

    /// Returns the shortest path from a wait back to itself.
    fn shortest_cycle(&self, start: usize) -> Option<Vec<usize>> {
        if !self.is_in[start] {
            return None;
        }
        let mut came_from: Vec<Option<usize>> = vec![None; self.waits.len()];
        let mut is_expanded = vec![false; self.of_pd.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            let wait = &self.waits[at];
            let next: Vec<usize> = match &wait.target {
                // Every edge to a PD leads to all waits of the PD, so expanding the PD once is
                // enough.
                Target::Pd(pd) if is_expanded.get(*pd) == Some(&false) => {
                    is_expanded[*pd] = true;
                    self.of_pd[*pd].clone()
                }
                Target::Pd(_) => Vec::new(),
                Target::Lock(lock) => {
                    let holders = self.holders.iter().copied();
                    holders
                        .filter(|other| self.waits[*other].pd != wait.pd)
                        .filter(|other| self.waits[*other].holding.contains(lock))
                        .collect()
                }
            };
            for other in next {
                if came_from[other].is_some() {
                    continue;
                }
                came_from[other] = Some(at);
                if other == start {
                    return Some(self.way_back(start, &came_from));
                }
                queue.push_back(other);
            }
        }
        None
    }

    /// Returns the cycle through `start`, traced backwards from its end.
    fn way_back(&self, start: usize, came_from: &[Option<usize>]) -> Vec<usize> {
        let mut cycle = vec![start];
        let mut at = came_from[start];
        while let Some(index) = at.filter(|index| *index != start) {
            cycle.push(index);
            at = came_from[index];
        }
        cycle[1..].reverse();
        cycle
    }
}

fn holds_what_it_wants(wait: &Wait) -> bool {
    matches!(&wait.target, Target::Lock(lock) if wait.holding.contains(lock))
}

/// Returns the name of the PD or lock that a wait is for.
fn wanted(system: &System, wait: &Wait) -> String {
    match &wait.target {
        Target::Pd(pd) => system.protection_domains[*pd].name.clone(),
        Target::Lock(lock) => lock.clone(),
    }
}

/// Returns the finding that reports a cycle.
fn told(system: &System, cycle: &[&Wait]) -> Finding {
    let name = |pd: usize| system.protection_domains[pd].name.clone();
    let labels = cycle.iter().map(|wait| label(system, wait)).collect();
    if let [one, other] = cycle
        && let Some((server, caller)) = [(one, other), (other, one)]
            .into_iter()
            .find(|(server, caller)| waits_for_its_caller(server, caller))
    {
        let kind = FindingKind::WaitsForCaller {
            pd: name(server.pd),
            caller: name(caller.pd),
        };
        return Finding::new(kind, labels);
    }
    let mut path: Vec<String> = cycle.iter().map(|wait| name(wait.pd)).collect();
    path.push(name(cycle[0].pd));
    let path = path.join(" → ");
    let kind = match cycle.iter().find(|wait| wait.kind == WaitKind::Fault) {
        Some(faulted) => FindingKind::FaultCycle {
            child: name(faulted.pd),
            parent: wanted(system, faulted),
            path,
        },
        None => FindingKind::Cycle { path },
    };
    Finding::new(kind, labels)
}

/// Whether `server` waits for `caller` inside the server's protected procedure, and `caller` waits
/// for the reply of `server`.
fn waits_for_its_caller(server: &Wait, caller: &Wait) -> bool {
    let is_inside = matches!(server.during, During::Declared(Context::Protected(_)));
    is_inside
        && matches!(caller.kind, WaitKind::Call(_))
        && caller.target == Target::Pd(server.pd)
        && server.target == Target::Pd(caller.pd)
}

/// Describes one wait of a cycle, as a label beside the line of the system file that allows the
/// wait.
fn label(system: &System, wait: &Wait) -> Label {
    let name = &system.protection_domains[wait.pd].name;
    let wanted = wanted(system, wait);
    let what = match wait.kind {
        WaitKind::Call(_) => format!("`{name}` calls `{wanted}`"),
        WaitKind::Wait(_) => format!("`{name}` waits for `{wanted}`"),
        WaitKind::Lock => format!("`{name}` takes the lock `{wanted}`"),
        WaitKind::Fault => format!("`{name}` faults, and waits for `{wanted}`"),
    };
    let when = match wait.during {
        During::Any => String::new(),
        During::Declared(context) => format!(" in `{context}`"),
    };
    let holding = match wait.holding.is_empty() {
        true => String::new(),
        false => format!(", holding `{}`", wait.holding.join("`, `")),
    };
    Label::new(wait.span, format!("{what}{when}{holding}"))
}

#[cfg(test)]
mod tests {
    use microkit_sdf::Span;
    use proptest::prelude::*;

    use super::*;

    fn wait(pd: usize, target: Target, holding: Vec<String>, is_fault: bool) -> Wait {
        let kind = match (&target, is_fault) {
            (Target::Lock(_), _) => WaitKind::Lock,
            (Target::Pd(_), true) => WaitKind::Fault,
            (Target::Pd(_), false) => WaitKind::Call(0),
        };
        Wait {
            pd,
            during: During::Any,
            kind,
            target,
            holding,
            span: Span { start: 0, end: 0 },
        }
    }

    /// Whether `other` can keep `one` from ending.
    fn is_kept_by(one: &Wait, other: &Wait) -> bool {
        match &one.target {
            Target::Pd(pd) => *pd == other.pd,
            Target::Lock(lock) => one.pd != other.pd && other.holding.contains(lock),
        }
    }

    /// Adds the PD set of every cycle that starts with `path`.
    fn all_cycles(waits: &[Wait], path: &mut Vec<usize>, found: &mut BTreeSet<BTreeSet<usize>>) {
        let last = &waits[path[path.len() - 1]];
        for (index, next) in waits.iter().enumerate() {
            if !is_kept_by(last, next) {
                continue;
            }
            if index == path[0] {
                found.insert(path.iter().map(|at| waits[*at].pd).collect());
            } else if path.iter().all(|at| waits[*at].pd != next.pd) {
                path.push(index);
                all_cycles(waits, path, found);
                path.pop();
            }
        }
    }

    fn any_wait() -> impl Strategy<Value = Wait> {
        let lock = prop_oneof![Just("x".to_owned()), Just("y".to_owned())];
        let target = prop_oneof![
            (0..5_usize).prop_map(Target::Pd),
            lock.clone().prop_map(Target::Lock)
        ];
        let holding = proptest::collection::vec(lock, 0..2);
        (0..5_usize, target, holding, any::<bool>())
            .prop_map(|(pd, target, holding, is_fault)| wait(pd, target, holding, is_fault))
    }

    proptest! {
        /// Asserts that each reported cycle exists. A search of all paths finds every PD in a
        /// cycle, and each such PD must be in a reported cycle.
        #[test]
        fn every_cycle_is_told(waits in proptest::collection::vec(any_wait(), 0..8)) {
            let told = cycles(&waits);
            for cycle in &told {
                let next = cycle.iter().cycle().skip(1);
                for (one, other) in cycle.iter().zip(next) {
                    prop_assert!(is_kept_by(&waits[*one], &waits[*other]), "{cycle:?}");
                }
            }
            let told = told.iter().flatten().map(|index| waits[*index].pd);
            let mut expect = BTreeSet::new();
            for start in 0..waits.len() {
                all_cycles(&waits, &mut vec![start], &mut expect);
            }
            let expect: BTreeSet<usize> = expect.into_iter().flatten().collect();
            let told: BTreeSet<usize> = told.collect();
            prop_assert!(expect.is_subset(&told), "{expect:?} of {told:?}");
        }
    }
}
