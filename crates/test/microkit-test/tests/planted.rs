//! Tests programs with intentional bugs. The explorer must find each bug, and the found schedule
//! must replay to the same failure.

use microkit_test::{Explorer, Found, Schedule, System};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, Infallible, IrqAckError,
    MessageInfo, NullHandler, SharedWord, debug_println, get_mr, set_mr, shared_words,
    with_msg_regs_mut,
};
use std::sync::atomic::Ordering;

const PEER: Channel = Channel::new(1);

/// Makes a system of two protection domains, `one` and `two`, that share a region and channel 1.
/// With `pp`, `one` may call `two`.
fn pair(one: u8, two: u8, pp: bool) -> System {
    let file = format!(
        r#"<system>
            <memory_region name="shared" size="0x1000" />
            <protection_domain name="one" priority="{one}">
                <program_image path="one.elf" />
                <map mr="shared" vaddr="0x4000000" perms="rw" setvar_vaddr="shared"
                     setvar_size="shared_size" />
                <irq irq="40" id="5" />
            </protection_domain>
            <protection_domain name="two" priority="{two}">
                <program_image path="two.elf" />
                <map mr="shared" vaddr="0x4000000" perms="rw" setvar_vaddr="shared"
                     setvar_size="shared_size" />
            </protection_domain>
            <channel><end pd="one" id="1" pp="{pp}" /><end pd="two" id="1" /></channel>
        </system>"#
    );
    System::parse("pair.system", &file).unwrap()
}

/// Checks that the found schedule, converted to text and back, replays to the same log.
#[track_caller]
fn check_replay(explorer: &Explorer<'_>, found: &Found, message: &str) {
    assert!(found.message().contains(message), "{found}");
    let text = found.schedule().to_string();
    println!("found: {}\n    in the schedule: {text}", found.message());
    let schedule: Schedule = text.parse().unwrap();
    for _ in 0..3 {
        let run = explorer.replay(&schedule);
        assert_eq!(run.log(), found.log());
        assert!(!run.trace().is_empty());
    }
}

/// A handler that consists of closures.
struct On<N, P> {
    notified: N,
    protected: P,
}

impl<N: FnMut(ChannelSet), P: FnMut(MessageInfo) -> MessageInfo> Handler for On<N, P> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        (self.notified)(channels);
        Ok(())
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok((self.protected)(info))
    }
}

fn on_call(protected: impl FnMut(MessageInfo) -> MessageInfo) -> impl Handler {
    On {
        notified: |_| {},
        protected,
    }
}

fn on_notification(notified: impl FnMut(ChannelSet)) -> impl Handler {
    On {
        notified,
        protected: |_| MessageInfo::default(),
    }
}

mod nested_borrow {
    //! Bug: a function borrows the message registers, and a nested function borrows them again.

    use super::*;

    fn one() -> NullHandler {
        with_msg_regs_mut(|regs| {
            regs[0] = 1;
            regs[1] = checksum(&regs[..1]);
        });
        PEER.pp_call(MessageInfo::new(0, 2));
        NullHandler::new()
    }

    fn checksum(words: &[u64]) -> u64 {
        words.iter().map(|word| salted(*word)).sum()
    }

    fn salted(word: u64) -> u64 {
        word ^ salt()
    }

    fn salt() -> u64 {
        get_mr(3)
    }

    #[test]
    fn a_nested_borrow_three_calls_deep_is_told_with_both_places() {
        let system = pair(1, 2, true)
            .program("one.elf", one)
            .program("two.elf", || on_call(|info| info));
        let explorer = Explorer::new(&system);
        let found = explorer.try_check(|_| ()).unwrap_err();
        check_replay(&explorer, &found, "one has faulted: a user exception");
        let log = found.log();
        let here = "crates/test/microkit-test/tests/planted.rs";
        assert!(
            log.contains("the IPC buffer is wanted at") && log.matches(here).count() == 3,
            "{log}"
        );
    }
}

mod reply_before_call {
    //! Bug: the program reads the reply before it makes the call, and gets the words of the last
    //! message instead.

    use super::*;

    fn one() -> impl Handler {
        on_notification(|_| {
            set_mr(0, 20);
            let doubled = get_mr(0);
            PEER.pp_call(MessageInfo::new(0, 1));
            assert_eq!(doubled, 40, "two doubles");
        })
    }

    fn two() -> impl Handler {
        PEER.notify();
        on_call(|info| {
            set_mr(0, 2 * get_mr(0));
            info
        })
    }

    #[test]
    fn a_reply_that_is_read_before_the_call_is_found() {
        let system = pair(1, 2, true)
            .program("one.elf", one)
            .program("two.elf", two);
        let explorer = Explorer::new(&system);
        let found = explorer.try_check(|_| ()).unwrap_err();
        check_replay(&explorer, &found, "one has faulted");
        assert!(found.log().contains("two doubles"), "{found}");
    }
}

mod counted_notifications {
    //! Bug: the program expects three notifications for three signals. The program is correct only
    //! if the receiver has the higher priority.

    use super::*;

    fn one() -> NullHandler {
        (0..3).for_each(|_| PEER.notify());
        NullHandler::new()
    }

    fn two() -> impl Handler {
        on_notification(|_| debug_println!("one more"))
    }

    #[test]
    fn notifications_that_merge_are_found() {
        let system = pair(1, 2, false)
            .program("one.elf", one)
            .program("two.elf", two);
        let three = |run: &microkit_test::Run| assert_eq!(run.log().lines().count(), 3);
        // If the receiver has the higher priority, it receives each signal at once.
        Explorer::new(&system).by_priority().check(three);
        let explorer = Explorer::new(&system);
        let found = explorer.try_check(three).unwrap_err();
        check_replay(&explorer, &found, "left == right");

        // If the receiver has the lower priority, the bug also appears with `by_priority`.
        let system = pair(2, 1, false)
            .program("one.elf", one)
            .program("two.elf", two);
        let explorer = Explorer::new(&system).by_priority();
        let found = explorer.try_check(three).unwrap_err();
        check_replay(&explorer, &found, "left == right");
    }
}

mod dropped_action {
    //! Bug: a handler loses a deferred acknowledgement if two events arrive together.

    use super::*;

    struct One {
        deferred: Option<DeferredAction>,
    }

    impl Handler for One {
        type Error = Infallible;

        fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
            if channels.contains(Channel::new(5)) {
                self.deferred = Some(DeferredAction::new_irq_ack(Channel::new(5)));
            }
            if channels.contains(PEER) {
                // This works if the events arrive one by one. If both arrive at once, this action
                // overwrites the first action.
                self.deferred = Some(DeferredAction::new_notify(PEER));
            }
            Ok(())
        }

        fn take_deferred_action(&mut self) -> Option<DeferredAction> {
            self.deferred.take()
        }
    }

    /// The same handler with a `DeferredActionSlot`, which loses no action.
    struct Right(DeferredActionSlot);

    impl Handler for Right {
        type Error = IrqAckError;

        fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
            if channels.contains(Channel::new(5)) {
                self.0.defer_irq_ack(Channel::new(5))?;
            }
            if channels.contains(PEER) {
                self.0.defer_notify(PEER)?;
            }
            Ok(())
        }

        fn take_deferred_action(&mut self) -> Option<DeferredAction> {
            self.0.take()
        }
    }

    fn two() -> impl Handler {
        PEER.notify();
        on_notification(|_| debug_println!("told"))
    }

    fn is_acknowledged(run: &microkit_test::Run) {
        let acknowledged = run.kernel().irqs().all(|(_, irq)| !irq.masked);
        assert!(acknowledged, "the interrupt never comes again");
    }

    #[test]
    fn a_deferred_action_that_is_dropped_is_found() {
        let one = || One { deferred: None };
        let system = pair(1, 2, false)
            .program("one.elf", one)
            .program("two.elf", two);
        let explorer = Explorer::new(&system).interrupt("one", 5);
        let found = explorer.try_check(is_acknowledged).unwrap_err();
        check_replay(&explorer, &found, "the interrupt never comes again");
        assert!(found.schedule().to_string().contains("irq:one.5"));
    }

    #[test]
    fn a_slot_drops_nothing_in_any_schedule() {
        let one = || Right(DeferredActionSlot::new());
        let system = pair(1, 2, false)
            .program("one.elf", one)
            .program("two.elf", two);
        let explored = Explorer::new(&system)
            .interrupt("one", 5)
            .check(is_acknowledged);
        assert!(explored.is_complete());
        assert!(explored.schedules() > Some(5), "{explored}");
    }
}

mod order_of_start {
    //! Bug: a handler assumes that its peer has already started. The assumption is true only with
    //! `by_priority`.

    use super::*;

    fn one() -> NullHandler {
        let memory = shared_words!(shared, shared_size);
        assert_ne!(memory[0].load(Ordering::Relaxed), 0, "two has filled it in");
        NullHandler::new()
    }

    fn two() -> NullHandler {
        let memory = shared_words!(shared, shared_size);
        memory[0].store(7, Ordering::Relaxed);
        NullHandler::new()
    }

    #[test]
    fn a_handler_that_depends_on_the_order_of_start_is_found() {
        let system = pair(1, 2, false)
            .program("one.elf", one)
            .program("two.elf", two);
        Explorer::new(&system).by_priority().check(|_| ());
        let explorer = Explorer::new(&system);
        let found = explorer.try_check(|_| ()).unwrap_err();
        check_replay(&explorer, &found, "one has faulted");
        assert_eq!(found.schedule().to_string(), "one");
    }
}

mod torn_update {
    //! Bug: both PDs add one to a word of shared memory by a separate load and store.

    use super::*;

    fn add() -> NullHandler {
        let memory = shared_words!(shared, shared_size, SharedWord);
        let before = memory[0].load(Ordering::Relaxed);
        memory[0].store(before + 1, Ordering::Relaxed);
        NullHandler::new()
    }

    fn add_at_once() -> NullHandler {
        let memory = shared_words!(shared, shared_size, SharedWord);
        memory[0].fetch_add(1, Ordering::Relaxed);
        NullHandler::new()
    }

    fn is_two(run: &microkit_test::Run) {
        let word = run.region("one", "shared")[0].load(Ordering::Relaxed);
        assert_eq!(word, 2, "one addition was lost");
    }

    #[test]
    fn an_update_of_shared_memory_that_is_torn_is_found() {
        let system = pair(1, 2, false)
            .program("one.elf", add)
            .program("two.elf", add);
        let explorer = Explorer::new(&system);
        let found = explorer.try_check(is_two).unwrap_err();
        check_replay(&explorer, &found, "one addition was lost");

        let system = pair(1, 2, false)
            .program("one.elf", add_at_once)
            .program("two.elf", add_at_once);
        let explored = Explorer::new(&system).check(is_two);
        assert!(explored.is_complete());
    }
}

mod dead_server {
    //! Bug: a client waits for a reply, but the server may die.

    use super::*;

    #[test]
    fn a_caller_whose_server_dies_waits_for_ever_and_is_told_so() {
        let one = || {
            PEER.pp_call(MessageInfo::default());
            NullHandler::new()
        };
        let two = || on_call(|info| info);
        let system = pair(1, 2, true)
            .program("one.elf", one)
            .program("two.elf", two);
        let explorer = Explorer::new(&system).crash("two");
        let found = explorer.try_check(|_| ()).unwrap_err();
        check_replay(&explorer, &found, "one waits for a reply");
        assert!(found.schedule().to_string().contains("crash:two"));
        Explorer::new(&system).check(|_| ());
    }
}
