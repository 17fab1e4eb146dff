//! Finds callers that wait forever if a server dies during their call.
//!
//! If a server faults in its protected procedure, its caller is blocked on the reply. When the
//! parent restarts the server, the new incarnation can send that reply. If the new incarnation
//! waits for the next call instead, the kernel makes the caller inactive (seL4's `receiveIPC`).
//! After that, nothing wakes the caller.
//!
//! Only a server with a parent is checked. A PD without a parent is never restarted, and the
//! monitor reports its fault.

use microkit_sdf::System;

use crate::declaration::Declaration;
use crate::finding::{Finding, FindingKind, Label, Report};
use crate::wait::{Target, WaitKind, waits};

/// The name of the ELF section that declares a reply at the restart: the program's first wait after
/// a restart is also a reply. `sel4_microkit::restart_reply!` writes this section.
pub const RESTART_SECTION: &str = ".microkit.restart";

/// Reports the servers of `system` that leave their callers waiting after a restart by a parent.
/// `replies` has an entry for each protection domain, in the same order. The entry is true if the
/// program replies after a restart. The entry is `None` if the program is unknown. `declarations`
/// is as for [`check`](crate::check()).
pub fn restarts(
    system: &System,
    declarations: &[Option<Declaration>],
    replies: &[Option<bool>],
) -> Report {
    let waits = waits(system, declarations);
    let pds = &system.protection_domains;
    let mut findings = Vec::new();
    for (server, pd) in pds.iter().enumerate() {
        let Some(parent) = pd.parent else { continue };
        if replies.get(server) != Some(&Some(false)) {
            continue;
        }
        // If the parent itself is the caller, the fault stays unhandled. The cycle check reports
        // this case.
        let calls = waits.iter().filter(|wait| {
            let is_call = matches!(wait.kind, WaitKind::Call(_));
            is_call && wait.target == Target::Pd(server) && wait.pd != parent
        });
        let mut callers: Vec<usize> = Vec::new();
        let mut labels = vec![Label::new(pd.span, "the server")];
        for call in calls {
            if !callers.contains(&call.pd) {
                callers.push(call.pd);
                labels.push(Label::new(call.span, "a caller"));
            }
        }
        if callers.is_empty() {
            continue;
        }
        let names = callers
            .iter()
            .map(|caller| format!("`{}`", pds[*caller].name));
        let kind = FindingKind::CallersLeft {
            server: pd.name.clone(),
            parent: pds[parent].name.clone(),
            callers: names.collect::<Vec<_>>().join(" or "),
        };
        findings.push(Finding::new(kind, labels));
    }
    Report::new(system.source.clone(), findings).grouped()
}
