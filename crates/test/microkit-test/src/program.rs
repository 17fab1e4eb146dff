//! The program of a PD, and its execution.
//!
//! ```text
//! begin ─▶ go_on ─▶ Stop::SystemCall ─▶ kernel ─▶ answer ─▶ go_on ─▶ …
//!            │  └──▶ Stop::Point (an access to a `SharedWord`) ─▶ go_on
//!            └─────▶ Stop::Ended (panic, or `Run::kill`)
//! ```

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
use crate::lower::{Image, Pd};

/// The program of a PD.
#[derive(Clone)]
pub(crate) enum Body {
    /// Rust code, from its initialisation to its end.
    Handler(Arc<dyn Fn() + Send + Sync>),
    /// A simulated processor.
    Processor(Arc<dyn Fn() -> Box<dyn Processor> + Send + Sync>),
}

impl Body {
    pub(crate) fn handler<H: Handler>(init: impl Fn() -> H + Send + Sync + 'static) -> Self {
        Self::Handler(Arc::new(move || run(&init)))
    }
}

/// A running PD.
pub(crate) struct Actor {
    pub(crate) runs: Runs,
    /// All inputs that the PD has received so far, in order. The state of the PD is a function of
    /// these inputs.
    pub(crate) history: Fingerprinter,
}

pub(crate) enum Runs {
    Code(Box<Code>),
    Registers {
        processor: Box<dyn Processor>,
        ipc_buffer: Box<[u64; IPC_BUFFER_WORDS]>,
    },
}

/// Rust code that runs, is stopped at a system call or at an access to a `SharedWord`, or has
/// ended.
pub(crate) struct Code {
    body: Arc<dyn Fn() + Send + Sync>,
    /// The state of the runtime, while the code does not run in this thread.
    state: State,
    program: Option<Program>,
    at: Option<Stop>,
}

/// Makes each access to a `SharedWord` a separate step, and drops the writes of a program that
/// unwinds.
struct Steps;

impl AccessPolicy for Steps {
    fn before_access(&self) {
        point();
    }

    fn takes_effect(&self) -> bool {
        !is_unwinding()
    }
}

/// Each PD's Rust code runs on its own stack. Under Miri, each PD has its own thread, because Miri
/// supports no other stacks.
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

    /// Adds the PD's current inputs to its history.
    pub(crate) fn learn(&mut self, context: &UserContext, image: &Image, pd: &Pd) {
        match self.runs {
            Runs::Registers { .. } => context.hash(&mut self.history),
            Runs::Code(_) => self.learn_message(context),
        }
        // Memory that only this PD writes is already a function of the history.
        let regions = pd.maps.iter().map(|map| &image.regions[map.region]);
        for region in regions.filter(|region| region.is_shared) {
            region.memory.for_each(|word| self.history.write_u64(word));
        }
    }

    /// Adds the kernel's answer to the PD's system call to the history.
    fn learn_message(&mut self, context: &UserContext) {
        /// The positions of the badges of capabilities in an IPC buffer.
        const BADGES: Range<usize> = HostBuffer::CAPS..HostBuffer::CAPS + MAX_EXTRA_CAPS;
        // The program counter shows whether the PD begins or continues.
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

    /// Returns the fingerprint of the PD's history.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.history.fingerprint()
    }

    /// Reads a word of the PD's IPC buffer. Returns 0 if the kernel may not read a buffer of the
    /// PD.
    pub(crate) fn read_buffer(&mut self, index: usize) -> u64 {
        match &mut self.runs {
            Runs::Code(code) => code.buffer().map_or(0, |buffer| buffer.read(index)),
            Runs::Registers { ipc_buffer, .. } => ipc_buffer[index],
        }
    }

    /// Writes a word of the PD's IPC buffer.
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
    /// Starts or restarts the program.
    pub(crate) fn begin(&mut self, pd: &Pd) {
        self.end();
        watch_panics();
        let body = Arc::clone(&self.body);
        let (identity, symbols) = (pd.identity, pd.symbols);
        self.program = Some(Program::new(CARRIER, move || {
            sel4::set_ipc_buffer(take_token());
            identity.set();
            set_symbols(symbols);
            set_access_policy(&Steps);
            body();
        }));
    }

    /// Ends the program at its current position. Only its destructors still run.
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

    /// Returns whether the program is stopped at a system call.
    pub(crate) fn is_at_call(&self) -> bool {
        self.at == Some(Stop::SystemCall)
    }

    /// Returns whether the program is stopped at an access to a `SharedWord`.
    pub(crate) fn is_at_point(&self) -> bool {
        self.at == Some(Stop::Point)
    }

    /// Resumes the program until it stops.
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

    /// Copies the registers of the program's system call into the kernel's context.
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

    /// Copies the kernel's answer from the kernel's context into the program's registers.
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
    /// The tokens of IPC buffers that no program currently uses.
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
