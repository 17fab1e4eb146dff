//! Errors of the layout of a system, each with its place in the system file.

use std::ops::Range;
use std::path::PathBuf;

use boot_spec::SpecError;
use microkit_sdf::{DiagnosticKind, Finding, RefusalKind, Report};
use miette::Diagnostic;
use thiserror::Error;

use crate::program_error::ProgramError;
use crate::wording::{Addresses, Bytes};

/// All errors of the layout of a system, in the order of the system file.
pub type PlanErrors = Report<PlanErrorKind>;

/// One error of the layout, at the element that causes it. An error of the whole system has no
/// place in the file.
pub type PlanError = Finding<PlanErrorKind>;

/// The kind of a layout error. *Stricter* marks an error that the SDK's tool does not report.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum PlanErrorKind {
    /// A feature that seL4 supports but the model kernel does not support.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Model(#[from] RefusalKind),

    /// An error in the program of a PD.
    #[error("`{}`, {what} of `{pd}`, {error}", path.display())]
    #[diagnostic(forward(error))]
    Program {
        pd: String,
        path: PathBuf,
        /// The role of the file for the PD.
        what: &'static str,
        error: ProgramError,
    },

    /// An interrupt that the board does not have. The SDK's tool builds a system with such an
    /// interrupt, and seL4 rejects the system at boot.
    #[error("there is no interrupt {number}, which `{pd}` is to handle")]
    #[diagnostic(help("the interrupts of this board are 0 to {last}"))]
    NoSuchIrq { pd: String, number: u64, last: u32 },

    /// An interrupt that the kernel reserves. The SDK's tool builds a system with such an
    /// interrupt, and seL4 rejects the system at boot.
    #[error("the interrupt {number}, which `{pd}` is to handle, is the kernel's")]
    #[diagnostic(help("the kernel keeps its timer and what virtual machines need to itself"))]
    KernelIrq { pd: String, number: u64 },

    /// A kind of channel that the model kernel does not support. *Stricter*.
    #[error("the model kernel has no channels from a protection domain to itself")]
    #[diagnostic(help("give the channel two ends that are different protection domains"))]
    ChannelToItself,

    /// A mapping in the guard page below the stack. *Stricter*.
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

    /// A mapping that overlaps the stack or the IPC buffer. If the parser's options describe the
    /// same kernel, the parser already reports this error.
    #[error("`{region}` is mapped over the stack or the IPC buffer of `{pd}`")]
    #[diagnostic(help("the mapping may end at {limit:#x} at most"))]
    MapOnStack {
        pd: String,
        region: String,
        limit: u64,
    },

    /// A file that fills a region was readable during parsing, but not during planning.
    #[error("`{}`, which fills the region `{region}`, cannot be read: {reason}", path.display())]
    #[diagnostic(help("it is looked for in the search paths, in their order"))]
    FillUnreadable {
        region: String,
        path: PathBuf,
        reason: String,
    },

    /// A file that fills a region has changed since the system was parsed.
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

    /// A filled region outside main memory. *Stricter*.
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

    /// A region that overlaps the model kernel. *Stricter*, because the SDK's kernel is at another
    /// address.
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

    /// A region that overlaps a device that the kernel reserves.
    #[error("the region `{region}` takes {}, where {device} is", Addresses(taken))]
    #[diagnostic(help("the kernel shares it with nobody: {} is its", Addresses(kernel)))]
    RegionOnKernelDevice {
        region: String,
        taken: Range<u64>,
        device: &'static str,
        kernel: Range<u64>,
    },

    /// A region at physical addresses that do not exist.
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

    /// There is not enough free memory.
    #[error("there is no room for {what}: it needs {}{form}, and {} are left", Bytes(*bytes), Bytes(*left))]
    #[diagnostic(help(
        "all that is to be placed in main memory needs {}, and there are {}: \
         make something smaller",
        Bytes(*needed), Bytes(*available)
    ))]
    NoRoom {
        what: String,
        bytes: u64,
        /// The required form of the memory: in one piece, in large pages, or empty for any form.
        form: &'static str,
        /// The free memory in that form, in bytes.
        left: u64,
        /// The memory that all parts without a fixed address require, in bytes.
        needed: u64,
        /// The memory available for all parts without a fixed address, in bytes.
        available: u64,
    },

    /// The model kernel would reject the boot spec of this system.
    #[error("the model kernel would not take this system: {0}")]
    #[diagnostic(help("build with the Microkit SDK to run this on seL4"))]
    Spec(SpecError),
}

impl DiagnosticKind for PlanErrorKind {}

impl PlanErrorKind {
    /// Returns whether the error also prevents the system from running on seL4, on every board. The
    /// SDK's tool may accept a system with any other error, because it chooses other places in main
    /// memory.
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
