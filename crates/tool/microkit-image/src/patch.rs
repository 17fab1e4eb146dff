//! Computes the values of symbols in a program: the symbols of the runtime, and the symbols that
//! the system file sets with `setvar` attributes.

use microkit_abi::{limits, symbols};
use microkit_sdf::{ProtectionDomain, SetVarValue, Span, System};

use crate::elf::Symbols;
use crate::error::PlanError;
use crate::frames::Extent;
use crate::program::{self, Program};
use crate::program_error::ProgramError;

/// A symbol of a program with its new value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patch {
    /// The name of the symbol.
    pub symbol: String,
    /// The address of the symbol.
    pub vaddr: u64,
    /// The value that is written at this address.
    pub value: PatchValue,
}

/// The value that is written into a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchValue {
    /// A name, without a terminating zero.
    Text(Vec<u8>),
    /// A Boolean value, in one byte.
    Flag(bool),
    /// A word of 8 bytes, little-endian.
    Word(u64),
}

impl PatchValue {
    /// Returns the bytes of the value.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(bytes) => bytes.clone(),
            Self::Flag(flag) => vec![u8::from(*flag)],
            Self::Word(word) => word.to_le_bytes().to_vec(),
        }
    }
}

/// A request to set a symbol.
struct Wish<'a> {
    symbol: &'a str,
    value: PatchValue,
    span: Span,
    /// Whether the symbol must have exactly 8 bytes. Otherwise the symbol may be longer than the
    /// value.
    is_setvar: bool,
}

/// Returns the patches of the program of `pd`: first for the symbols of the runtime, then for the
/// symbols in the system file. `places` has the physical place of each memory region. Reports
/// symbols that cannot be written.
pub(crate) fn of(
    pd: &ProtectionDomain,
    program: &Program<'_>,
    system: &System,
    places: &[Vec<Extent>],
    errors: &mut Vec<PlanError>,
) -> Vec<Patch> {
    let Some(symbols) = &program.symbols else {
        return Vec::new();
    };
    if runtimes(pd).all(|wish| is_missing(symbols.find(wish.symbol))) {
        let path = program::symbols_path(pd);
        errors.push(program::error_in(
            path,
            pd,
            pd.span,
            ProgramError::NoRuntime,
        ));
        return Vec::new();
    }
    let mut patches = Vec::new();
    for wish in runtimes(pd).chain(setvars(pd, system, places)) {
        match site(&wish, program, symbols) {
            Ok(vaddr) => {
                let symbol = wish.symbol.to_owned();
                patches.push(Patch {
                    symbol,
                    vaddr,
                    value: wish.value,
                });
            }
            Err(error) => {
                let path = program::symbols_path(pd);
                errors.push(program::error_in(path, pd, wish.span, error));
            }
        }
    }
    patches
}

fn is_missing<T>(found: Result<T, ProgramError>) -> bool {
    matches!(found, Err(ProgramError::SymbolMissing { .. }))
}

/// Returns the values that the runtime of every program expects in its symbols (*builder*).
fn runtimes(pd: &ProtectionDomain) -> impl Iterator<Item = Wish<'_>> {
    let name = &pd.name.as_bytes()[..pd.name.len().min(limits::NAME_BYTES)];
    let values = [
        (symbols::NAME, PatchValue::Text(name.to_vec())),
        (symbols::PASSIVE, PatchValue::Flag(pd.passive)),
        (symbols::IRQS, PatchValue::Word(pd.irqs_mask)),
        (
            symbols::NOTIFICATIONS,
            PatchValue::Word(pd.notifications_mask),
        ),
        (symbols::PPS, PatchValue::Word(pd.pps_mask)),
        (symbols::IOPORTS, PatchValue::Word(0)), // AArch64 has no I/O ports.
    ];
    values.into_iter().map(|(symbol, value)| Wish {
        symbol,
        value,
        span: pd.span,
        is_setvar: false,
    })
}

fn setvars<'a>(
    pd: &'a ProtectionDomain,
    system: &'a System,
    places: &'a [Vec<Extent>],
) -> impl Iterator<Item = Wish<'a>> {
    pd.setvars.iter().map(|setvar| {
        let chosen = match setvar.value {
            SetVarValue::Paddr { region } => places[region].first().map(|place| place.paddr),
            _ => None,
        };
        // The value is missing only if the region has no place, and that error was reported.
        let word = chosen
            .or_else(|| system.setvar_value(setvar.value))
            .unwrap_or(0);
        let value = PatchValue::Word(word);
        Wish {
            symbol: &setvar.symbol,
            value,
            span: setvar.span,
            is_setvar: true,
        }
    })
}

/// Returns the address of a symbol, or an error if the symbol cannot be written.
fn site(wish: &Wish<'_>, program: &Program<'_>, symbols: &Symbols) -> Result<u64, ProgramError> {
    let symbol = || wish.symbol.to_owned();
    let range = symbols.find(wish.symbol)?;
    let (vaddr, bytes) = (range.start, range.end - range.start);
    let needed = wish.value.to_bytes().len() as u64;
    if wish.is_setvar && bytes != needed {
        return Err(ProgramError::SymbolNotAWord {
            symbol: symbol(),
            bytes,
        });
    }
    if bytes < needed {
        return Err(ProgramError::SymbolTooSmall {
            symbol: symbol(),
            bytes,
            needed,
        });
    }
    let holds = |segment: std::ops::Range<u64>| segment.start <= vaddr && range.end <= segment.end;
    if program.is_whole
        && !program
            .segments
            .iter()
            .any(|segment| holds(segment.range()))
    {
        return Err(ProgramError::SymbolOutside {
            symbol: symbol(),
            vaddr,
        });
    }
    Ok(vaddr)
}
