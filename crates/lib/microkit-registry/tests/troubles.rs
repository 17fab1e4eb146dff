//! The troubles that Tock's inter-process communication has had, by name, each with a mutant that has
//! it: what happens there does not happen here, in any schedule, whenever somebody dies; and where it
//! does, these tests see it.

mod common;

use common::{ALICE, BELL, Idle, REGISTRY, TABLE, With, complete, last, lasting, system};
use microkit_protocol::CallError;
use microkit_registry::{
    Directory, DirectoryClient, DirectoryServer, Epoch, LookupReply, Name, Names, NotAllowed,
    NotFound, RegistryState,
};
use microkit_test::{Explorer, Found, Run, System};
use sel4_microkit::{Channel, ChannelSet, Handler, Infallible, MessageInfo, debug_println};

/// A registry with a mistake: what it does instead of what [`RegistryState`] says.
trait Mistake: Sized + 'static {
    fn register(
        server: &mut Mutant<Self>,
        caller: Channel,
        name: Name,
    ) -> Result<Epoch, NotAllowed> {
        let (epoch, told) = server.state.register(caller, name)?;
        tell(told);
        Ok(epoch)
    }

    fn withdraw(server: &mut Mutant<Self>, caller: Channel, name: Name) -> Result<(), NotAllowed> {
        server.state.withdraw(caller, name).map(tell)
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

    fn opened(state: &RegistryState) -> ChannelSet {
        state.opened()
    }
}

fn tell(channels: ChannelSet) {
    for channel in channels {
        channel.notify();
    }
}

struct Mutant<M> {
    state: RegistryState,
    /// What a registry remembers that makes room at each call.
    asked: Vec<(Channel, Name)>,
    mistake: std::marker::PhantomData<M>,
}

fn mutant<M: Mistake>() -> Mutant<M> {
    sel4_microkit::ipc::reply_without_words(0xf0);
    let state = RegistryState::new(&TABLE, lasting());
    tell(M::opened(&state));
    Mutant {
        state,
        asked: Vec::new(),
        mistake: std::marker::PhantomData,
    }
}

struct Call<'a, M>(&'a mut Mutant<M>, Channel);

impl<M: Mistake> Directory for Call<'_, M> {
    fn begin(&mut self) {
        tell(self.0.state.begin(self.1));
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

impl<M: Mistake> Handler for Mutant<M> {
    type Error = Infallible;

    fn protected(&mut self, who: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        Ok(DirectoryServer::dispatch(&mut Call(self, who), &info))
    }
}

/// What a search for a mistake must come to.
#[track_caller]
fn is_found(result: Result<microkit_test::Explored, Box<Found>>, message: &str) {
    let found = result.expect_err("nothing was found");
    assert!(found.message().contains(message), "{found}");
    println!("found: {}\nin: {}", found.message(), found.schedule());
}

mod callback_though_exposure_failed {
    //! "`allow()` can succeed, and a notify callback can be triggered, even if the `expose_to()` call
    //! fails": a registration that fails is no registration, and nobody is called back.

    use super::*;

    /// Who may not offer the service does so.
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

    /// She looks once, and has no reason to look again.
    fn nobody_was_called(run: &Run) {
        assert_eq!(
            run.log(),
            "alice: none\n",
            "she was called back for nothing"
        );
    }

    #[test]
    fn nobody_hears_of_a_registration_that_fails() {
        let system = with();
        complete(
            Explorer::new(&system)
                .crash("mallory")
                .check(nobody_was_called),
        );
    }

    struct TellsFirst;

    impl Mistake for TellsFirst {
        fn register(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<Epoch, NotAllowed> {
            tell([ALICE].into_iter().collect());
            server.state.register(caller, name).map(|(epoch, _)| epoch)
        }
    }

    #[test]
    fn a_registry_that_tells_before_it_has_registered_is_found() {
        let system = with().program("registry.elf", mutant::<TellsFirst>);
        let result = Explorer::new(&system).try_check(nobody_was_called);
        is_found(result, "called back for nothing");
    }
}

mod errors_say_who_is_there {
    //! "By iterating through service IDs the error return values leak which apps are present": every
    //! name that may not be found has one answer, whoever is there.

    use super::*;

    /// Asks for everything, and says whatever is answered.
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
        // She has no part in it.
        .program("alice.elf", || Idle)
    }

    fn says_nothing(run: &Run) {
        let log = run.log();
        let mut lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("mallory"))
            .collect();
        assert!(lines.len() == 3 || run.faults().len() == 1, "{log}");
        lines.dedup();
        assert!(lines.len() <= 1, "she can tell them apart: {log}");
    }

    #[test]
    fn all_names_that_may_not_be_found_have_one_answer() {
        let system = with(mallory);
        complete(Explorer::new(&system).crash("bell").check(says_nothing));
    }

    /// Says that there is such a service, but not for you.
    struct Honest;

    impl Mistake for Honest {
        fn withdraw(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<(), NotAllowed> {
            match server.state.withdraw(caller, name) {
                Err(NotAllowed) if name != BELL => Ok(()),
                result => result.map(tell),
            }
        }
    }

    #[test]
    fn a_registry_whose_errors_tell_names_apart_is_found() {
        let system = with(mallory).program("registry.elf", mutant::<Honest>);
        let result = Explorer::new(&system).try_check(says_nothing);
        is_found(result, "can tell them apart");
    }

    /// Finds what is registered, whoever asks.
    struct Open;

    impl Mistake for Open {
        fn lookup(
            server: &mut Mutant<Self>,
            _: Channel,
            name: Name,
        ) -> Result<LookupReply, NotFound> {
            server.state.lookup(ALICE, name).ok_or(NotFound)
        }
    }

    #[test]
    fn a_registry_that_does_not_ask_who_calls_is_found() {
        let system = with(mallory).program("registry.elf", mutant::<Open>);
        let result = Explorer::new(&system).try_check(says_nothing);
        is_found(result, "can tell them apart");
    }
}

mod callee_pays_for_the_caller {
    //! "Calling `client_notify()` on a different process causes the callee's process to allocate":
    //! whatever a caller asks, there is as much room for the others as before.

    use super::*;

    /// Asks for more names than there can be room for.
    fn mallory() -> Idle {
        let directory = DirectoryClient::connect(REGISTRY).unwrap();
        for name in ["a", "b", "bell"] {
            let found = directory.lookup(Name::new(name));
            assert_eq!(found, Err(CallError::Method(NotFound)));
        }
        Idle
    }

    /// Offers the service, in as few calls as can be.
    fn bell() -> Idle {
        let directory = DirectoryClient::connect(REGISTRY).unwrap();
        directory.register(BELL).unwrap();
        Idle
    }

    /// Looks for it, in as few calls as can be.
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

    fn she_finds_it(run: &Run) {
        let log = run.log();
        assert!(
            last(&log, "alice").starts_with("epoch"),
            "she was not told: {log}"
        );
    }

    #[test]
    fn a_flood_of_calls_takes_nothing_from_others() {
        let system = with();
        complete(Explorer::new(&system).crash("mallory").check(|run| {
            she_finds_it(run);
            // Of what outlives the registry, a word for its life and one for the service.
            let words = run.region("registry", "lasting");
            let used = words
                .iter()
                .rposition(|word| word.load(std::sync::atomic::Ordering::Relaxed) != 0);
            assert_eq!(used, Some(1));
        }));
    }

    /// Remembers each name that was asked for, while there is room.
    struct Remembers;

    impl Mistake for Remembers {
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
    fn a_registry_that_makes_room_for_each_caller_is_found() {
        let system = with().program("registry.elf", mutant::<Remembers>);
        let result = Explorer::new(&system).try_check(she_finds_it);
        is_found(result, "she was not told");
    }
}

mod notification_vanishes {
    //! "Scheduling a notify callback may fail (queue full, calling process has died), and neither is
    //! made aware": of a change of a service, everybody hears who has asked, also when the registry
    //! or the service dies while it tells. (Of signals to a service: `tests/signals.rs`.)

    use super::*;

    fn she_knows(run: &Run) {
        let log = run.log();
        let (alice, bell) = (last(&log, "alice"), last(&log, "bell"));
        assert_eq!(alice, bell, "she was not told: {log}");
    }

    fn with_keeper() -> System {
        system(With {
            bell: true,
            keeper: true,
            ..With::default()
        })
    }

    /// Forgets, when it is restarted, that somebody was to be told.
    struct Silent;

    impl Mistake for Silent {
        fn opened(_: &RegistryState) -> ChannelSet {
            ChannelSet::default()
        }
    }

    #[test]
    fn a_registry_whose_restart_tells_nobody_is_found() {
        let system = with_keeper().program("registry.elf", mutant::<Silent>);
        let result = Explorer::new(&system)
            .crash("registry")
            .try_check(she_knows);
        is_found(result, "she was not told");
    }

    /// Dead without a restart: she hears that there is none.
    fn buried() -> System {
        system(With {
            bell: true,
            parent: true,
            ..With::default()
        })
        .program("parent.elf", || common::Parent { buries: true })
    }

    fn she_knows_of_the_death(run: &Run) {
        let log = run.log();
        let expect = match log.contains("parent: bell is dead") {
            true => "none",
            false => "epoch 1",
        };
        assert_eq!(last(&log, "alice"), expect, "she was not told: {log}");
    }

    #[test]
    fn everybody_hears_of_a_service_that_dies_at_any_step() {
        let system = buried();
        complete(
            Explorer::new(&system)
                .crash("bell")
                .check(she_knows_of_the_death),
        );
    }

    /// Withdraws, and tells nobody.
    struct Discreet;

    impl Mistake for Discreet {
        fn withdraw(
            server: &mut Mutant<Self>,
            caller: Channel,
            name: Name,
        ) -> Result<(), NotAllowed> {
            server.state.withdraw(caller, name).map(drop)
        }
    }

    #[test]
    fn a_registry_that_tells_nobody_of_a_death_is_found() {
        let system = buried().program("registry.elf", mutant::<Discreet>);
        let result = Explorer::new(&system)
            .crash("bell")
            .try_check(she_knows_of_the_death);
        is_found(result, "she was not told");
    }
}

mod load_order_matters {
    //! "If the client is started first, notifying the service will silently fail": a callback that is
    //! not there yet is null, and what is due to it is dropped. Here asking and being called back is
    //! one step. (That all is found in every order: `tests/schedules.rs`.)

    use super::*;

    fn with() -> System {
        system(With {
            bell: true,
            ..With::default()
        })
    }

    fn she_finds_it(run: &Run) {
        let log = run.log();
        assert!(
            last(&log, "alice").starts_with("epoch"),
            "she was not told: {log}"
        );
    }

    #[test]
    fn in_every_order_of_start_she_finds_it() {
        complete(Explorer::new(&with()).check(she_finds_it));
    }

    /// Tells only those who have found something.
    struct Null;

    impl Mistake for Null {
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
    fn a_registry_that_forgets_who_came_too_early_is_found() {
        let system = with().program("registry.elf", mutant::<Null>);
        is_found(
            Explorer::new(&system).try_check(she_finds_it),
            "she was not told",
        );
    }

    /// Asking is one call, and wanting to know another: here `forget` is that.
    struct TwoSteps;

    impl Mistake for TwoSteps {
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

    /// Asks, and then wants to know.
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
    fn a_registry_with_a_gap_between_asking_and_being_told_is_found() {
        let system = with()
            .program("registry.elf", mutant::<TwoSteps>)
            .program("alice.elf", early);
        // Not in every schedule: if there is time for both, she is told.
        let kind = Explorer::new(&system).by_priority();
        kind.check(she_finds_it);
        is_found(
            Explorer::new(&system).try_check(she_finds_it),
            "she was not told",
        );
    }
}
