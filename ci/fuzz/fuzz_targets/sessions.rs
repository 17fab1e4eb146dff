//! Fuzzes a server with sessions. No client input makes the server panic or affects other clients.
#![no_main]

use std::cell::Cell;
use std::rc::Rc;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use microkit_protocol::protocol;
use microkit_sessions::{SessionError, SessionId, Sessions};
use sel4::sys::host as kernel;
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{Channel, MessageInfo, SharedWord, with_msg_regs_mut};

#[protocol]
trait Cells {
    fn cell(&mut self, value: u64) -> Result<SessionId, SessionError<()>>;
    fn swap(&mut self, cell: SessionId, value: u64) -> Result<u64, SessionError<()>>;
    fn kick(&mut self, cell: SessionId) -> Result<(), SessionError<()>>;
}

const QUOTA: usize = 3;

/// A value that counts its live instances, to detect leaked and doubly dropped sessions.
struct Counted {
    value: u64,
    alive: Rc<Cell<usize>>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.set(self.alive.get().checked_sub(1).expect("it was dropped before"));
    }
}

struct Call<'a> {
    sessions: &'a mut Sessions<Counted, 8>,
    channel: Channel,
    alive: &'a Rc<Cell<usize>>,
}

impl Cells for Call<'_> {
    fn cell(&mut self, value: u64) -> Result<SessionId, SessionError<()>> {
        let alive = Rc::clone(self.alive);
        self.sessions.open_with(self.channel, || {
            alive.set(alive.get() + 1);
            Ok(Counted { value, alive })
        })
    }

    fn swap(&mut self, cell: SessionId, value: u64) -> Result<u64, SessionError<()>> {
        let cell = self.sessions.get_mut(self.channel, &cell)?;
        Ok(std::mem::replace(&mut cell.value, value))
    }

    fn kick(&mut self, cell: SessionId) -> Result<(), SessionError<()>> {
        self.sessions.get(self.channel, &cell)?;
        drop(self.sessions.kick(&cell));
        Ok(())
    }
}

/// A call. Most calls name an existing session.
#[derive(Debug, Arbitrary)]
enum Hostile {
    Any { label: u64, words: Vec<u64> },
    Near { label: u8, id: u8, more: Option<u8> },
}

const VICTIM: Channel = Channel::new(1);
const HOSTILE: Channel = Channel::new(2);
const PARENT: Channel = Channel::new(3);

/// The first of three labels: to connect, to close a session, and to report the end of a client.
const CONTROL: u64 = 0x0073_6573_7300;

fuzz_target!(
    init: {
        ProtectionDomain::default().set();
        sel4::set_ipc_buffer(kernel::new_ipc_buffer());
    },
    |calls: Vec<Hostile>| {
        thread_local! {
            static NUMBERS: &'static SharedWord = Box::leak(Box::new(SharedWord::new(0)));
        }
        let numbers = NUMBERS.with(|numbers| *numbers);
        numbers.store(0, std::sync::atomic::Ordering::Relaxed);
        let mut sessions: Sessions<Counted, 8> =
            Sessions::new(numbers, QUOTA).allow_reports(&[(PARENT, VICTIM)]);
        let alive = Rc::new(Cell::new(0));
        let open = |sessions: &mut Sessions<Counted, 8>, value| {
            let mut call = Call { sessions, channel: VICTIM, alive: &alive };
            call.cell(value).expect("there is room")
        };
        let ids = [7, 8].map(|value| open(&mut sessions, value));
        for call in calls {
            let (label, mut words) = match call {
                Hostile::Any { label, words } => (label & ((1 << 52) - 1), words),
                Hostile::Near { label, id, more } => {
                    let label = u64::from(label % 8);
                    let label = if label < 4 { label } else { CONTROL + label - 4 };
                    let words = [Some(u64::from(id % 16)), more.map(u64::from)];
                    (label, words.into_iter().flatten().collect())
                }
            };
            words.truncate(64);
            with_msg_regs_mut(|regs| regs[..words.len()].copy_from_slice(&words));
            let info = MessageInfo::new(label, words.len());
            let reply = match sessions.answer(HOSTILE, &info, drop) {
                Some(reply) => reply,
                None => {
                    let (sessions, alive) = (&mut sessions, &alive);
                    let mut call = Call { sessions, channel: HOSTILE, alive };
                    CellsServer::dispatch(&mut call, &info)
                }
            };
            assert!(reply.count() <= 2);
            let values = ids.each_ref().map(|id| sessions.get(VICTIM, id).map(|cell| cell.value));
            assert_eq!(values, [Ok(7), Ok(8)]);
            assert_eq!(alive.get(), sessions.len());
            assert!(sessions.count_of(HOSTILE) <= QUOTA);
        }
        for id in &ids {
            assert!(sessions.close(VICTIM, id).is_ok());
            assert!(sessions.close(VICTIM, id).is_err());
        }
        drop(sessions);
        assert_eq!(alive.get(), 0);
    }
);
