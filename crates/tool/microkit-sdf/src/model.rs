//! What the model kernel cannot run, by name.

use miette::Diagnostic;
use thiserror::Error;

use crate::report::{DiagnosticKind, Finding};
use crate::system::{Fill, System};

/// One thing that the model kernel cannot run, and where.
pub type Refusal = Finding<RefusalKind>;

/// What the model kernel cannot run.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[diagnostic(help("build with the Microkit SDK to run this on seL4"))]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum RefusalKind {
    /// A virtual machine.
    #[error("the model kernel has no virtual machines, such as `{name}`")]
    VirtualMachine { name: String },

    /// SMC calls.
    #[error("the model kernel passes no SMC calls on, as `{pd}` asks for")]
    Smc { pd: String },

    /// A domain schedule.
    #[error("the model kernel has no domain schedule")]
    Domains,

    /// A core other than the first.
    #[error("the model kernel runs on core 0 only, and `{pd}` on core {cpu}")]
    Cpu { pd: String, cpu: u8 },

    /// Memory filled from the boot information.
    #[error("the model kernel has no boot information to fill `{region}` with")]
    BootInfo { region: String },
}

impl DiagnosticKind for RefusalKind {}

impl System {
    /// Everything in the system that the model kernel cannot run, in the order of the file within
    /// each kind of element. None means that it runs all of it.
    pub fn refusals_for_model(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Some(domains) = &self.domains {
            refusals.push(Refusal::at(domains.span, RefusalKind::Domains));
        }
        for pd in &self.protection_domains {
            let name = || pd.name.clone();
            if pd.cpu != 0 {
                let kind = RefusalKind::Cpu {
                    pd: name(),
                    cpu: pd.cpu,
                };
                refusals.push(Refusal::at(pd.span, kind));
            }
            if pd.smc {
                refusals.push(Refusal::at(pd.span, RefusalKind::Smc { pd: name() }));
            }
            if let Some(vm) = &pd.virtual_machine {
                let kind = RefusalKind::VirtualMachine {
                    name: vm.name.clone(),
                };
                refusals.push(Refusal::at(vm.span, kind));
            }
        }
        for region in &self.memory_regions {
            if let Fill::BootInfo(_) = region.fill {
                let kind = RefusalKind::BootInfo {
                    region: region.name.clone(),
                };
                refusals.push(Refusal::at(region.span, kind));
            }
        }
        refusals
    }
}
