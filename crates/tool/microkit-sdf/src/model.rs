//! Reports the features of a system that the model kernel does not support.

use miette::Diagnostic;
use thiserror::Error;

use crate::report::{DiagnosticKind, Finding};
use crate::system::{Fill, System};

/// One feature that the model kernel does not support, with its place.
pub type Refusal = Finding<RefusalKind>;

/// A feature that the model kernel does not support.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[diagnostic(help("build with the Microkit SDK to run this on seL4"))]
#[expect(missing_docs, reason = "the message shows what each field is")]
#[non_exhaustive]
pub enum RefusalKind {
    /// A virtual machine.
    #[error("the model kernel cannot run the virtual machine `{name}`")]
    VirtualMachine { name: String },

    /// SMC calls.
    #[error("the model kernel does not forward SMC calls, which `{pd}` asks for")]
    Smc { pd: String },

    /// A domain schedule.
    #[error("the model kernel has no domain schedule")]
    Domains,

    /// A core other than the first.
    #[error("`{pd}` runs on core {cpu}, but the model kernel has core 0 only")]
    Cpu { pd: String, cpu: u8 },

    /// Memory filled from the boot information.
    #[error("`{region}` is filled with boot information, which the model kernel does not have")]
    BootInfo { region: String },
}

impl DiagnosticKind for RefusalKind {}

impl System {
    /// Returns every feature of the system that the model kernel does not support. If the list is
    /// empty, the model kernel can run the system.
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
