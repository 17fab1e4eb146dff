//! What a protection domain runs, and one that runs it.

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use kernel_model::numbers::{IPC_BUFFER_WORDS, MAX_EXTRA_CAPS};
use kernel_model::{
    CAP_REGISTER, INFO_REGISTER, MESSAGE_REGISTERS, MessageInfo, NB_SEND_RECV_DEST, REPLY_REGISTER,
    Register, UserContext,
};
use sel4::IpcBufferToken;
use sel4_microkit::Handler;
use sel4_microkit::host::{AccessPolicy, State, run, set_access_policy, set_symbols, watch_panics};
use sel4_sys::host::{
    Carrier, HostBuffer, Program, Registers, Stop, is_unwinding, new_ipc_buffer, point,
};

use crate::Processor;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::lower::{Domain, Image};

/// What a protection domain runs.
#[derive(Clone)]
pub(crate) enum Body {
    /// Rust code, from its initialisation to its end.
    Handler(Arc<dyn Fn() + Send + Sync>),
    /// Registers.
    Processor(Arc<dyn Fn() -> Box<dyn Processor> + Send + Sync>),
}

impl Body {
    pub(crate) fn handler<H: Handler>(init: impl Fn() -> H + Send + Sync + 'static) -> Self {
        Self::Handler(Arc::new(move || run(&init)))
    }
}

/// A protection domain as it runs.
pub(crate) struct Actor {
    pub(crate) runs: Runs,
    /// Everything that it has been told, in its order: what its own state follows from.
    pub(crate) history: Fingerprinter,
}

pub(crate) enum Runs {
    Code(Box<Code>),
    Registers {
        processor: Box<dyn Processor>,
        ipc_buffer: Box<[u64; IPC_BUFFER_WORDS]>,
    },
}

/// Rust code that runs, stands at a system call, or has come to its end.
pub(crate) struct Code {
    body: Arc<dyn Fn() + Send + Sync>,
    /// The runtime's own, while it does not run in this thread.
    state: State,
    program: Option<Program>,
    at: Option<Stop>,
}

/// Makes each access to a `SharedWord` a step of its own, and none after the end of a program.
struct Steps;

impl AccessPolicy for Steps {
    fn before_access(&self) {
        point();
    }

    fn takes_effect(&self) -> bool {
        !is_unwinding()
    }
}

/// What Rust code runs in: Miri knows no other stacks than those of threads.
const CARRIER: Carrier = if cfg!(miri) {
    Carrier::Thread
} else {
    Carrier::Stack
};

impl Actor {
    pub(crate) fn new(body: &Body) -> Self {
        let runs = match body {
            Body::Handler(body) => Runs::Code(Box::new(Code {
                body: Arc::clone(body),
                state: State::new(),
                program: None,
                at: None,
            })),
            Body::Processor(make) => Runs::Registers {
                processor: make(),
                ipc_buffer: Box::new([0; IPC_BUFFER_WORDS]),
            },
        };
        Self {
            runs,
            history: Fingerprinter::new(),
        }
    }

    /// Keeps what it is told now.
    pub(crate) fn learn(&mut self, context: &UserContext, image: &Image, domain: &Domain) {
        match self.runs {
            Runs::Registers { .. } => context.hash(&mut self.history),
            Runs::Code(_) => self.learn_message(context),
        }
        // What others cannot write follows from what it was told.
        let regions = domain.maps.iter().map(|map| &image.regions[map.region]);
        for region in regions.filter(|region| region.is_shared) {
            region.memory.for_each(|word| self.history.write_u64(word));
        }
    }

    /// Keeps the answer to its system call.
    fn learn_message(&mut self, context: &UserContext) {
        /// Where the badges of capabilities are in an IPC buffer.
        const BADGES: Range<usize> = HostBuffer::CAPS..HostBuffer::CAPS + MAX_EXTRA_CAPS;
        // Whether it begins or goes on is told by its program counter.
        self.history.write_u64(context.pc);
        for register in [CAP_REGISTER, INFO_REGISTER]
            .into_iter()
            .chain(MESSAGE_REGISTERS)
        {
            self.history.write_u64(context[register]);
        }
        let info = MessageInfo::from_word(context[INFO_REGISTER]);
        let words = 1 + MESSAGE_REGISTERS.len()..1 + usize::from(info.length);
        let badges = if info.extra_caps > 0 { BADGES } else { 0..0 };
        for index in words.chain(badges) {
            let word = self.read_buffer(index);
            self.history.write_u64(word);
        }
    }

    /// What its own state follows from.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.history.fingerprint()
    }

    /// Reads a word of its IPC buffer; zero if it has none that the kernel may read.
    pub(crate) fn read_buffer(&mut self, index: usize) -> u64 {
        match &mut self.runs {
            Runs::Code(code) => code.buffer().map_or(0, |buffer| buffer.read(index)),
            Runs::Registers { ipc_buffer, .. } => ipc_buffer[index],
        }
    }

    /// Writes a word of its IPC buffer.
    pub(crate) fn write_buffer(&mut self, index: usize, word: u64) {
        match &mut self.runs {
            Runs::Code(code) => {
                if let Some(mut buffer) = code.buffer() {
                    buffer.write(index, word);
                }
            }
            Runs::Registers { ipc_buffer, .. } => ipc_buffer[index] = word,
        }
    }
}

impl Code {
    /// Begins, or begins anew.
    pub(crate) fn begin(&mut self, domain: &Domain) {
        self.end();
        watch_panics();
        let body = Arc::clone(&self.body);
        let (identity, symbols) = (domain.identity, domain.symbols);
        self.program = Some(Program::new(CARRIER, move || {
            sel4::set_ipc_buffer(take_token());
            identity.set();
            set_symbols(symbols);
            set_access_policy(&Steps);
            body();
        }));
    }

    /// Ends where it is: nothing of it runs any more, but for destructors.
    pub(crate) fn end(&mut self) {
        if self.program.is_some() {
            self.state.exchange();
            self.program = None;
            self.state.exchange();
        }
        let state = std::mem::take(&mut self.state);
        if let Some(token) = state.into_token() {
            give_token(token);
        }
        self.at = None;
    }

    /// Whether it stands at a system call.
    pub(crate) fn is_at_call(&self) -> bool {
        self.at == Some(Stop::SystemCall)
    }

    /// Whether it can be let go on from a point.
    pub(crate) fn is_at_point(&self) -> bool {
        self.at == Some(Stop::Point)
    }

    /// Runs until it stops.
    pub(crate) fn go_on(&mut self) -> Stop {
        let Some(program) = &mut self.program else {
            return Stop::Ended;
        };
        self.state.exchange();
        let stop = program.resume();
        self.state.exchange();
        self.at = Some(stop);
        stop
    }

    /// The registers of its system call, into the kernel's context.
    pub(crate) fn store_registers(&self, context: &mut UserContext) {
        let Some(program) = &self.program else { return };
        let registers = program.registers();
        context[Register::X(7)] = registers.number.cast_unsigned();
        context[CAP_REGISTER] = registers.capability;
        context[INFO_REGISTER] = registers.info;
        context[REPLY_REGISTER] = registers.reply;
        context[NB_SEND_RECV_DEST] = registers.destination;
        for (register, word) in MESSAGE_REGISTERS.into_iter().zip(registers.message) {
            context[register] = word;
        }
    }

    /// The kernel's answer, from its context.
    pub(crate) fn answer(&mut self, context: &UserContext) {
        let Some(program) = &mut self.program else {
            return;
        };
        program.answer(Registers {
            number: context[Register::X(7)].cast_signed(),
            capability: context[CAP_REGISTER],
            info: context[INFO_REGISTER],
            message: MESSAGE_REGISTERS.map(|register| context[register]),
            reply: context[REPLY_REGISTER],
            destination: context[NB_SEND_RECV_DEST],
        });
    }

    fn buffer(&mut self) -> Option<HostBuffer<'_>> {
        self.program.as_mut()?.buffer()
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.runs {
            Runs::Code(code) => f.debug_tuple("Code").field(&code.at).finish(),
            Runs::Registers { .. } => f.write_str("Registers"),
        }
    }
}

std::thread_local! {
    /// IPC buffers that no program has now.
    static TOKENS: RefCell<Vec<IpcBufferToken>> = const { RefCell::new(Vec::new()) };
}

fn take_token() -> IpcBufferToken {
    TOKENS
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(new_ipc_buffer)
}

fn give_token(mut token: IpcBufferToken) {
    token.with_mut(|buffer| *buffer = sel4::IpcBuffer::new());
    TOKENS.with_borrow_mut(|tokens| tokens.push(token));
}
