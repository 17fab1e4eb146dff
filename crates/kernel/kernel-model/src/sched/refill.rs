//! Refills: amounts of budget, each usable from a given time (seL4 manual, *Scheduling Contexts*;
//! seL4's `kernel/sporadic.c`).
//!
//! A scheduling context can use its budget once in every period. If a part of a refill is used, the
//! same amount is scheduled again, one period after the refill became usable. Microkit gives every
//! scheduling context two refills, the minimum in seL4. If two refills are not enough, used budget
//! comes back later than it could, and never earlier.
//!
//! A scheduling context whose period equals its budget is *round robin*. The budget of such a
//! scheduling context is always usable. The second refill only counts the used part of the budget.

use crate::clock::{Clock, Ticks};

/// An amount of budget that is usable from a given time.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub struct Refill {
    /// The time from which the amount is usable.
    pub time: Ticks,
    /// The amount, in ticks.
    pub amount: Ticks,
}

impl Refill {
    fn end(self) -> Ticks {
        self.time.saturating_add(self.amount)
    }
}

/// The one or two refills of a scheduling context. The first refill is used first.
///
/// # Examples
///
/// ```
/// use kernel_model::{Clock, Refills};
///
/// let clock = Clock::new(1_000_000).unwrap();
/// let mut refills = Refills::new(100, 1000, 50);
/// refills.spend(30, clock);
/// assert_eq!((refills.head().time, refills.head().amount), (80, 70));
/// assert_eq!(refills.tail().map(|tail| (tail.time, tail.amount)), Some((1050, 30)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refills {
    /// The period, or zero for round robin.
    period: Ticks,
    head: Refill,
    tail: Option<Refill>,
}

impl Refills {
    /// Creates refills whose whole budget is usable at once (`refill_new`).
    ///
    /// The budget must be at least [`Clock::min_budget`], and the period at least the budget.
    pub fn new(budget: Ticks, period: Ticks, now: Ticks) -> Self {
        let round_robin = budget == period;
        Self {
            period: if round_robin { 0 } else { period },
            head: Refill {
                time: now,
                amount: budget,
            },
            tail: round_robin.then_some(Refill {
                time: now,
                amount: 0,
            }),
        }
    }

    /// Returns the first refill.
    pub fn head(&self) -> Refill {
        self.head
    }

    /// Returns the second refill.
    pub fn tail(&self) -> Option<Refill> {
        self.tail
    }

    /// Returns whether the budget is as long as the period.
    pub fn is_round_robin(&self) -> bool {
        self.period == 0
    }

    /// Returns whether the head is usable.
    pub fn is_ready(&self, now: Ticks) -> bool {
        self.head.time <= now
    }

    /// Returns whether the head without `usage` still has the minimum budget with which a thread
    /// may enter the kernel.
    pub fn is_sufficient(&self, usage: Ticks, clock: Clock) -> bool {
        self.head.amount.saturating_sub(usage) >= clock.min_budget()
    }

    /// Returns the sum of all refills, which is always the budget.
    pub fn total(&self) -> Ticks {
        let tail = self.tail.map_or(0, |tail| tail.amount);
        self.head.amount.saturating_add(tail)
    }

    /// Returns whether the tail becomes usable only after the end of the head.
    pub fn is_ordered(&self) -> bool {
        self.is_round_robin() || self.tail.is_none_or(|tail| self.head.end() <= tail.time)
    }

    /// Changes the budget and the period (`refill_update`). No time window of one period then has
    /// more than the budget, even if a part of the budget is already used.
    ///
    /// No PD of a running Microkit system can request this change, because no PD has a scheduling
    /// control capability.
    pub fn update(&mut self, budget: Ticks, period: Ticks, now: Ticks) {
        if budget == period {
            *self = Self::new(budget, period, now);
            return;
        }
        self.period = period;
        self.tail = None;
        if self.is_ready(now) {
            self.head.time = now;
        }
        let used = budget.saturating_sub(self.head.amount);
        self.head.amount = budget - used;
        if used > 0 {
            self.tail = Some(Refill {
                time: self.head.time.saturating_add(period),
                amount: used,
            });
        }
    }

    /// If the head is usable, sets its time to `now`. Then merges the tail into the head, if the
    /// tail is usable by the end of the head (`refill_unblock_check`). Returns `false` and changes
    /// nothing for round robin, or if the head is not usable.
    pub fn unblock(&mut self, now: Ticks) -> bool {
        if self.is_round_robin() || !self.is_ready(now) {
            return false;
        }
        self.head.time = now;
        if let Some(tail) = self.tail
            && tail.time <= self.head.end()
        {
            self.head.amount = self.head.amount.saturating_add(tail.amount);
            self.tail = None;
        }
        true
    }

    /// Takes `usage` from the head (`commitTime`). The head must be
    /// [sufficient](Self::is_sufficient) for `usage`.
    pub fn spend(&mut self, usage: Ticks, clock: Clock) {
        if self.is_round_robin() {
            let usage = usage.min(self.head.amount);
            self.head.amount -= usage;
            if let Some(tail) = &mut self.tail {
                tail.amount += usage;
            }
        } else {
            self.charge(usage, clock);
        }
    }

    /// Ends a time slice in which `usage` was used (`chargeBudget`). A round robin scheduling
    /// context gets its budget back. Any other scheduling context is charged.
    pub fn exhaust(&mut self, usage: Ticks, clock: Clock) {
        if self.is_round_robin() {
            self.head.amount = self.total();
            if let Some(tail) = &mut self.tail {
                tail.amount = 0;
            }
        } else {
            self.charge(usage, clock);
        }
    }

    /// Takes `usage`, which can exceed the head, and schedules the same amount again
    /// (`refill_budget_check`).
    fn charge(&mut self, usage: Ticks, clock: Clock) {
        let end_of_time = clock.max_release_time();
        let mut usage = usage;
        while self.head.amount <= usage && self.head.time < end_of_time {
            usage = self.skip_whole_budgets(usage, end_of_time);
            if self.head.amount <= usage {
                usage -= self.head.amount;
                self.charge_head();
            }
        }
        if usage > 0 && self.head.time < end_of_time {
            let used = Refill {
                time: self.head.time.saturating_add(self.period),
                amount: usage,
            };
            self.head.amount -= usage;
            self.head.time = self.head.time.saturating_add(usage);
            self.schedule(used);
        }
        if self.head.amount < clock.min_budget()
            && let Some(tail) = self.tail.take()
        {
            // The merged refill ends when the tail would have ended.
            self.head = Refill {
                time: tail.time.saturating_sub(self.head.amount),
                amount: tail.amount.saturating_add(self.head.amount),
            };
        }
    }

    /// Uses up the head, and schedules its whole amount again one period later.
    fn charge_head(&mut self) {
        let mut used = self.head;
        used.time = used.time.saturating_add(self.period);
        match self.tail.take() {
            Some(tail) => {
                self.head = tail;
                self.schedule(used);
            }
            None => self.head = used,
        }
    }

    /// Charges all whole budgets in `usage` at once, and returns the rest.
    ///
    /// Charging every refill once delays each refill by a period and changes nothing else, unless
    /// two refills become adjacent and merge. In that case, this function charges nothing and the
    /// caller charges one refill. Without this function, the loop that charges a long usage would
    /// have no upper limit.
    fn skip_whole_budgets(&mut self, usage: Ticks, end_of_time: Ticks) -> Ticks {
        let meets = |tail: Refill| {
            let head_again = self.head.time.saturating_add(self.period);
            tail.end() >= head_again || self.head.end() >= tail.time
        };
        if self.tail.is_some_and(meets) {
            return usage;
        }
        let last = self.tail.unwrap_or(self.head);
        let periods_left = end_of_time.saturating_sub(last.time) / self.period;
        let Some(budgets) = usage.checked_div(self.total()) else {
            return usage;
        };
        let budgets = budgets.min(periods_left.saturating_sub(1));
        let delay = budgets * self.period;
        self.head.time += delay;
        if let Some(tail) = &mut self.tail {
            tail.time += delay;
        }
        usage - budgets * self.total()
    }

    /// Adds a refill behind the others (`schedule_used`). If the new refill is adjacent to the last
    /// refill, or the list is full, the two refills are merged.
    fn schedule(&mut self, new: Refill) {
        let has_room = self.tail.is_none();
        let last = self.tail.as_mut().unwrap_or(&mut self.head);
        if last.end() >= new.time {
            last.amount = last.amount.saturating_add(new.amount);
        } else if has_room {
            self.tail = Some(new);
        } else {
            last.time = new.time.saturating_sub(last.amount);
            last.amount = last.amount.saturating_add(new.amount);
        }
    }

    /// Subtracts `base` from all times. The times of a round robin scheduling context have no
    /// meaning and become zero.
    pub(super) fn rebase(&mut self, base: Ticks) {
        let base = if self.is_round_robin() {
            Ticks::MAX
        } else {
            base
        };
        self.head.time = self.head.time.saturating_sub(base);
        if let Some(tail) = &mut self.tail {
            tail.time = tail.time.saturating_sub(base);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a clock of one megahertz, so that a microsecond is a tick and the minimum budget is
    /// 20.
    fn clock() -> Clock {
        Clock::new(1_000_000).unwrap()
    }

    fn refills(period: Ticks, head: (Ticks, Ticks), tail: Option<(Ticks, Ticks)>) -> Refills {
        let refill = |(time, amount)| Refill { time, amount };
        Refills {
            period,
            head: refill(head),
            tail: tail.map(refill),
        }
    }

    #[test]
    fn a_partly_used_refill_returns_a_period_after_it_became_usable() {
        let mut sc = Refills::new(100, 1000, 50);
        sc.spend(30, clock());
        assert_eq!(sc, refills(1000, (80, 70), Some((1050, 30))));
    }

    #[test]
    fn amounts_used_in_pieces_return_in_one_refill() {
        let mut sc = Refills::new(100, 1000, 50);
        sc.spend(30, clock());
        sc.spend(10, clock());
        assert_eq!(sc, refills(1000, (90, 60), Some((1050, 40))));
    }

    #[test]
    fn a_used_up_refill_returns_whole() {
        let mut sc = Refills::new(100, 1000, 50);
        sc.exhaust(100, clock());
        assert_eq!(sc, refills(1000, (1050, 100), None));
        let mut sc = refills(1000, (80, 70), Some((1050, 30)));
        sc.exhaust(70, clock());
        // The new refill starts at the end of the other refill, so they merge.
        assert_eq!(sc, refills(1000, (1050, 100), None));
    }

    #[test]
    fn the_rest_of_a_refill_is_never_less_than_the_least_budget() {
        let mut sc = Refills::new(100, 1000, 0);
        sc.exhaust(90, clock());
        // The remaining 10 ticks merge with the refill of 90 ticks, whose end does not change.
        assert_eq!(sc, refills(1000, (990, 100), None));
    }

    #[test]
    fn a_full_list_delays_its_last_refill() {
        let mut sc = refills(1000, (0, 50), Some((500, 50)));
        sc.spend(20, clock());
        // The list has no room for a refill of 20 at 1000. So the refill of 50 is delayed, and ends
        // at 1000.
        assert_eq!(sc, refills(1000, (20, 30), Some((950, 70))));
    }

    #[test]
    fn an_overrun_is_paid_with_later_refills() {
        let mut sc = Refills::new(100, 1000, 0);
        sc.exhaust(250, clock());
        assert_eq!(sc, refills(1000, (2050, 50), Some((3000, 50))));
    }

    #[test]
    fn unblocking_starts_the_head_now_and_merges_a_usable_tail() {
        let mut sc = refills(1000, (0, 60), Some((1000, 40)));
        assert!(sc.unblock(500));
        assert_eq!(sc, refills(1000, (500, 60), Some((1000, 40))));
        assert!(sc.unblock(940));
        assert_eq!(sc, refills(1000, (940, 100), None));
        assert!(!sc.unblock(939), "the head is not usable yet");
        assert_eq!(sc.head().time, 940);
    }

    #[test]
    fn round_robin_only_counts_what_is_used() {
        let mut sc = Refills::new(100, 100, 7);
        assert!(sc.is_round_robin());
        sc.spend(30, clock());
        assert_eq!(sc, refills(0, (7, 70), Some((7, 30))));
        assert!(!sc.unblock(1000));
        sc.exhaust(90, clock());
        assert_eq!(sc, refills(0, (7, 100), Some((7, 0))));
    }

    #[test]
    fn sufficient_means_the_least_budget_is_left() {
        let sc = Refills::new(100, 1000, 0);
        assert!(sc.is_sufficient(80, clock()));
        assert!(!sc.is_sufficient(81, clock()));
        assert!(!sc.is_sufficient(u64::MAX, clock()));
    }

    #[test]
    fn an_update_keeps_what_is_used_used() {
        let mut sc = refills(1000, (80, 70), Some((1050, 30)));
        sc.update(200, 2000, 100);
        assert_eq!(sc, refills(2000, (100, 70), Some((2100, 130))));
        sc.update(50, 500, 120);
        assert_eq!(sc, refills(500, (120, 50), None));
        sc.update(60, 60, 130);
        assert_eq!(sc, refills(0, (130, 60), Some((130, 0))));
    }

    /// Charges one refill at a time, without skipping whole budgets.
    fn charge_slowly(sc: &mut Refills, mut usage: Ticks) {
        let end_of_time = clock().max_release_time();
        while sc.head.amount <= usage && sc.head.time < end_of_time {
            usage -= sc.head.amount;
            sc.charge_head();
        }
        sc.charge(usage, clock());
    }

    #[test]
    fn charging_whole_budgets_at_once_is_charging_them_one_by_one() {
        let shapes = [
            refills(1000, (0, 100), None),
            refills(1000, (80, 70), Some((1050, 30))),
            refills(1000, (80, 20), Some((300, 80))),
            refills(1000, (80, 70), Some((150, 30))),
            refills(101, (80, 70), Some((150, 31))),
        ];
        for shape in shapes {
            for usage in 0..1000 {
                let (mut fast, mut slow) = (shape.clone(), shape.clone());
                fast.exhaust(usage, clock());
                charge_slowly(&mut slow, usage);
                assert_eq!(fast, slow, "{shape:?} {usage}");
                assert_eq!(fast.total(), shape.total(), "{shape:?} {usage}");
                assert!(fast.is_ordered(), "{shape:?} {usage}");
            }
        }
    }

    #[test]
    fn no_usage_is_too_much() {
        for shape in [
            refills(1000, (0, 100), None),
            refills(1000, (80, 70), Some((1050, 30))),
            refills(u64::MAX / 2, (80, 70), Some((1050, 30))),
        ] {
            let mut sc = shape.clone();
            sc.exhaust(u64::MAX, clock());
            assert_eq!(sc.total(), shape.total());
        }
    }
}
