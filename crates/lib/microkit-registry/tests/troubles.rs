//! Tests for the known defects of Tock's inter-process communication, with one module for each
//! defect.
//!
//! In each module, one test checks that the registry does not have the defect, in every schedule
//! and with a death at every step. The other tests plant the defect in a mutant and check that the
//! explorer finds the defect.

mod common;

use common::{ALICE, BELL, Idle, REGISTRY, TABLE, With, assert_complete, last, lasting, system};
use microkit_protocol::CallError;
use microkit_registry::{
    Directory, DirectoryClient, DirectoryServer, Epoch, LookupReply, Name, Names, NotAllowed,
    NotFound, RegistryState,
};
use microkit_test::{Explorer, Found, Run, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, debug_println};

/// The requests of a registry. A mutant overrides one request with a defect.
trait Defect: Sized + 'static {
    fn register(
        server: &mut Mutant<Self>,
        caller: Channel,
        name: Name,
    ) -> Result<Epoch, NotAllowed> {
        let (epoch, to_notify) = server.state.register(caller, name)?;
        notify_all(to_notify);
        Ok(epoch)
    }

    fn withdraw(server: &mut Mutant<Self>, caller: Channel, name: Name) -> Result<(), NotAllowed> {
        server.state.withdraw(caller, name).map(notify_all)
    }

    fn lookup(
        server: &mut Mutant<Self>,
        caller: Channel,
        name: Name,
    ) -> Result<LookupReply, NotFound> {
        server.state.lookup(caller, name).ok_or(NotFound)
    }

    fn forget(server: &mut Mutant<Self>, caller: Channel, name: Name) {
        server.state.forget(caller, name);
    }

    fn to_notify_at_start(state: &RegistryState) -> ChannelSet {
        state.to_notify_at_start()
    }
}

fn notify_all(channels: ChannelSet) {
    for channel in channels {
        channel.notify();
    }
}

struct Mutant<M> {
    state: RegistryState,
    /// The memory of a mutant that stores each request.
    asked: Vec<(Channel, Name)>,
    defect: std::marker::PhantomData<M>,
}

fn mutant<M: Defect>() -> Mutant<M> {
    sel4_microkit::ipc::reply_without_words(0xf0);
    let state = RegistryState::new(&TABLE, lasting());
    notify_all(M::to_notify_at_start(&state));
    Mutant {
        state,
        asked: Vec::new(),
        defect: std::marker::PhantomData,
    }
}

struct Call<'a, M>(&'a mut Mutant<M>, Channel);

impl<M: Defect> Directory for Call<'_, M> {
    fn begin(&mut self) {
        notify_all(self.0.state.begin(self.1));
    }

    fn register(&mut self, name: Name) -> Result<Epoch, NotAllowed> {
        M::register(self.0, self.1, name)
    }

    fn withdraw(&mut self, name: Name) -> Result<(), NotAllowed> {
        M::withdraw(self.0, self.1, name)
    }

    fn lookup(&mut self, name: Name) -> Result<LookupReply, NotFound> {
        M::lookup(self.0, self.1, name)
    }

    fn forget(&mut self, name: Name) {
        M::forget(self.0, self.1, name);
    }
}

impl<M: Defect> Handler for Mutant<M> {
    type Error = Infallible;

    fn protected(&mut self, who: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(DirectoryServer::dispatch(&mut Call(self, who), &info))
    }
}

/// Checks that the explorer has found the defect with the message `message`.
#[track_caller]
fn is_found(result: Result<microkit_test::Explored, Box<Found>>, message: &str) {
    let found = result.expect_err("the explorer did not find the defect");
    assert!(found.message().contains(message), "{found}");
    println!("found: {}\nin: {}", found.message(), found.schedule());
}

mod callback_though_exposure_failed {
    //! Tock: "`allow()` can succeed, and a notify callback can be triggered, even if the
    //! `expose_to()` call fails". In this crate, a failed registration changes nothing and notifies
    //! no client.

    use super::*;

    /// Tries to register and withdraw a service without the right to do so.
    fn mallory() -> Idle {
        let names = Names::connect(REGISTRY).unwrap();
        assert_eq!(names.register(BELL), Err(CallError::Method(NotAllowed)));
        assert_eq!(names.withdraw(BELL), Err(CallError::Method(NotAllowed)));
        Idle
    }

    fn with() -> System {
        system(With {
            mallory: true,
            ..With::default()
        })
        .program("mallory.elf", mallory)
    }

    /// Checks that `alice` looked up once and was not notified.
    fn no_client_was_notified(run: &Run) {
        assert_eq!(
            run.log(),
            "alice: none\n",
            "alice was notified of no change"
        );
    }

    #[test]
    fn a_registration_that_fails_notifies_no_client() {
        let system = with();
        assert_complete(
            Explorer::new(&system)
                .crash("mallory")
                .check(no_client_was_notified),
        );
    }

    struct NotifiesFirst;

    impl Defect for NotifiesFirst {
        fn register(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<Epoch, NotAllowed> {
            notify_all([ALICE].into_iter().collect());
            server.state.register(caller, name).map(|(epoch, _)| epoch)
        }
    }

    #[test]
    fn a_registry_that_notifies_before_it_registers_is_found() {
        let system = with().program("registry.elf", mutant::<NotifiesFirst>);
        let result = Explorer::new(&system).try_check(no_client_was_notified);
        is_found(result, "notified of no change");
    }
}

mod errors_reveal_services {
    //! Tock: "By iterating through service IDs the error return values leak which apps are
    //! present". In this crate, the registry gives the same answer for all names that the client
    //! may not find.

    use super::*;

    /// Sends every request for three names and prints the answers.
    fn mallory() -> Idle {
        let directory = DirectoryClient::connect(REGISTRY).unwrap();
        for name in [BELL, Name::new("never"), Name::new("x")] {
            let found = directory.lookup(name);
            let (offered, withdrawn) = (directory.register(name), directory.withdraw(name));
            let forgotten = directory.forget(name);
            debug_println!("mallory: {found:?} {offered:?} {withdrawn:?} {forgotten:?}");
        }
        Idle
    }

    fn with(mallory: fn() -> Idle) -> System {
        system(With {
            bell: true,
            mallory: true,
            ..With::default()
        })
        .program("mallory.elf", mallory)
        // An active `alice` would only add schedules.
        .program("alice.elf", || Idle)
    }

    fn answers_are_equal(run: &Run) {
        let log = run.log();
        let mut lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("mallory"))
            .collect();
        assert!(lines.len() == 3 || run.faults().len() == 1, "{log}");
        lines.dedup();
        assert!(lines.len() <= 1, "mallory can tell the names apart: {log}");
    }

    #[test]
    fn all_names_without_a_grant_get_the_same_answer() {
        let system = with(mallory);
        assert_complete(
            Explorer::new(&system)
                .crash("bell")
                .check(answers_are_equal),
        );
    }

    /// A mutant whose answer to `withdraw` is different for a service that exists.
    struct Honest;

    impl Defect for Honest {
        fn withdraw(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<(), NotAllowed> {
            match server.state.withdraw(caller, name) {
                Err(NotAllowed) if name != BELL => Ok(()),
                result => result.map(notify_all),
            }
        }
    }

    #[test]
    fn a_registry_whose_errors_tell_names_apart_is_found() {
        let system = with(mallory).program("registry.elf", mutant::<Honest>);
        let result = Explorer::new(&system).try_check(answers_are_equal);
        is_found(result, "can tell the names apart");
    }

    /// A mutant that allows every caller to find every service.
    struct Open;

    impl Defect for Open {
        fn lookup(
            server: &mut Mutant<Self>,
            _: Channel,
            name: Name,
        ) -> Result<LookupReply, NotFound> {
            server.state.lookup(ALICE, name).ok_or(NotFound)
        }
    }

    #[test]
    fn a_registry_that_ignores_the_caller_is_found() {
        let system = with(mallory).program("registry.elf", mutant::<Open>);
        let result = Explorer::new(&system).try_check(answers_are_equal);
        is_found(result, "can tell the names apart");
    }
}

mod callee_pays_for_the_caller {
    //! Tock: "Calling `client_notify()` on a different process causes the callee's process to
    //! allocate". In this crate, the requests of one caller never use the memory of another caller.

    use super::*;

    /// Looks up more names than a mutant can store.
    fn mallory() -> Idle {
        let directory = DirectoryClient::connect(REGISTRY).unwrap();
        for name in ["a", "b", "bell"] {
            let found = directory.lookup(Name::new(name));
            assert_eq!(found, Err(CallError::Method(NotFound)));
        }
        Idle
    }

    /// Registers the service with the fewest possible calls, to keep the number of schedules small.
    fn bell() -> Idle {
        let directory = DirectoryClient::connect(REGISTRY).unwrap();
        directory.register(BELL).unwrap();
        Idle
    }

    /// Looks the service up with the fewest possible calls.
    struct Alice(DirectoryClient);

    fn alice() -> Alice {
        let alice = Alice(DirectoryClient::connect(REGISTRY).unwrap());
        alice.look();
        alice
    }

    impl Alice {
        fn look(&self) {
            match self.0.lookup(BELL) {
                Ok(place) => debug_println!("alice: epoch {}", place.epoch.number()),
                Err(_) => debug_println!("alice: none"),
            }
        }
    }

    impl Handler for Alice {
        type Error = Infallible;

        fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
            self.look();
            Ok(())
        }
    }

    fn with() -> System {
        system(With {
            bell: true,
            mallory: true,
            ..With::default()
        })
        .program("mallory.elf", mallory)
        .program("bell.elf", bell)
        .program("alice.elf", alice)
    }

    fn alice_finds_it(run: &Run) {
        let log = run.log();
        assert!(
            last(&log, "alice").starts_with("epoch"),
            "alice was not notified: {log}"
        );
    }

    #[test]
    fn a_flood_of_calls_takes_nothing_from_others() {
        let system = with();
        assert_complete(Explorer::new(&system).crash("mallory").check(|run| {
            alice_finds_it(run);
            // The region `lasting` has one word for the registry's incarnations and one word for
            // the service.
            let words = run.region("registry", "lasting");
            let used = words
                .iter()
                .rposition(|word| word.load(std::sync::atomic::Ordering::Relaxed) != 0);
            assert_eq!(used, Some(1));
        }));
    }

    /// A mutant that stores the name of each lookup until its memory is full.
    struct Remembers;

    impl Defect for Remembers {
        fn lookup(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<LookupReply, NotFound> {
            if server.asked.len() == 2 {
                return Err(NotFound);
            }
            server.asked.push((caller, name));
            server.state.lookup(caller, name).ok_or(NotFound)
        }
    }

    #[test]
    fn a_registry_that_stores_each_request_is_found() {
        let system = with().program("registry.elf", mutant::<Remembers>);
        let result = Explorer::new(&system).try_check(alice_finds_it);
        is_found(result, "alice was not notified");
    }
}

mod notification_vanishes {
    //! Tock: "Scheduling a notify callback may fail (queue full, calling process has died), and
    //! neither is made aware". In this crate, every subscriber is notified of a change, even if the
    //! registry or the service dies. `tests/signals.rs` has the tests for signals to a service.

    use super::*;

    fn alice_is_up_to_date(run: &Run) {
        let log = run.log();
        let (alice, bell) = (last(&log, "alice"), last(&log, "bell"));
        assert_eq!(alice, bell, "alice was not notified: {log}");
    }

    fn with_keeper() -> System {
        system(With {
            bell: true,
            keeper: true,
            ..With::default()
        })
    }

    /// A mutant that notifies no client after its restart.
    struct Silent;

    impl Defect for Silent {
        fn to_notify_at_start(_: &RegistryState) -> ChannelSet {
            ChannelSet::default()
        }
    }

    #[test]
    fn a_registry_that_notifies_no_client_after_a_restart_is_found() {
        let system = with_keeper().program("registry.elf", mutant::<Silent>);
        let result = Explorer::new(&system)
            .crash("registry")
            .try_check(alice_is_up_to_date);
        is_found(result, "alice was not notified");
    }

    /// Returns a system whose `parent` reports the death of `bell` and does not restart it.
    fn without_restart() -> System {
        system(With {
            bell: true,
            parent: true,
            ..With::default()
        })
        .program("parent.elf", || common::Parent { restarts: false })
    }

    fn alice_knows_of_the_death(run: &Run) {
        let log = run.log();
        let expect = match log.contains("parent: bell is dead") {
            true => "none",
            false => "epoch 1",
        };
        assert_eq!(last(&log, "alice"), expect, "alice was not notified: {log}");
    }

    #[test]
    fn clients_are_notified_of_a_service_that_dies_at_any_step() {
        let system = without_restart();
        assert_complete(
            Explorer::new(&system)
                .crash("bell")
                .check(alice_knows_of_the_death),
        );
    }

    /// A mutant that withdraws a service and notifies no client.
    struct Discreet;

    impl Defect for Discreet {
        fn withdraw(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<(), NotAllowed> {
            server.state.withdraw(caller, name).map(drop)
        }
    }

    #[test]
    fn a_registry_that_notifies_no_client_of_a_death_is_found() {
        let system = without_restart().program("registry.elf", mutant::<Discreet>);
        let result = Explorer::new(&system)
            .crash("bell")
            .try_check(alice_knows_of_the_death);
        is_found(result, "alice was not notified");
    }
}

mod load_order_matters {
    //! Tock: "If the client is started first, notifying the service will silently fail". Tock drops
    //! the calls of a callback that is not registered yet. In this crate, the lookup and the
    //! subscription are one request. `tests/schedules.rs` explores every order of start.

    use super::*;

    fn with() -> System {
        system(With {
            bell: true,
            ..With::default()
        })
    }

    fn alice_finds_it(run: &Run) {
        let log = run.log();
        assert!(
            last(&log, "alice").starts_with("epoch"),
            "alice was not notified: {log}"
        );
    }

    #[test]
    fn alice_finds_the_service_in_every_order_of_start() {
        assert_complete(Explorer::new(&with()).check(alice_finds_it));
    }

    /// A mutant that subscribes only clients whose lookup finds the service.
    struct Null;

    impl Defect for Null {
        fn lookup(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<LookupReply, NotFound> {
            server.state.lookup(caller, name).ok_or_else(|| {
                server.state.forget(caller, name);
                NotFound
            })
        }
    }

    #[test]
    fn a_registry_that_forgets_early_clients_is_found() {
        let system = with().program("registry.elf", mutant::<Null>);
        is_found(
            Explorer::new(&system).try_check(alice_finds_it),
            "alice was not notified",
        );
    }

    /// A mutant with separate requests for lookup and subscription. The request `forget` subscribes
    /// the caller.
    struct TwoSteps;

    impl Defect for TwoSteps {
        fn lookup(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<LookupReply, NotFound> {
            Null::lookup_alone(&mut server.state, caller, name)
        }

        fn forget(server: &mut Mutant<Self>, caller: Channel, name: Name) {
            server.state.lookup(caller, name);
        }
    }

    impl Null {
        fn lookup_alone(
            state: &mut RegistryState,
            caller: Channel,
            name: Name,
        ) -> Result<LookupReply, NotFound> {
            let found = state.lookup(caller, name).ok_or(NotFound);
            state.forget(caller, name);
            found
        }
    }

    /// A client that looks up and then subscribes with a second request.
    struct Early(Names);

    fn early() -> Early {
        let early = Early(Names::connect(REGISTRY).unwrap());
        early.look();
        early
    }

    impl Early {
        fn look(&self) {
            match self.0.lookup(BELL).unwrap() {
                Some(found) => debug_println!("alice: epoch {}", found.epoch.number()),
                None => self.0.forget(BELL).unwrap(),
            }
        }
    }

    impl Handler for Early {
        type Error = Infallible;

        fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
            self.look();
            Ok(())
        }
    }

    #[test]
    fn a_registry_with_a_gap_between_lookup_and_subscription_is_found() {
        let system = with()
            .program("registry.elf", mutant::<TwoSteps>)
            .program("alice.elf", early);
        // The defect does not appear in every schedule. With these priorities, the service
        // registers before the lookup.
        let lucky = Explorer::new(&system).by_priority();
        lucky.check(alice_finds_it);
        is_found(
            Explorer::new(&system).try_check(alice_finds_it),
            "alice was not notified",
        );
    }
}
