//! The kinds of findings: one variant for each problem, with its message and its help.

use std::mem::discriminant;

use microkit_abi::limits::SMALL_PAGE_BYTES;
use microkit_sdf::DiagnosticKind;
pub use microkit_sdf::Label;
use miette::{Diagnostic, Severity};

/// All findings in one system, in the order of its file.
pub type Report = microkit_sdf::Report<FindingKind>;

/// One problem, with one or more places in the file. The places of a cycle are in the order of the
/// cycle.
pub type Finding = microkit_sdf::Finding<FindingKind>;

/// The kind of a finding. [`severity`](Diagnostic::severity) distinguishes errors from warnings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum FindingKind {
    // Waits that never end.
    /// Some PDs wait for each other.
    #[error("these can wait for each other forever: {path}")]
    #[diagnostic(help(
        "break the cycle in one of them: notify instead of calling, return from the handler and do the \
         rest later, or release a lock first"
    ))]
    Cycle { path: String },

    /// A protected procedure waits for its caller.
    #[error(
        "`{pd}` waits inside its protected procedure for `{caller}`, which waits for the reply"
    )]
    #[diagnostic(help(
        "reply first: `{caller}` can notify or call again once it has done what `{pd}` needs"
    ))]
    WaitsForCaller { pd: String, caller: String },

    /// A PD takes a lock that it already holds.
    #[error("`{pd}` takes the lock `{lock}` while it holds it")]
    #[diagnostic(help("release it first, or take it once around both"))]
    LockTwice { pd: String, lock: String },

    // Declarations without a matching element in the system file.
    /// A declared wait at a channel that the system file does not have.
    #[error(
        "the program of `{pd}` declares a wait at channel {id}, but `{pd}` has no such channel"
    )]
    #[diagnostic(help("give `{pd}` an `<end>` with this `id`, or change the program's `waits!`"))]
    NoSuchChannel { pd: String, id: u8 },

    /// A declared wait for a fault of a child that the system file does not have.
    #[error("the program of `{pd}` declares a wait in `fault({id})`, but `{pd}` has no child {id}")]
    #[diagnostic(help("give a child of `{pd}` this `id`, or change the program's `waits!`"))]
    NoSuchChild { pd: String, id: u8 },

    /// A call that the system file does not allow.
    #[error("the program of `{pd}` declares a call over channel {id}, but it may not call there")]
    #[diagnostic(help("write `pp=\"true\"` at its `<end>`, or change the program's `waits!`"))]
    MayNotCall { pd: String, id: u8 },

    /// A protected procedure that no PD may call over this channel.
    #[error(
        "the program of `{pd}` declares a wait in `protected({id})`, but `{caller}` may not call it"
    )]
    #[diagnostic(help(
        "write `pp=\"true\"` at the `<end>` of `{caller}`, or change the program's `waits!`"
    ))]
    NeverCalled { pd: String, id: u8, caller: String },

    // Memory that differs from the program's expectation.
    /// A symbol for the address of a region, set to another value.
    #[error(
        "the program of `{pd}` uses `{symbol}` as the address of a memory region, but it is not one"
    )]
    #[diagnostic(help("set it by `setvar_vaddr` of a `<map>` only"))]
    NotAnAddress { pd: String, symbol: String },

    /// A region with some of its symbols not set.
    #[error(
        "the program of `{pd}` needs `{missing}` beside `{set}`, but the system file does not set it"
    )]
    #[diagnostic(help("add `{attribute}=\"{missing}\"` for the same memory region"))]
    HalfSet {
        pd: String,
        set: String,
        attribute: &'static str,
        missing: String,
    },

    /// A symbol that is set to the size or the physical address of a different region.
    #[error(
        "the program of `{pd}` uses `{symbol}` and `{vaddr}` for one region, but they are of two"
    )]
    #[diagnostic(help("set `{symbol}` by `{attribute}` of `{region}`, which sets `{vaddr}`"))]
    OtherRegion {
        pd: String,
        symbol: String,
        attribute: &'static str,
        vaddr: String,
        region: String,
    },

    /// A region that requires exclusive access, but has another mapping.
    #[error("the program of `{pd}` uses `{region}` {what}, alone, and it is mapped once more")]
    #[diagnostic(help(
        "map it once in `{pd}`, and in no other protection domain or virtual machine with `w`"
    ))]
    NotAlone {
        pd: String,
        region: String,
        what: &'static str,
    },

    /// A mapping in the guard page below the stack.
    #[error("`{region}` ends at {end:#x}, so that nothing would stop the stack of `{pd}` there")]
    #[diagnostic(help(
        "leave the page below the stack unmapped: the mapping may end at {limit:#x} at most"
    ))]
    GuardPage {
        pd: String,
        region: String,
        end: u64,
        limit: u64,
    },

    /// A program that extends into the guard page below the stack.
    #[error("the program of `{pd}` ends at {end:#x}, so that nothing would stop its stack there")]
    #[diagnostic(help("link it to lower addresses: it may end at {limit:#x} at most"))]
    ProgramTooHigh { pd: String, end: u64, limit: u64 },

    /// A child whose program keeps too little data, so its first restart would fault.
    #[error(
        "`{pd}` has a parent, which can restart it, and {data} bytes of initialised data, of which its \
         program keeps {kept}"
    )]
    #[diagnostic(help(
        "write `#[protection_domain(kept_data_size = {wanted})]`, so that a restart finds the data as \
         it was at first"
    ))]
    DataNotKept {
        pd: String,
        data: u64,
        kept: u64,
        wanted: u64,
    },

    /// A child whose ELF headers are not in memory, so a restart cannot find its data.
    #[error(
        "`{pd}` has a parent, which can restart it, and the ELF headers of its program, by which a \
         restart finds the data, are not in memory"
    )]
    #[diagnostic(help(
        "link it without a linker script, or let the script put the headers into the first segment, with \
         `PT_LOAD FILEHDR PHDRS` and `. += SIZEOF_HEADERS`"
    ))]
    HeadersNotInMemory { pd: String },

    /// A symbol that is set, but is not a variable that the system file may set.
    #[error("the program of `{pd}` has no variable `{symbol}` that the system file may set")]
    #[diagnostic(help(
        "declare it in the program, with `var!` or one of the macros for memory regions, or name \
         another here"
    ))]
    NoVariable { pd: String, symbol: String },

    /// A stack that is smaller than the program requests.
    #[error("the program of `{pd}` asks for a stack of {wanted} bytes, and gets {given}")]
    #[diagnostic(help(
        "write `stack_size=\"{:#x}\"` at its `<protection_domain>`",
        wanted.next_multiple_of(SMALL_PAGE_BYTES)
    ))]
    StackTooSmall { pd: String, wanted: u64, given: u64 },

    // Warnings.
    /// A cycle that exists only while a PD has faulted.
    #[error("if `{child}` faults, these wait for each other forever: {path}")]
    #[diagnostic(
        severity(warning),
        help(
            "`{parent}` must handle the fault, and cannot while it waits: let it notify instead of \
             calling, or call a PD that is not its child"
        )
    )]
    FaultCycle {
        child: String,
        parent: String,
        path: String,
    },

    /// Callers that get no reply when a server is restarted.
    #[error(
        "if `{server}` faults in a call, its caller ({callers}) waits forever, even if `{parent}` \
         restarts it"
    )]
    #[diagnostic(
        severity(warning),
        help(
            "let the server's `Handler::restart_reply` return `Some(restart_reply!(LABEL))`; \
             docs/guide/when-it-fails.md says more, and what a program in C can do"
        )
    )]
    CallersLeft {
        server: String,
        parent: String,
        callers: String,
    },

    /// A child that can keep its parent from running. The parent then cannot stop the child.
    #[error(
        "`{child}` (priority {child_priority}) can keep its parent `{parent}` (priority \
         {parent_priority}) from running"
    )]
    #[diagnostic(
        severity(warning),
        help(
            "a parent can only stop a child when it runs: lower the child's priority, or give it a \
             `budget` below its `period`"
        )
    )]
    ChildAboveParent {
        child: String,
        child_priority: u8,
        parent: String,
        parent_priority: u8,
    },

    /// A passive PD that never runs after its initialisation.
    #[error("nothing ever wakes `{pd}`, which is passive")]
    #[diagnostic(
        severity(warning),
        help("give it an `<irq>`, a child, or a channel over which it is called or notified")
    )]
    NeverWoken { pd: String },

    /// A channel that neither end may use.
    #[error("neither end may use this channel")]
    #[diagnostic(
        severity(warning),
        help("let an end notify or call (`pp=\"true\"`), or remove the channel")
    )]
    DeadChannel,

    /// Device registers that two PDs write to.
    #[error("`{one}` and `{other}` both write to `{region}`, which is not cached")]
    #[diagnostic(
        severity(warning),
        help(
            "if it is a device, let one of them drive it for the other; if it is memory, leave \
             `cached=\"false\"` out"
        )
    )]
    TwoDrivers {
        region: String,
        one: String,
        other: String,
    },

    /// Memory that is mapped both cached and uncached.
    #[error("`{region}` is cached in `{cached}` and not in `{uncached}`")]
    #[diagnostic(
        severity(warning),
        help(
            "one may not see what the other writes (Arm ARM, *Mismatched memory attributes*): map it \
             the same everywhere"
        )
    )]
    MixedCaching {
        region: String,
        cached: String,
        uncached: String,
    },

    /// A budget that is too small for the kernel to start a system call.
    #[error("a budget of {budget_us} us is too small for `{pd}` to run")]
    #[diagnostic(
        severity(warning),
        help(
            "write more than {min_us}: a system call begins only while {min_us} us of the budget \
             are left"
        )
    )]
    BudgetTooSmall {
        pd: String,
        budget_us: u64,
        min_us: u64,
    },

    /// A PD in a domain that is not in the schedule.
    #[error("`{pd}` never runs: its domain is not in the schedule")]
    #[diagnostic(
        severity(warning),
        help("add an entry for the domain to `<domain_schedule>`, or put `{pd}` into another")
    )]
    DomainNeverRuns { pd: String },

    /// A right to call that the program does not use.
    #[error("`{pd}` may call over channel {id}, but its program declares that it never does")]
    #[diagnostic(
        severity(warning),
        help("leave `pp=\"true\"` out, or add the call to the program's `waits!`")
    )]
    CallNotDeclared { pd: String, id: u8 },
}

impl DiagnosticKind for FindingKind {
    /// Waits that never end are separate findings, because the fix of one cycle does not fix
    /// another cycle. Errors with different fixes are also separate findings.
    fn joins(&self, other: &Self) -> bool {
        let is_alone = matches!(
            self,
            Self::Cycle { .. } | Self::WaitsForCaller { .. } | Self::LockTwice { .. }
        );
        let is_warning = self.severity() == Some(Severity::Warning);
        let help = |kind: &Self| kind.help().map(|help| help.to_string());
        !is_alone
            && discriminant(self) == discriminant(other)
            && (is_warning || help(self) == help(other))
    }
}
