//! Tests tasks in whole systems, on the model kernel and in every order of the PDs.

use std::rc::Rc;

use embassy_futures::poll_once;
use microkit_async::{
    Completion, Interrupt, Listener, NothingAsked, SplitClient, SplitServer, TaskMemory, Tasks,
};
use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, NullHandler, SharedWord, debug_println,
    get_mr, set_mr, shared_words,
};

static MEMORY: TaskMemory<4096> = TaskMemory::new();

const ONE: Channel = Channel::new(1);

fn tasks(task: impl Future<Output = ()> + 'static) -> Tasks {
    let tasks = Tasks::new(&MEMORY);
    tasks.spawner().spawn(0, task).expect("there is room");
    tasks
}

fn listener() -> Listener {
    Listener::new(ONE).expect("nobody else listens")
}

const PAIR: &str = r#"
    <system>
        <memory_region name="split" size="0x1000" />
        <protection_domain name="client" priority="1">
            <program_image path="client.elf" />
            <map mr="split" vaddr="0x4000000" perms="rw" setvar_vaddr="split" setvar_size="split_size" />
        </protection_domain>
        <protection_domain name="server" priority="2">
            <program_image path="server.elf" />
            <map mr="split" vaddr="0x4000000" perms="rw" setvar_vaddr="split" setvar_size="split_size" />
        </protection_domain>
        <channel>
            <end pd="client" id="1" pp="true" />
            <end pd="server" id="1" />
        </channel>
    </system>"#;

fn pair<C: Handler, S: Handler>(
    client: impl Fn() -> C + Send + Sync + 'static,
    server: impl Fn() -> S + Send + Sync + 'static,
) -> System {
    System::parse("pair.system", PAIR)
        .unwrap()
        .program("client.elf", client)
        .program("server.elf", server)
}

fn region() -> &'static [SharedWord] {
    shared_words!(split, split_size, SharedWord)
}

/// A server that adds the words of a request.
struct Adds(SplitServer);

impl Handler for Adds {
    type Error = NothingAsked;

    fn notified(&mut self, _: ChannelSet) -> Result<(), NothingAsked> {
        while let Some(words) = self.0.take() {
            debug_println!("asked {words:?}");
            self.0.reply([words.iter().sum(), 0, 0, 0])?;
        }
        Ok(())
    }
}

fn adds() -> Adds {
    Adds(SplitServer::new(ONE, region()))
}

/// The tested client, or a client with a planted flaw.
trait Asks: 'static {
    async fn call(&mut self, words: [u64; 4]) -> [u64; 4];
}

impl Asks for SplitClient {
    async fn call(&mut self, words: [u64; 4]) -> [u64; 4] {
        SplitClient::call(self, words).await
    }
}

/// A flawed client that overwrites a cancelled request before the server has replied.
struct Overwrites {
    server: Listener,
    asked: u64,
}

impl Asks for Overwrites {
    async fn call(&mut self, words: [u64; 4]) -> [u64; 4] {
        use std::sync::atomic::Ordering::SeqCst;
        let region = region();
        for (word, value) in region[1..].iter().zip(words) {
            word.store(value, SeqCst);
        }
        self.asked += 1;
        region[0].store(self.asked, SeqCst);
        self.server.channel().notify();
        while region[8].load(SeqCst) != self.asked {
            self.server.notified().await;
        }
        std::array::from_fn(|index| region[9 + index].load(SeqCst))
    }
}

/// Cancels its first call after the request was sent, and then makes a second call.
async fn gives_up(mut asks: impl Asks) {
    // In some schedules, the first poll already returns the reply.
    let _ = poll_once(asks.call([1, 2, 3, 4]));
    let [sum, ..] = asks.call([10, 20, 30, 40]).await;
    debug_println!("{sum}");
}

#[test]
fn a_call_that_is_given_up_is_done_once_and_nobody_gets_its_reply() {
    let client = || tasks(gives_up(SplitClient::new(listener(), region())));
    let system = pair(client, adds);
    let check = |run: &Run| {
        let log = run.log();
        assert_eq!(log, "asked [1, 2, 3, 4]\nasked [10, 20, 30, 40]\n100\n");
    };
    // Every access to shared memory is a step, so there are too many schedules to explore all of
    // them.
    let explored = Explorer::new(&system)
        .max_runs(500)
        .samples(500, 1)
        .check(check);
    println!("{explored}");
    let overwrites = || {
        let (server, asked) = (listener(), 0);
        tasks(gives_up(Overwrites { server, asked }))
    };
    let found = Explorer::new(&pair(overwrites, adds))
        .max_runs(500)
        .try_check(check);
    println!("{}", found.unwrap_err());
}

/// A server that answers calls, and wakes a task at each call.
struct Answers(Rc<Completion<u64>>);

impl Handler for Answers {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        let word = get_mr(0);
        // Passes the word to the task. The task runs after the reply.
        let done = self.0.run(async { word });
        assert!(poll_once(done).is_ready());
        set_mr(0, word + 1);
        // The reply has ten message registers. The task overwrites these registers later, which
        // must not change the reply.
        for index in 1..10 {
            set_mr(index, word);
        }
        Ok(MessageInfo::new(0, 10))
    }
}

fn answers() -> Tasks<Answers> {
    let called = Rc::new(Completion::new());
    let told = Rc::clone(&called);
    tasks(async move {
        loop {
            let [word] = told.wait().await.expect("it is never dropped");
            // Overwrites the message registers.
            (0..10).for_each(|index| set_mr(index, 99));
            debug_println!("the task was told of {word}");
        }
    })
    .with_handler(Answers(called))
}

fn calls() -> NullHandler {
    for word in [5, 6] {
        set_mr(0, word);
        let info = ONE.pp_call(MessageInfo::new(0, 1));
        assert_eq!(info.count(), 10);
        assert_eq!(get_mr(0), word + 1);
        assert!((1..10).all(|index| get_mr(index) == word));
    }
    debug_println!("answered");
    NullHandler::new()
}

#[test]
fn a_call_is_answered_before_the_tasks_run_that_it_wakes() {
    let system = pair(calls, answers);
    let explored = Explorer::new(&system).check(|run| {
        let log = run.log();
        let position = |line| log.find(line).unwrap_or_else(|| panic!("{line}: {log}"));
        assert!(position("told of 5") < position("told of 6"));
        position("answered");
    });
    println!("{explored}");
    assert!(explored.is_complete());
    // After the reply, the caller may run before the task. At least one schedule must show this
    // order.
    let found = Explorer::new(&system)
        .try_check(|run| assert!(!run.log().ends_with("told of 6\n"), "it is first"));
    assert!(found.is_err());
}

const DEVICE: &str = r#"
    <system>
        <protection_domain name="driver" priority="2">
            <program_image path="driver.elf" />
            <irq irq="40" id="1" />
        </protection_domain>
    </system>"#;

#[test]
fn an_interrupt_comes_again_when_it_was_acknowledged() {
    fn driver() -> Tasks {
        let mut interrupt = Interrupt::new(ONE).expect("nobody else listens");
        tasks(async move {
            for count in 1.. {
                interrupt.raised().await;
                debug_println!("{count}");
                if count != 2 {
                    interrupt.acknowledge().expect("it is one");
                }
            }
        })
    }
    let system = System::parse("device.system", DEVICE)
        .unwrap()
        .program("driver.elf", driver);
    let mut run = system.start();
    run.until_idle();
    for _ in 0..4 {
        run.raise_irq("driver", 1);
        run.until_idle();
    }
    // The second interrupt was not acknowledged, so the driver gets no third interrupt.
    assert_eq!(run.log(), "1\n2\n");
}

#[test]
fn each_run_begins_with_nothing() {
    let system = pair(
        || tasks(async { debug_println!("{}", listener().take()) }),
        adds,
    );
    for _ in 0..3 {
        let mut run = system.start();
        run.until_idle();
        assert_eq!(run.log(), "false\n");
    }
}
