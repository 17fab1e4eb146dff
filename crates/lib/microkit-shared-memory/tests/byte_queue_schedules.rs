//! Tests that a producer that waits for room is always woken. The tests explore every order of the
//! two ends' accesses to the shared words.
#![forbid(unsafe_code)]

use microkit_shared_memory::{ByteConsumer, ByteProducer};
use microkit_test::{Explorer, System};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, SharedWord, debug_println, ipc, shared_words,
};

const PEER: Channel = Channel::new(1);

/// One byte more than the queue can hold.
const BYTES: &[u8] = b"012345678";

/// The number of words of a queue with room for eight bytes.
const WORDS: usize = 25;

const FILE: &str = r#"
    <system>
        <memory_region name="queue" size="0x1000" />
        <protection_domain name="producer" priority="1">
            <program_image path="producer.elf" />
            <map mr="queue" vaddr="0x4000000" perms="rw" setvar_vaddr="queue" setvar_size="queue_size" />
        </protection_domain>
        <protection_domain name="consumer" priority="2">
            <program_image path="consumer.elf" />
            <map mr="queue" vaddr="0x4000000" perms="rw" setvar_vaddr="queue" setvar_size="queue_size" />
        </protection_domain>
        <channel>
            <end pd="producer" id="1" />
            <end pd="consumer" id="1" />
        </channel>
    </system>"#;

/// Puts all bytes. If the queue is full, `waits` decides whether to wait.
fn produce(waits: fn(&mut ByteProducer) -> bool) -> Idle {
    let region = shared_words!(queue, queue_size, SharedWord);
    let mut producer = ByteProducer::new(&region[..WORDS]);
    let mut rest = BYTES;
    while !rest.is_empty() {
        let count = producer.put(rest).expect("the consumer is sound");
        rest = &rest[count..];
        if count > 0 {
            PEER.notify();
        } else if waits(&mut producer) {
            ipc::wait("room");
        }
    }
    Idle
}

/// A correct producer, as in the documentation.
fn producer() -> Idle {
    produce(|producer| producer.ask_for_room() == Ok(producer.capacity_bytes()))
}

/// A flawed producer that does not check the queue again after its request.
fn hasty_producer() -> Idle {
    produce(|producer| {
        producer.ask_for_room().expect("the consumer is sound");
        true
    })
}

/// A handler that ignores notifications, for an end that has finished.
struct Idle;

impl Handler for Idle {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Taker {
    consumer: ByteConsumer,
    taken: usize,
}

fn consumer() -> Taker {
    let region = shared_words!(queue, queue_size, SharedWord);
    Taker {
        consumer: ByteConsumer::new(&region[..WORDS]),
        taken: 0,
    }
}

impl Handler for Taker {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        let mut bytes = [0; BYTES.len()];
        let count = self
            .consumer
            .take(&mut bytes)
            .expect("the producer is sound");
        assert_eq!(bytes[..count], BYTES[self.taken..][..count]);
        self.taken += count;
        if count > 0 && self.consumer.was_asked_for_room() {
            PEER.notify();
        }
        if self.taken == BYTES.len() {
            debug_println!("all taken");
        }
        Ok(())
    }
}

fn system() -> System {
    System::parse("queue.system", FILE)
        .expect("the system is sound")
        .program("consumer.elf", consumer)
}

#[test]
fn who_waits_for_room_is_notified_in_every_schedule() {
    let system = system().program("producer.elf", producer);
    let explored = Explorer::new(&system).check(|run| assert!(run.log().contains("all taken")));
    assert!(explored.is_complete(), "{explored:?}");
}

/// Negative control: with the flawed producer, the test above fails.
#[test]
fn who_does_not_look_again_waits_forever_in_some_schedule() {
    let system = system().program("producer.elf", hasty_producer);
    let found = Explorer::new(&system).try_check(|run| assert!(run.log().contains("all taken")));
    assert!(found.is_err(), "{found:?}");
}
