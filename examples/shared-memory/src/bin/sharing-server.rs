//! The server: converts the text in a client's buffers to capital letters, and lends memory. The
//! server prints nothing.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_protocol::RESTARTED;
use microkit_shared_memory::{
    Buffers, Consumer, Descriptor, Grant, Lender, Loan, Part, PeerError, PopError, Producer,
    PushError, Refusal, Request, Rights, Terms, VersionedWriter,
};
use microkit_system::Words;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, RestartReply, panicking,
    protection_domain, restart_reply, waits,
};
use shared_memory::{
    BUFFER_BYTES, ClientMemory, LEASES, Leases, LeasesServer, ServerMemory, Status,
};

microkit_system::system! {
    "shared-memory.system", pd = "server";
    channel CLIENT = "client";
    region OWN = "server";
    region CLIENTS = "client";
    region BUFFERS = "buffers";
    region LENT = "lent";
}

waits! {}

/// The index of the only borrower.
const BORROWER: usize = 0;

type Own = Part<Words<OWN>>;
type Theirs = Part<Words<CLIENTS>>;

struct Server {
    requests: Consumer<Descriptor, Own, Theirs>,
    replies: Producer<Descriptor, Own, Theirs>,
    buffers: Buffers<Words<BUFFERS>>,
    status: VersionedWriter<Status, Own>,
    done: Status,
    lender: Lender<Own, Theirs, 1, LEASES>,
}

#[protection_domain]
fn init() -> Server {
    panicking::set_hook(&|_| ());
    let own = ServerMemory::new(OWN.words()).expect("a page is large enough");
    let client = ClientMemory::new(CLIENTS.words()).expect("a page is large enough");
    let terms = Terms {
        leases: LEASES,
        bytes: 256,
        rights: Rights::Write,
    };
    let mut server = Server {
        requests: Consumer::open(own.requests, client.requests)
            .expect("the region has room for three buffers"),
        replies: Producer::open(own.replies, client.replies)
            .expect("the region has room for three buffers"),
        buffers: Buffers::new(BUFFERS.words(), BUFFER_BYTES),
        status: VersionedWriter::new(own.status).expect("a page is large enough"),
        done: Status {
            buffers: 0,
            bytes: 0,
        },
        lender: Lender::open(
            own.board,
            LENT.size_bytes() as u64,
            [(client.borrower, terms)],
        )
        .expect("the region has room for two leases"),
    };
    server.serve();
    server
}

impl Server {
    /// Processes all buffers in the queue.
    fn serve(&mut self) {
        // A restarted client waits until the server has detected the restart at both queues. This
        // call detects the restart at the queue of replies.
        let _ = self.replies.room();
        loop {
            match self.requests.pop() {
                Ok(Some(descriptor)) => {
                    // A descriptor that is not a valid buffer is dropped.
                    if let Ok(loan) = self.buffers.accept(descriptor) {
                        self.process(loan);
                    }
                }
                Ok(None) => match self.requests.may_sleep() {
                    Ok(false) | Err(PeerError::Restarted) => {}
                    Ok(true) | Err(_) => break,
                },
                Err(PopError::Peer(PeerError::Restarted) | PopError::Invalid) => {}
                Err(PopError::Peer(_)) => break,
            }
        }
        // Both queues lead to the same client, so one notification is enough.
        let [one, other] = [self.requests.must_notify(), self.replies.must_notify()];
        if one || other {
            CLIENT.notify();
        }
    }

    fn process(&mut self, loan: Loan) {
        let mut bytes = [0; BUFFER_BYTES];
        let bytes = &mut bytes[..loan.bytes()];
        let changed = self.buffers.read(&loan, 0, bytes).and_then(|()| {
            bytes.make_ascii_uppercase();
            self.buffers.write(&loan, 0, bytes)
        });
        changed.expect("the buffer was accepted");
        self.done.buffers += 1;
        self.done.bytes += bytes.len() as u64;
        self.status.write(&self.done);
        let descriptor = loan.give_back();
        let restarted = Err(PushError::Peer(PeerError::Restarted));
        if self.replies.push(&descriptor) == restarted {
            // The client refuses a buffer of its earlier incarnation, so it is safe to push the
            // descriptor again. The queue has room for all buffers of the client. If it is full,
            // the client has broken the protocol.
            let _ = self.replies.push(&descriptor);
        }
    }
}

impl Leases for Server {
    fn request(&mut self, request: Request) -> Result<Grant, Refusal> {
        self.lender.request(BORROWER, &request)
    }

    fn give_back(&mut self, grant: Grant) -> Result<(), Refusal> {
        self.lender.give_back(BORROWER, &grant)
    }
}

impl Handler for Server {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.serve();
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        assert!(
            channel == CLIENT,
            "only the client has a channel with calls"
        );
        Ok(LeasesServer::dispatch(self, &msg_info))
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(RESTARTED))
    }
}
