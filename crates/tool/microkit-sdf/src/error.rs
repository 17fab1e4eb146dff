//! Errors of a system file: one variant for each kind.

use miette::Diagnostic;
use thiserror::Error;

use crate::former;
use crate::report::{DiagnosticKind, Finding, Report};
use crate::wording::{Hex, declared_are, neighbours, one_of, takes};

/// All errors of a system file.
pub type SdfErrors = Report<SdfErrorKind>;

/// One error of a system file, with its place.
pub type SdfError = Finding<SdfErrorKind>;

/// The kind of an error. *Stricter* marks an error that the SDK's tool does not report. Without
/// these checks, two items get the same place, a number wraps around, or the system stops at boot.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum SdfErrorKind {
    // The XML language.
    /// The text is not XML, or has a DTD.
    #[error("the XML cannot be read: {reason}")]
    #[diagnostic(help("a system file is plain XML without a document type definition"))]
    Xml { reason: String },

    /// The root element is not `system`.
    #[error("the root element is `{found}`")]
    #[diagnostic(help("put everything inside one `<system>` element"))]
    NotASystem { found: String },

    /// Text directly inside `system`.
    #[error("there is text between the elements of `system`")]
    #[diagnostic(help("delete it, or make it a comment: `<!-- ... -->`"))]
    StrayText,

    /// An unknown element.
    #[error("`{parent}` has no element `{element}`")]
    #[diagnostic(help(
        "{}",
        former::element(parent, element).map_or_else(|| takes(element, allowed), str::to_owned)
    ))]
    UnknownElement {
        element: String,
        parent: &'static str,
        allowed: &'static [&'static str],
    },

    /// An unknown attribute.
    #[error("`{element}` has no attribute `{attribute}`")]
    #[diagnostic(help(
        "{}",
        former::attribute(element, attribute)
            .map_or_else(|| takes(attribute, allowed), str::to_owned)
    ))]
    UnknownAttribute {
        attribute: String,
        element: String,
        allowed: &'static [&'static str],
    },

    /// A required attribute is absent.
    #[error("`{element}` needs the attribute `{attribute}`")]
    #[diagnostic(help("add `{attribute}=\"...\"`"))]
    MissingAttribute {
        attribute: &'static str,
        element: String,
    },

    /// A required element is absent.
    #[error("`{parent}` needs an element `{element}`")]
    #[diagnostic(help("add `<{element} ... />` inside it"))]
    MissingElement {
        element: &'static str,
        parent: &'static str,
    },

    /// A second element with a name that may occur only once.
    #[error("`{parent}` has a second `{element}`")]
    #[diagnostic(help("keep one of the two"))]
    ElementTwice {
        element: &'static str,
        parent: &'static str,
    },

    /// An element or attribute of another architecture.
    #[error("{what} does not exist on AArch64")]
    #[diagnostic(help("remove it; Microkit has it on x86-64 only"))]
    NotOnAArch64 { what: &'static str },

    /// A virtual machine outside a protection domain.
    #[error("a virtual machine must be inside a protection domain")]
    #[diagnostic(help("move it into the `protection_domain` that is to look after it"))]
    VirtualMachineOutside,

    // Invalid values.
    /// A value is not a number.
    #[error("`{value}` is not a number")]
    #[diagnostic(help(
        "write digits, or `0x` and hexadecimal digits, with `_` between digits as you like, \
         up to 64 bits"
    ))]
    NotANumber { value: String },

    /// A value is not a decimal number. The attribute allows only decimal numbers.
    #[error("`{value}` is not a decimal number")]
    #[diagnostic(help("write decimal digits only; `0x` and `_` are not understood here"))]
    NotADecimal { value: String },

    /// A value is not one of the allowed words.
    #[error("`{attribute}` cannot be `{value}`")]
    #[diagnostic(help("write {}", one_of(allowed)))]
    NotOneOf {
        attribute: &'static str,
        value: String,
        allowed: &'static [&'static str],
    },

    /// A number that is too small or too large. *Stricter* for the slots of `cspace`: the tool
    /// allows 128 slots, but only 64 exist. *Stricter* for the `id` of a child: the tool allows any
    /// `id`, but only 8 bits reach the parent.
    #[error("`{attribute}` is {value}, which is not from {min} to {max}")]
    #[diagnostic(help("write a number from {min} to {max}"))]
    OutOfRange {
        attribute: &'static str,
        value: String,
        min: u64,
        max: u64,
    },

    /// A number that is not a multiple of the required number.
    #[error("`{attribute}` is {value:#x}, which is not a multiple of {multiple:#x}")]
    #[diagnostic(help("{why}: {}", neighbours(*value, *multiple)))]
    NotAligned {
        attribute: &'static str,
        value: u64,
        multiple: u64,
        why: &'static str,
    },

    /// A budget longer than its period.
    #[error("the budget of {owner} is {budget_us} us, more than its period of {period_us} us")]
    #[diagnostic(help("lower `budget`, or raise `period`"))]
    BudgetAbovePeriod {
        owner: String,
        budget_us: u64,
        period_us: u64,
    },

    /// A budget that is too small for one kernel entry. *Stricter*: the SDK's system stops at boot.
    #[error("the budget of {owner} is {budget_us} us, and seL4 takes {min_us} us or more")]
    #[diagnostic(help(
        "write more than {min_us}: a system call begins only while {min_us} us of the budget are left"
    ))]
    BudgetTooSmall {
        owner: String,
        budget_us: u64,
        min_us: u64,
    },

    /// A period that is too long for seL4. *Stricter*: the SDK's system stops at boot.
    #[error("the period of {owner} is {period_us} us, and seL4 takes {max_us} us at most")]
    #[diagnostic(help("lower `period`, or `budget` where no `period` is written"))]
    PeriodTooLong {
        owner: String,
        period_us: u64,
        max_us: u64,
    },

    /// A page size that AArch64 does not have.
    #[error("there are no pages of {bytes:#x} bytes")]
    #[diagnostic(help(
        "write 0x1000 or 0x200_000, or leave it out: the largest that fits is then chosen"
    ))]
    PageSize { bytes: u64 },

    /// Permissions with an unknown letter.
    #[error("`perms` cannot be `{value}`")]
    #[diagnostic(help("write some of `r`, `w` and `x`; without `perms` it is `rw`"))]
    Perms { value: String },

    /// Permission to write without permission to read.
    #[error("seL4 has no mapping that can be written and not read")]
    #[diagnostic(help("write `rw`"))]
    WriteOnly,

    /// An invalid duration in a domain schedule.
    #[error("`{value}` is not a duration")]
    #[diagnostic(help(
        "write a number above 0, one space, and `us` or `ticks`, such as `1000 us`"
    ))]
    Duration { value: String },

    // Limits of this kernel.
    /// A feature that is not in the configuration of this kernel.
    #[error("this kernel is built without {what}")]
    #[diagnostic(help("build for another board or configuration, or do without"))]
    NotInKernel { what: &'static str },

    /// A core that this kernel does not have.
    #[error("there is no core {cpu}: this kernel runs on {cores}")]
    #[diagnostic(help("write a number below {cores}, or build for a multi-core configuration"))]
    NoSuchCpu { cpu: u64, cores: u8 },

    // Names and numbers that must be unique.
    /// An unknown name.
    #[error("there is no {what} `{name}`")]
    #[diagnostic(help("{}", declared_are(what, nearest.as_deref(), declared, *more)))]
    Unknown {
        what: &'static str,
        name: String,
        nearest: Option<String>,
        declared: Vec<String>,
        more: usize,
    },

    /// A duplicate name.
    #[error("there are two {what}s `{name}`")]
    #[diagnostic(help("rename one of them"))]
    DuplicateName { what: &'static str, name: String },

    /// A protection domain with the name of the monitor.
    #[error("the name `monitor` is taken by Microkit's own monitor")]
    #[diagnostic(help("choose another name"))]
    ReservedName,

    /// A name that Microkit also gives to another kernel object. The SDK's tool then stops without
    /// a message.
    #[error("the name `{name}` is taken: Microkit calls {taken_by} that")]
    #[diagnostic(help("choose another name"))]
    NameClash { name: String, taken_by: String },

    /// A duplicate number. *Stricter* for a channel whose two ends have the same PD and the same
    /// identifier.
    #[error("{what} {id} is used twice in {within}")]
    #[diagnostic(help("give one of them another number"))]
    DuplicateId {
        what: &'static str,
        id: u64,
        within: String,
    },

    /// A child and a virtual CPU with different identifiers but with the same slot for their
    /// capabilities. *Stricter*.
    #[error("child {child} has the slot of virtual CPU {vcpu}")]
    #[diagnostic(help("give the child an `id` below 64"))]
    ChildInVcpuSlot { child: u64, vcpu: u64 },

    /// A symbol that is set twice.
    #[error("`{symbol}` is set twice in `{pd}`")]
    #[diagnostic(help("use a symbol of its own for each"))]
    DuplicateSetvar { symbol: String, pd: String },

    // Limits of the numbers of elements.
    /// Too many PDs for the monitor.
    #[error("there are {count} protection domains")]
    #[diagnostic(help(
        "Microkit can have {} at most",
        microkit_abi::limits::MAX_PROTECTION_DOMAINS
    ))]
    TooManyProtectionDomains { count: usize },

    /// Too many virtual CPUs for the monitor. The SDK's tool stops without a message.
    #[error("there are {count} virtual CPUs")]
    #[diagnostic(help("Microkit can have {max} at most, in all virtual machines together"))]
    TooManyVcpus { count: usize, max: usize },

    /// A channel that does not have exactly two ends.
    #[error("a channel has two ends, and this one has {found}")]
    #[diagnostic(help("write exactly two `<end ... />`"))]
    EndCount { found: usize },

    // Errors of calls.
    /// A channel with `pp` at both ends.
    #[error("both ends of this channel may call the other")]
    #[diagnostic(help("set `pp` at one end only; otherwise the two can wait for each other"))]
    CallsBothWays,

    /// A call to a PD that does not have a higher priority than the caller.
    #[error("`{caller}` (priority {from}) may not call `{callee}` (priority {to})")]
    #[diagnostic(help("raise the priority of `{callee}` above {from}, or lower `{caller}`'s"))]
    CallNotUpward {
        caller: String,
        from: u8,
        callee: String,
        to: u8,
    },

    // Errors of memory.
    /// A memory region without a size.
    #[error("nothing says how large this memory region is")]
    #[diagnostic(help("add `size`, or fill the region from a file with `prefill_path`"))]
    SizeMissing,

    /// A memory region that is filled from two sources.
    #[error("a memory region cannot be filled from a file and from the boot information")]
    #[diagnostic(help("keep `prefill_path` or `prefill_bootinfo`"))]
    PrefilledTwice,

    /// A file whose length cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    #[diagnostic(help("it is looked for in the search paths, in their order"))]
    PrefillUnreadable { path: String, reason: String },

    /// An empty file.
    #[error("`{path}` is empty")]
    #[diagnostic(help("a region that is filled with nothing needs no `prefill_path`"))]
    PrefillEmpty { path: String },

    /// A file that is larger than its region.
    #[error("`{path}` has {file_bytes:#x} bytes and the region {region_bytes:#x}")]
    #[diagnostic(help("raise `size`, or leave it out: it then follows the file"))]
    PrefillTooLong {
        path: String,
        file_bytes: u64,
        region_bytes: u64,
    },

    /// A file that leaves whole pages of its region unfilled. The SDK's tool stops without a
    /// message.
    #[error("`{path}` has {file_bytes:#x} bytes, which leaves whole pages of the region unfilled")]
    #[diagnostic(help(
        "Microkit 2.3.0 fails on that: leave `size` out, or make the file longer with zeros"
    ))]
    PrefillTooShort { path: String, file_bytes: u64 },

    /// A symbol for the length of a file, at a region that no file fills.
    #[error("`{region}` is not filled from a file, so there is no length to set")]
    #[diagnostic(help("give the region a `prefill_path`, or remove `setvar_prefill_size`"))]
    NoPrefill { region: String },

    /// A mapping of an empty region. The SDK's tool stops without a message.
    #[error("`{region}` has no bytes to map")]
    #[diagnostic(help("give the region a `size` above 0"))]
    MapOfNothing { region: String },

    /// A symbol that would be set to address 0. *Stricter*: to a program, 0 means that the
    /// address is missing.
    #[error("`{symbol}` would be set to address 0, which a program takes for no address")]
    #[diagnostic(help("{remedy}"))]
    NullAddress {
        symbol: String,
        remedy: &'static str,
    },

    /// A mapping that extends past the end of the address space.
    #[error("the mapping ends at {end}, and may end at {limit:#x} at most")]
    #[diagnostic(help("choose a lower `vaddr`: {why}"))]
    MapTooHigh {
        end: Hex,
        limit: u64,
        why: &'static str,
    },

    /// Two mappings that overlap.
    #[error("`{one}` at {vaddr:#x} overlaps `{other}` at {other_vaddr:#x}")]
    #[diagnostic(help("the next free address after `{other}` is {other_end:#x}"))]
    MapOverlap {
        one: String,
        vaddr: u64,
        other: String,
        other_vaddr: u64,
        other_end: u64,
    },

    /// A region that extends past the last physical address. *Stricter*.
    #[error("the region starts at {phys_addr:#x}, and {bytes:#x} bytes do not fit above that")]
    #[diagnostic(help("choose a lower `phys_addr` or a smaller `size`"))]
    PhysWraps { phys_addr: u64, bytes: u64 },

    /// Two regions that overlap in physical memory.
    #[error("`{one}` at {phys_addr:#x} overlaps `{other}` at {other_phys_addr:#x}")]
    #[diagnostic(help("the next free address after `{other}` is {other_end:#x}"))]
    PhysOverlap {
        one: String,
        phys_addr: u64,
        other: String,
        other_phys_addr: u64,
        other_end: u64,
    },

    // Errors of domains.
    /// A PD with a domain that is not declared before the PD.
    #[error("the domain `{name}` is not declared before this")]
    #[diagnostic(help("write `<domains>` before the protection domains, or remove `domain`"))]
    NoDomains { name: String },

    /// Too many domains for the kernel. *Stricter* by one: the tool allows one domain more than the
    /// kernel has.
    #[error("there are more domains than the kernel's {max}")]
    #[diagnostic(help("remove some, or merge them"))]
    TooManyDomains { max: u8 },

    /// A schedule that is too long for the kernel.
    #[error("the schedule has {entries} entries")]
    #[diagnostic(help("the kernel has room for {max}"))]
    ScheduleTooLong { entries: u64, max: u64 },

    /// A schedule with a start index after its last entry. An empty schedule always has this error.
    #[error("the schedule starts at entry {start}, and has {entries}, counted from 0")]
    #[diagnostic(help("lower `start_index`, or add entries"))]
    ScheduleStart { start: u64, entries: u64 },

    /// An entry of a schedule that is too long. *Stricter*: the SDK's system stops at boot.
    #[error("`{value}` is too long: an entry of the schedule has {max} {unit} at most")]
    #[diagnostic(help("write a shorter `duration`, or several entries"))]
    DurationTooLong {
        value: String,
        max: u64,
        unit: &'static str,
    },

    /// A schedule that starts at a marker. *Stricter*: the SDK's system stops at boot.
    #[error("the schedule starts at entry {start}, which is a `schedule_end_marker`")]
    #[diagnostic(help(
        "put a `schedule_entry` first, and let `start_index` be the number of one, from 0"
    ))]
    ScheduleStartsAtEnd { start: u64 },

    /// A schedule that `index_shift` moves past the end of the kernel's schedule. *Stricter* if the
    /// sum wraps around.
    #[error("{entries} entries from index {shift} on do not fit the kernel's schedule")]
    #[diagnostic(help("lower `index_shift`: the kernel has room for {max}"))]
    ScheduleShift { shift: u64, entries: u64, max: u64 },
}

impl DiagnosticKind for SdfErrorKind {}
