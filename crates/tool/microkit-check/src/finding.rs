//! What is found in a system: one variant per kind of trouble, each with what to do.

use std::error::Error;
use std::fmt::{self, Display};
use std::mem::discriminant;

use microkit_abi::limits::SMALL_PAGE_BYTES;
use microkit_sdf::{Source, Span};
use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

/// Everything that was found in one system, in the order of its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    source: Source,
    findings: Vec<Finding>,
}

/// One thing found, in one place or in several.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}{}", and_more(more.len()))]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The places that it is about; of a cycle, in its order.
    pub labels: Vec<Label>,
    /// The same elsewhere in the file.
    pub more: Vec<Self>,
}

/// A place in the system file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Label {
    /// Where it is.
    pub span: Span,
    /// What of it, in a few words to be written next to it.
    pub text: String,
}

/// What is found. Whether it is an error or a warning, [`severity`](Diagnostic::severity) says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum FindingKind {
    // Waits that never end.
    /// Some wait for each other.
    #[error("these can wait for each other for ever: {path}")]
    #[diagnostic(help(
        "let one of them go on without waiting: notify instead of calling, remember what is to be \
         done and return from the handler, or give a lock back first"
    ))]
    Cycle { path: String },

    /// A protected procedure waits for its caller.
    #[error(
        "`{pd}` waits inside its protected procedure for `{caller}`, which waits for the reply"
    )]
    #[diagnostic(help(
        "reply first: `{caller}` can notify, or call again, when it has done what `{pd}` needs"
    ))]
    WaitsForCaller { pd: String, caller: String },

    /// A lock is taken by who has it.
    #[error("`{pd}` takes the lock `{lock}` while it holds it")]
    #[diagnostic(help("give it back first, or take it once, around both"))]
    LockTwice { pd: String, lock: String },

    // Declarations that bind nothing.
    /// The system file has no such channel.
    #[error("the program of `{pd}` declares a wait at channel {id}, which `{pd}` does not have")]
    #[diagnostic(help("give `{pd}` an `<end>` with this `id`, or change the program's `waits!`"))]
    NoSuchChannel { pd: String, id: u8 },

    /// The system file has no such child.
    #[error("the program of `{pd}` declares a wait in `fault({id})`, and `{pd}` has no child {id}")]
    #[diagnostic(help("give a child of `{pd}` this `id`, or change the program's `waits!`"))]
    NoSuchChild { pd: String, id: u8 },

    /// A call that the system file does not allow.
    #[error("the program of `{pd}` declares a call over channel {id}, where it may not call")]
    #[diagnostic(help("write `pp=\"true\"` at its `<end>`, or change the program's `waits!`"))]
    MayNotCall { pd: String, id: u8 },

    /// A protected procedure that nobody can call.
    #[error(
        "the program of `{pd}` declares a wait in `protected({id})`, and `{caller}` may not call it"
    )]
    #[diagnostic(help(
        "write `pp=\"true\"` at the `<end>` of `{caller}`, or change the program's `waits!`"
    ))]
    NeverCalled { pd: String, id: u8, caller: String },

    // Memory that is not as the program expects.
    /// A symbol for the address of a region that is set to something else.
    #[error(
        "the program of `{pd}` takes `{symbol}` for the address of a memory region, which it is not"
    )]
    #[diagnostic(help("set it by `setvar_vaddr` of a `<map>`, and nothing else"))]
    NotAnAddress { pd: String, symbol: String },

    /// A region with one symbol set and another one not set.
    #[error(
        "the program of `{pd}` needs `{missing}` beside `{set}`, and the system file does not set it"
    )]
    #[diagnostic(help("add `{attribute}=\"{missing}\"` for the same memory region"))]
    HalfSet {
        pd: String,
        set: String,
        attribute: &'static str,
        missing: String,
    },

    /// The size or the physical address of another region.
    #[error(
        "the program of `{pd}` takes `{symbol}` and `{vaddr}` for those of one region, and they are \
         not"
    )]
    #[diagnostic(help("set `{symbol}` by `{attribute}` of `{region}`, as `{vaddr}` is"))]
    OtherRegion {
        pd: String,
        symbol: String,
        attribute: &'static str,
        vaddr: String,
        region: String,
    },

    /// A region with one owner that another PD or virtual machine can write.
    #[error("the program of `{pd}` uses `{region}` {what}, alone, and it is mapped once more")]
    #[diagnostic(help(
        "map it once in `{pd}`, and in no other protection domain or virtual machine with `w`"
    ))]
    NotAlone {
        pd: String,
        region: String,
        what: &'static str,
    },

    /// A mapping in the page where a stack would overflow to.
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

    /// A program that lies where the stack would overflow to.
    #[error("the program of `{pd}` ends at {end:#x}, so that nothing would stop its stack there")]
    #[diagnostic(help("link it to lower addresses: it may end at {limit:#x} at most"))]
    ProgramTooHigh { pd: String, end: u64, limit: u64 },

    /// A child that would fault at its first restart.
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

    /// A child of whose data a restart would know nothing.
    #[error(
        "`{pd}` has a parent, which can restart it, and the ELF headers of its program, by which a \
         restart finds the data, are not in memory"
    )]
    #[diagnostic(help(
        "link it without a linker script, or let the script put the headers into the first segment, with \
         `PT_LOAD FILEHDR PHDRS` and `. += SIZEOF_HEADERS`"
    ))]
    HeadersNotInMemory { pd: String },

    /// A symbol that is set, but is not a variable for the system file.
    #[error("the program of `{pd}` has no variable `{symbol}` that the system file may set")]
    #[diagnostic(help(
        "declare it in the program, with `var!` or one of the macros for memory regions, or name \
         another here"
    ))]
    NoVariable { pd: String, symbol: String },

    /// A stack that is smaller than the program asks for.
    #[error("the program of `{pd}` asks for a stack of {wanted} bytes, and gets {given}")]
    #[diagnostic(help(
        "write `stack_size=\"{:#x}\"` at its `<protection_domain>`",
        wanted.next_multiple_of(SMALL_PAGE_BYTES)
    ))]
    StackTooSmall { pd: String, wanted: u64, given: u64 },

    // Warnings.
    /// A cycle that a fault closes.
    #[error("if `{child}` faults, these wait for each other for ever: {path}")]
    #[diagnostic(
        severity(warning),
        help(
            "`{parent}` is to handle the fault, and cannot while it waits: let it notify instead of \
             calling, or let the one it calls be no child of it"
        )
    )]
    FaultCycle {
        child: String,
        parent: String,
        path: String,
    },

    /// Callers that no incarnation of a server replies to.
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

    /// A child that its parent cannot stop.
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

    /// A passive PD that never runs again.
    #[error("nothing ever wakes `{pd}`, which is passive")]
    #[diagnostic(
        severity(warning),
        help("give it a channel over which it is called or notified, an `<irq>`, or a child")
    )]
    NeverWoken { pd: String },

    /// A channel over which nothing can go.
    #[error("nothing can go over this channel")]
    #[diagnostic(
        severity(warning),
        help("let an end notify, or call (`pp=\"true\"`), or remove the channel")
    )]
    DeadChannel,

    /// The registers of one device in two hands.
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

    /// Memory that some see through a cache and some do not.
    #[error("`{region}` is cached in `{cached}` and not in `{uncached}`")]
    #[diagnostic(
        severity(warning),
        help(
            "what one writes the other may not see (Arm ARM, *Mismatched memory attributes*): map \
             it alike everywhere"
        )
    )]
    MixedCaching {
        region: String,
        cached: String,
        uncached: String,
    },

    /// A budget with which the kernel does nothing.
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

    /// A domain that has no time.
    #[error("`{pd}` never runs: its domain is not in the schedule")]
    #[diagnostic(
        severity(warning),
        help("add an entry for the domain to `<domain_schedule>`, or put `{pd}` into another")
    )]
    DomainNeverRuns { pd: String },

    /// More rights than the program uses.
    #[error("`{pd}` may call over channel {id}, and its program declares that it never does")]
    #[diagnostic(
        severity(warning),
        help("leave `pp=\"true\"` out, or add the call to the program's `waits!`")
    )]
    CallNotDeclared { pd: String, id: u8 },
}

impl Report {
    /// A report of `all`, with what is the same in several places told once.
    pub(crate) fn new(source: Source, mut all: Vec<Finding>) -> Self {
        all.sort_by_key(|finding| finding.labels.iter().map(|label| label.span).min());
        let mut findings: Vec<Finding> = Vec::new();
        for finding in all {
            let is_same = |first: &&mut Finding| first.is_told_with(&finding);
            match findings.iter_mut().find(is_same) {
                Some(first) => first.more.push(finding),
                None => findings.push(finding),
            }
        }
        Self { source, findings }
    }

    /// What was found, in the order of the file. What is the same in several places is one.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many of them are errors.
    pub fn error_count(&self) -> usize {
        let errors = self.findings.iter().filter(|finding| finding.is_error());
        errors.count()
    }

    /// How many of them are warnings.
    pub fn warning_count(&self) -> usize {
        self.findings.len() - self.error_count()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = [
            (self.error_count(), "error"),
            (self.warning_count(), "warning"),
        ];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        let counted: Vec<_> = counted
            .map(|(count, noun)| format!("{count} {noun}{}", if *count == 1 { "" } else { "s" }))
            .collect();
        match counted.is_empty() {
            true => write!(f, "nothing found in {}", self.source.name),
            false => write!(f, "{} in {}", counted.join(" and "), self.source.name),
        }
    }
}

impl Error for Report {}

impl Diagnostic for Report {
    fn severity(&self) -> Option<Severity> {
        match self.error_count() {
            0 => Some(Severity::Warning),
            _ => Some(Severity::Error),
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(
            self.findings
                .iter()
                .map(|finding| finding as &dyn Diagnostic),
        ))
    }
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, labels: Vec<Label>) -> Self {
        Self {
            kind,
            labels,
            more: Vec::new(),
        }
    }

    /// Whether the two are the same in two places. Waits that never end are not: to end one of
    /// them does nothing for another. Nor are errors that differ in what to write.
    fn is_told_with(&self, other: &Self) -> bool {
        let is_alone = matches!(
            self.kind,
            FindingKind::Cycle { .. }
                | FindingKind::WaitsForCaller { .. }
                | FindingKind::LockTwice { .. }
        );
        let help = |finding: &Self| finding.kind.help().map(|help| help.to_string());
        !is_alone
            && discriminant(&self.kind) == discriminant(&other.kind)
            && (!self.is_error() || help(self) == help(other))
    }

    /// Whether it is an error; else it is a warning.
    pub fn is_error(&self) -> bool {
        self.severity() == Some(Severity::Error)
    }
}

impl Diagnostic for Finding {
    fn severity(&self) -> Option<Severity> {
        self.kind.severity().or(Some(Severity::Error))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let others = self.more.iter().filter_map(|other| other.kind.help());
        microkit_sdf::joint_help(self.kind.help()?, others)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let shown = |span, text| LabeledSpan::new_with_span(Some(text), span);
        let own = self.labels.iter();
        let own = own.map(move |label| shown(label.span, label.text.clone()));
        // The first place of another says what it is.
        let more = self.more.iter().flat_map(move |other| {
            let labels = other.labels.iter().enumerate();
            labels.map(move |(index, label)| match index {
                0 => shown(label.span, other.kind.to_string()),
                _ => shown(label.span, label.text.clone()),
            })
        });
        Some(Box::new(own.chain(more)))
    }
}

/// How often something is told beside the first time.
fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(" (and {count} more like it)"),
    }
}

impl Label {
    pub(crate) fn new(span: Span, text: impl Into<String>) -> Self {
        Self {
            span,
            text: text.into(),
        }
    }
}
