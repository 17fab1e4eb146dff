//! The client: sends text in buffers and borrows memory. The client dies once and continues in its
//! next incarnation. Then the client asks for a restart of the server.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_shared_memory::{
    Borrower, Consumer, Descriptor, Grant, Lease, Part, PeerError, Pool, PopError, Producer,
    PushError, Rights, VersionedReader, VersionedWriter,
};
use microkit_system::Words;
use sel4_microkit::{ChannelSet, Handler, Infallible, panicking, protection_domain, waits};
use shared_memory::{
    BUFFER_BYTES, BUFFERS as COUNT, ClientMemory, LeasesClient, ServerMemory, Status,
};

microkit_system::system! {
    "shared-memory.system", pd = "client";
    channel SERVER = "server";
    channel PARENT = "parent";
    region OWN = "client";
    region SERVERS = "server";
    region BUFFERS = "buffers";
    region LENT = "lent";
}

waits! {
    in init { call microkit_console::CHANNEL; call SERVER.channel(); }
    in notified { call microkit_console::CHANNEL; call SERVER.channel(); }
}

/// The length of a lease: neither a power of two nor a multiple of 64.
const LEASE_BYTES: u64 = 72;

type Own = Part<Words<OWN>>;
type Theirs = Part<Words<SERVERS>>;

struct Client {
    requests: Producer<Descriptor, Own, Theirs>,
    replies: Consumer<Descriptor, Own, Theirs>,
    pool: Pool<Words<BUFFERS>, COUNT>,
    status: VersionedReader<Status, Theirs>,
    borrower: Borrower<Own, Theirs, Words<LENT>>,
    leases: LeasesClient<SERVER>,
    /// The lease that this incarnation leaves to the next incarnation.
    kept: VersionedWriter<Grant, Own>,
    before: VersionedReader<Grant, Own>,
    state: State,
}

/// The event for which the client waits.
#[derive(Debug)]
enum State {
    /// The server must detect this incarnation, and stop using buffers of an earlier incarnation.
    Settling,
    /// The server must return this many buffers.
    Sent(usize),
    /// The server must restart. The client keeps this lease until the restart.
    Restart(Lease),
    Nothing,
}

#[protection_domain]
fn init() -> Client {
    panicking::set_hook(&|_| ());
    let own = ClientMemory::new(OWN.words()).expect("a page is large enough");
    let server = ServerMemory::new(SERVERS.words()).expect("a page is large enough");
    let requests = Producer::open(own.requests, server.requests)
        .expect("the region has room for three buffers");
    let epoch = requests.epoch();
    println!("client: incarnation {epoch}");
    let mut client = Client {
        replies: Consumer::open(own.replies, server.replies)
            .expect("the region has room for three buffers"),
        pool: Pool::new(BUFFERS.words(), BUFFER_BYTES, epoch).expect("a page is large enough"),
        requests,
        status: VersionedReader::new(server.status).expect("a page is large enough"),
        borrower: Borrower::open(own.borrower, server.board, LENT.words())
            .expect("a page is large enough"),
        leases: LeasesClient::connect(SERVER).expect("both were built with the same protocol"),
        kept: VersionedWriter::new(own.kept).expect("a page is large enough"),
        before: VersionedReader::new(own.kept).expect("a page is large enough"),
        state: State::Settling,
    };
    client.notify();
    client.go_on();
    client
}

impl Client {
    fn go_on(&mut self) {
        match self.state {
            State::Settling => {
                // Until both settle, the server may write to buffers of an earlier incarnation.
                if self.requests.is_settled() && self.replies.is_settled() {
                    self.send_all();
                }
            }
            State::Sent(_) => self.send_again(),
            State::Restart(_) => return self.see_restart(),
            State::Nothing => return,
        }
        self.receive();
    }

    /// Sends the texts of this incarnation.
    fn send_all(&mut self) {
        let texts: &[&str] = match self.requests.epoch() {
            1 => &[
                "one",
                "two and a half",
                "three: forty bytes, to the very last one",
            ],
            _ => &["nothing was lost"],
        };
        // Buffers that were sent to an earlier incarnation of the server belong to the client
        // again.
        while texts.iter().any(|text| self.send(text).is_err()) {
            self.pool.take_all_back();
        }
        self.state = State::Sent(texts.len());
        self.notify();
    }

    /// Sends everything again if the server was restarted: the buffers in the queue are lost then.
    fn send_again(&mut self) {
        if self.requests.room() == Err(PeerError::Restarted) {
            self.pool.take_all_back();
            self.send_all();
        }
    }

    fn send(&mut self, text: &str) -> Result<(), PushError> {
        let buffer = self.pool.take().expect("there are three buffers");
        self.pool
            .write(&buffer, 0, text.as_bytes())
            .expect("a buffer has forty bytes");
        let descriptor = self
            .pool
            .send(buffer, text.len())
            .expect("a buffer has forty bytes");
        self.requests.push(&descriptor)
    }

    /// Takes the returned buffers, until all have arrived or the queue is empty.
    fn receive(&mut self) {
        while let State::Sent(left) = self.state {
            if left == 0 {
                return self.borrow();
            }
            match self.replies.pop() {
                Ok(Some(descriptor)) => {
                    // A buffer of an earlier incarnation may still arrive. The pool refuses it.
                    if let Ok(buffer) = self.pool.take_back(&descriptor) {
                        let mut bytes = [0; BUFFER_BYTES];
                        let bytes = &mut bytes[..(descriptor.bytes as usize).min(BUFFER_BYTES)];
                        self.pool
                            .read(&buffer, 0, bytes)
                            .expect("the length is at most that of a buffer");
                        self.pool.free(buffer);
                        println!("client: {}", core::str::from_utf8(bytes).unwrap_or("?"));
                        self.state = State::Sent(left - 1);
                    }
                }
                Ok(None) => match self.replies.may_sleep() {
                    Ok(true) => return,
                    Ok(false) | Err(PeerError::Restarted) => {}
                    Err(error) => panic!("{error}"),
                },
                // Every missing buffer was sent to an earlier incarnation of the server. The other
                // queue reports the restart too.
                Err(PopError::Peer(PeerError::Restarted)) => self.send_again(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Borrows memory. The first incarnation dies with a lease, and the next one borrows again.
    fn borrow(&mut self) {
        let status = self.status.read();
        println!("client: status of the server: {status:?}");
        self.state = match self.requests.epoch() {
            1 => self.borrow_and_die(),
            _ => self.borrow_again(),
        }
    }

    fn ask(&mut self, offset: u64, bytes: u64) -> Option<Grant> {
        let request = self.borrower.request(offset, bytes, Rights::Write);
        let result = self.leases.request(request);
        let said = result.map(|grant| grant.generation);
        println!("client: lease of {bytes} bytes at {offset}: {said:?}");
        result.ok()
    }

    fn borrow_and_die(&mut self) -> State {
        for (offset, bytes) in [(0, 100), (4088, 16), (0, 264)] {
            self.ask(offset, bytes);
        }
        let grant = self.ask(0, LEASE_BYTES).expect("the memory is free");
        self.ask(64, 8);
        let lease = self
            .borrower
            .accept(grant)
            .expect("the lease was just granted");
        self.borrower
            .write(&lease, LEASE_BYTES as usize - 1, b"!")
            .expect("the lease includes the last byte");
        self.kept.write(&grant);
        let _ = self.send("sent before the death");
        println!("client: dies with a lease and a sent buffer");
        panic!()
    }

    fn borrow_again(&mut self) -> State {
        let before = self.before.read().map(|grant| self.borrower.accept(grant));
        println!("client: the lease of the earlier incarnation: {before:?}");
        let grant = self.ask(0, LEASE_BYTES).expect("the memory is free again");
        let lease = self
            .borrower
            .accept(grant)
            .expect("the lease was just granted");
        PARENT.notify();
        State::Restart(lease)
    }

    /// Checks whether the server was restarted. If so, the server must refuse the old lease.
    fn see_restart(&mut self) {
        let queue = self.requests.room();
        if queue != Err(PeerError::Restarted) {
            return;
        }
        let State::Restart(lease) = core::mem::replace(&mut self.state, State::Nothing) else {
            return;
        };
        println!("client: the queue: {queue:?}");
        let write = self.borrower.write(&lease, 0, b"late");
        println!("client: a write with a lease of the server's earlier incarnation: {write:?}");
        self.ask(0, LEASE_BYTES);
        println!("client: done");
    }

    /// Notifies the server if it waits at either queue, or has not seen this incarnation.
    fn notify(&mut self) {
        let [one, other] = [self.requests.must_notify(), self.replies.must_notify()];
        if one || other {
            SERVER.notify();
        }
    }
}

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.go_on();
        self.notify();
        Ok(())
    }
}
