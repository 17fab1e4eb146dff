//! Queues of threads, linked through fields of the threads.
//!
//! A thread is in at most one queue at a time, so one pair of links serves every queue: the ready
//! queue, the release queue, and the queues of endpoints and notifications. Every queue is sorted.
//! The owner of the queue defines the order.

use super::thread::{Thread, Threads};
use crate::ids::ThreadId;

/// A queue of threads: its first and its last thread.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub struct Queue {
    head: Option<ThreadId>,
    tail: Option<ThreadId>,
}

/// The neighbours of a thread in its queue.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Link {
    previous: Option<ThreadId>,
    next: Option<ThreadId>,
}

impl Queue {
    /// Returns the first thread.
    pub fn first(&self) -> Option<ThreadId> {
        self.head
    }

    /// Returns whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Returns the threads, first to last.
    pub(crate) fn iter<'a>(
        &self,
        threads: &'a Threads,
    ) -> impl Iterator<Item = ThreadId> + use<'a> {
        core::iter::successors(self.head, |thread| threads[*thread].link.next)
    }

    /// Inserts a thread in front of the first thread for which `yields` is true, or at the end.
    pub(super) fn insert(
        &mut self,
        threads: &mut Threads,
        thread: ThreadId,
        yields: impl Fn(&Thread) -> bool,
    ) {
        let next = self.iter(threads).find(|other| yields(&threads[*other]));
        let previous = match next {
            Some(next) => threads[next].link.previous,
            None => self.tail,
        };
        threads[thread].link = Link { previous, next };
        *self.link_after(threads, previous) = Some(thread);
        *self.link_before(threads, next) = Some(thread);
    }

    /// Removes a thread, which must be in this queue.
    pub(super) fn remove(&mut self, threads: &mut Threads, thread: ThreadId) {
        let Link { previous, next } = core::mem::take(&mut threads[thread].link);
        *self.link_after(threads, previous) = next;
        *self.link_before(threads, next) = previous;
    }

    /// Returns the forward link of `previous`, or the head.
    fn link_after<'a>(
        &'a mut self,
        threads: &'a mut Threads,
        previous: Option<ThreadId>,
    ) -> &'a mut Option<ThreadId> {
        match previous {
            Some(previous) => &mut threads[previous].link.next,
            None => &mut self.head,
        }
    }

    /// Returns the backward link of `next`, or the tail.
    fn link_before<'a>(
        &'a mut self,
        threads: &'a mut Threads,
        next: Option<ThreadId>,
    ) -> &'a mut Option<ThreadId> {
        match next {
            Some(next) => &mut threads[next].link.previous,
            None => &mut self.tail,
        }
    }

    /// Returns whether forward and backward links agree, and no thread is in the queue twice.
    pub(crate) fn is_consistent(&self, threads: &Threads) -> bool {
        let mut previous = None;
        let mut next = self.head;
        for _ in 0..=threads.len() {
            let Some(thread) = next else {
                return self.tail == previous;
            };
            if threads[thread].link.previous != previous {
                return false;
            }
            previous = next;
            next = threads[thread].link.next;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Arena;
    use alloc::vec::Vec;

    fn threads(priorities: &[u8]) -> Threads {
        Arena::new(
            priorities
                .iter()
                .map(|priority| Thread::new(*priority, true)),
        )
    }

    #[track_caller]
    fn check(queue: &Queue, threads: &Threads, expect: &[u8]) {
        let order: Vec<u8> = queue.iter(threads).map(|thread| thread.0).collect();
        assert_eq!(order, expect);
        assert!(queue.is_consistent(threads));
        assert_eq!(
            queue.first().map(|thread| thread.0),
            expect.first().copied()
        );
        assert_eq!(queue.is_empty(), expect.is_empty());
    }

    #[test]
    fn a_thread_goes_in_front_of_the_first_that_yields() {
        let mut threads = threads(&[10, 30, 20, 20]);
        let mut queue = Queue::default();
        for thread in 0..4 {
            let priority = threads[ThreadId(thread)].priority;
            queue.insert(&mut threads, ThreadId(thread), |other| {
                other.priority < priority
            });
        }
        check(&queue, &threads, &[1, 2, 3, 0]);
    }

    #[test]
    fn a_thread_can_leave_from_anywhere() {
        for leaver in 0..3 {
            let mut threads = threads(&[0; 3]);
            let mut queue = Queue::default();
            for thread in 0..3 {
                queue.insert(&mut threads, ThreadId(thread), |_| false);
            }
            queue.remove(&mut threads, ThreadId(leaver));
            let rest: Vec<u8> = (0..3).filter(|thread| *thread != leaver).collect();
            check(&queue, &threads, &rest);
            assert!(threads[ThreadId(leaver)].is_unlinked());
        }
    }

    #[test]
    fn the_last_thread_leaves_an_empty_queue() {
        let mut threads = threads(&[0]);
        let mut queue = Queue::default();
        queue.insert(&mut threads, ThreadId(0), |_| true);
        check(&queue, &threads, &[0]);
        queue.remove(&mut threads, ThreadId(0));
        check(&queue, &threads, &[]);
        assert_eq!(queue, Queue::default());
    }
}
