//! What can keep a system from being laid out, each with its place in the system file.

use std::ops::Range;
use std::path::PathBuf;

use boot_spec::SpecError;
use microkit_sdf::{DiagnosticKind, Finding, RefusalKind, Report};
use miette::Diagnostic;
use thiserror::Error;

use crate::program_error::ProgramError;
use crate::wording::{Addresses, Bytes};

/// Everything that keeps a system from being laid out, in the order of the system file.
pub type PlanErrors = Report<PlanErrorKind>;

/// One thing that keeps a system from being laid out, at the element that asks for it. It has no
/// place if it is the system as a whole.
pub type PlanError = Finding<PlanErrorKind>;

/// What keeps a system from being laid out. *Stricter* marks what the SDK's tool lets pass.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum PlanErrorKind {
    /// Something that seL4 can do and the model kernel cannot.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] RefusalKind),

    /// Something about a PD's program.
    #[error("`{}`, {what} of `{pd}`, {error}", path.display())]
    #[diagnostic(forward(error))]
    Program {
        pd: String,
        path: PathBuf,
        /// What the file is to the PD.
        what: &'static str,
        error: ProgramError,
    },

    /// An interrupt that the board does not have. The tool builds it, and seL4 refuses it at
    /// boot.
    #[error("there is no interrupt {number}, which `{pd}` is to handle")]
    #[diagnostic(help("the interrupts of this board are 0 to {last}"))]
    NoSuchIrq { pd: String, number: u64, last: u32 },

    /// An interrupt that the kernel does not share. The tool builds it, and seL4 refuses it at
    /// boot.
    #[error("the interrupt {number}, which `{pd}` is to handle, is the kernel's")]
    #[diagnostic(help("the kernel keeps its timer and what virtual machines need to itself"))]
    KernelIrq { pd: String, number: u64 },

    /// A channel that the model kernel does not have. *Stricter*.
    #[error("the model kernel has no channels from a protection domain to itself")]
    #[diagnostic(help("give the channel two ends that are different protection domains"))]
    ChannelToItself,

    /// A mapping where an overflowing stack would write. *Stricter*.
    #[error("`{region}` ends at {end:#x}, so that nothing would stop the stack of `{pd}` there")]
    #[diagnostic(help(
        "leave the page below the stack unmapped: the mapping may end at {limit:#x} at most"
    ))]
    NoStackGuard {
        pd: String,
        region: String,
        end: u64,
        limit: u64,
    },

    /// A mapping where the stack or the IPC buffer is. The parser knows of it if it was told of
    /// the same kernel.
    #[error("`{region}` is mapped over the stack or the IPC buffer of `{pd}`")]
    #[diagnostic(help("the mapping may end at {limit:#x} at most"))]
    MapOnStack {
        pd: String,
        region: String,
        limit: u64,
    },

    /// A file that a region is filled with is not there any more.
    #[error("`{}`, which fills the region `{region}`, cannot be read: {reason}", path.display())]
    #[diagnostic(help("it is looked for in the search paths, in their order"))]
    FillUnreadable {
        region: String,
        path: PathBuf,
        reason: String,
    },

    /// A file that a region is filled with is not what it was when the system was parsed.
    #[error(
        "`{}`, which fills the region `{region}`, had {expected:#x} bytes and now has {found:#x}",
        path.display()
    )]
    #[diagnostic(help("build again, once nothing writes the file any more"))]
    FillChanged {
        region: String,
        path: PathBuf,
        expected: u64,
        found: u64,
    },

    /// A region that is filled where there is no main memory to fill. *Stricter*.
    #[error(
        "the region `{region}` takes {}, which the model kernel cannot fill",
        Addresses(taken)
    )]
    #[diagnostic(help(
        "main memory is {}: choose a `phys_addr` there, or leave it out",
        Addresses(ram)
    ))]
    FillOutsideMemory {
        region: String,
        taken: Range<u64>,
        ram: Range<u64>,
    },

    /// A region where the model kernel is. *Stricter* in that the tool's kernel is elsewhere.
    #[error(
        "the region `{region}` takes {}, where the model kernel is",
        Addresses(taken)
    )]
    #[diagnostic(help("choose a `phys_addr` outside {}, or leave it out", Addresses(kernel)))]
    RegionOnKernel {
        region: String,
        taken: Range<u64>,
        kernel: Range<u64>,
    },

    /// A region where a device is that the kernel keeps.
    #[error("the region `{region}` takes {}, where {device} is", Addresses(taken))]
    #[diagnostic(help("the kernel shares it with nobody: {} is its", Addresses(kernel)))]
    RegionOnKernelDevice {
        region: String,
        taken: Range<u64>,
        device: &'static str,
        kernel: Range<u64>,
    },

    /// A region at addresses that there are not.
    #[error(
        "the region `{region}` takes {}, and there is nothing",
        Addresses(taken)
    )]
    #[diagnostic(help("physical addresses end at {end:#x}"))]
    RegionOutside {
        region: String,
        taken: Range<u64>,
        end: u64,
    },

    /// Memory is used up.
    #[error("there is no room for {what}: it needs {}{form}, and {} are left", Bytes(*bytes), Bytes(*left))]
    #[diagnostic(help(
        "all that is to be placed in main memory needs {}, and there are {}: \
         make something smaller",
        Bytes(*needed), Bytes(*available)
    ))]
    NoRoom {
        what: String,
        bytes: u64,
        /// In one piece or in large pages, if it has to be.
        form: &'static str,
        /// In that form, in bytes.
        left: u64,
        /// For all that has no fixed address, in bytes.
        needed: u64,
        /// For the same, in bytes.
        available: u64,
    },

    /// What the boot spec would say is no system.
    #[error("the model kernel would not take this system: {0}")]
    #[diagnostic(help("build with the Microkit SDK to run this on seL4"))]
    Spec(SpecError),
}

impl DiagnosticKind for PlanErrorKind {}

impl PlanErrorKind {
    /// Returns whether no system with this error can run on seL4, whatever its board. A system can
    /// if the SDK's tool accepts it. Where things are in main memory is the tool's to say.
    pub fn holds_on_sel4(&self) -> bool {
        match self {
            Self::Program { error, .. } => !matches!(error, ProgramError::NotExecutable { .. }),
            Self::NoSuchIrq { .. }
            | Self::KernelIrq { .. }
            | Self::MapOnStack { .. }
            | Self::FillUnreadable { .. }
            | Self::FillChanged { .. }
            | Self::RegionOnKernelDevice { .. }
            | Self::RegionOutside { .. } => true,
            Self::Model(_)
            | Self::ChannelToItself
            | Self::NoStackGuard { .. }
            | Self::FillOutsideMemory { .. }
            | Self::RegionOnKernel { .. }
            | Self::NoRoom { .. }
            | Self::Spec(_) => false,
        }
    }
}
