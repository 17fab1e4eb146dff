//! Collects the waits of a system: the waits that its programs declare. For a program without a
//! declaration, assumes every call that the system file allows.

use microkit_sdf::{End, Span, System};

use crate::declaration::{Context, Declaration, Statement, Step};
use crate::finding::{Finding, FindingKind, Label};

/// A place where a protection domain waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// The index of the protection domain that waits.
    pub pd: usize,
    /// The place of the wait in the program.
    pub during: During,
    /// The kind of wait.
    pub kind: WaitKind,
    /// The PD or lock that the protection domain waits for.
    pub target: Target,
    /// The locks that the protection domain holds during the wait.
    pub holding: Vec<String>,
    /// The place in the system file that allows this wait.
    pub span: Span,
}

/// The place in a program where a protection domain waits.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum During {
    /// Anywhere: the program has no declaration.
    Any,
    /// At the declared place in the program.
    Declared(Context),
}

/// The kind of wait of a protection domain.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum WaitKind {
    /// The PD calls over its channel with this identifier.
    Call(u8),
    /// The PD waits for an event on its channel with this identifier.
    Wait(u8),
    /// The PD takes a lock.
    Lock,
    /// The PD has faulted, and waits for its parent to handle the fault.
    Fault,
}

/// The PD or lock that can end a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The protection domain with this index must continue.
    Pd(usize),
    /// The holder of this lock must release the lock.
    Lock(String),
}

/// Returns the waits of `system`. `declarations` has an entry for each protection domain. The waits
/// of a PD are adjacent, in the order of the protection domains.
pub fn waits(system: &System, declarations: &[Option<Declaration>]) -> Vec<Wait> {
    bind(system, declarations).0
}

/// Returns the waits, and findings for the declarations without a match in this system.
pub(crate) fn bind(
    system: &System,
    declarations: &[Option<Declaration>],
) -> (Vec<Wait>, Vec<Finding>) {
    let (mut waits, mut findings) = (Vec::new(), Vec::new());
    for (pd, domain) in system.protection_domains.iter().enumerate() {
        match declarations.get(pd) {
            Some(Some(declaration)) => {
                for statement in &declaration.statements {
                    match bound(system, pd, statement) {
                        Ok(wait) => waits.extend(wait),
                        // Another PD with the same program may have the channel or child that this
                        // PD lacks.
                        Err(_) if is_bound_elsewhere(system, pd, declarations, statement) => {}
                        Err(kind) => findings.push(Finding::new(
                            kind,
                            vec![Label::new(domain.span, "whose program declares it")],
                        )),
                    }
                }
            }
            _ => waits.extend(calls(system, pd)),
        }
        if let Some(parent) = domain.parent {
            waits.push(Wait {
                pd,
                during: During::Any,
                kind: WaitKind::Fault,
                target: Target::Pd(parent),
                holding: Vec::new(),
                span: domain.span,
            });
        }
    }
    (waits, findings)
}

/// Returns the channel ends of protection domain `pd`, each with the peer's end.
pub(crate) fn ends(system: &System, pd: usize) -> impl Iterator<Item = (&End, &End)> {
    let channels = system.channels.iter();
    let both = channels.flat_map(|channel| {
        let [one, other] = &channel.ends;
        [(one, other), (other, one)]
    });
    both.filter(move |(own, _)| own.pd == pd)
}

/// Returns every call that the system file allows for `pd`.
fn calls(system: &System, pd: usize) -> impl Iterator<Item = Wait> {
    let ends = ends(system, pd).filter(|(own, _)| own.pp);
    ends.map(move |(own, other)| Wait {
        pd,
        during: During::Any,
        kind: WaitKind::Call(own.id),
        target: Target::Pd(other.pd),
        holding: Vec::new(),
        span: own.span,
    })
}

/// Resolves a statement of `pd`'s program to a wait in this system. Returns `Ok(None)` for a wait
/// for an interrupt.
fn bound(system: &System, pd: usize, statement: &Statement) -> Result<Option<Wait>, FindingKind> {
    let domain = &system.protection_domains[pd];
    let name = || domain.name.clone();
    let end = |id: u8| ends(system, pd).find(|(own, _)| own.id == id);
    let is_irq = |id: u8| domain.irqs.iter().any(|irq| irq.id == id);

    match statement.context {
        Context::Init
        | Context::Notified(None)
        | Context::Protected(None)
        | Context::Fault(None) => {}
        Context::Notified(Some(id)) => {
            if end(id).is_none() && !is_irq(id) {
                return Err(FindingKind::NoSuchChannel { pd: name(), id });
            }
        }
        Context::Protected(Some(id)) => {
            let (_, caller) = end(id).ok_or(FindingKind::NoSuchChannel { pd: name(), id })?;
            if !caller.pp {
                let caller = system.protection_domains[caller.pd].name.clone();
                return Err(FindingKind::NeverCalled {
                    pd: name(),
                    id,
                    caller,
                });
            }
        }
        Context::Fault(Some(id)) => {
            if domain.children.iter().all(|child| child.id != id) {
                return Err(FindingKind::NoSuchChild { pd: name(), id });
            }
        }
    }

    let (kind, target, span) = match &statement.step {
        Step::Call(id) => {
            let (own, other) = end(*id).ok_or(FindingKind::NoSuchChannel {
                pd: name(),
                id: *id,
            })?;
            if !own.pp {
                return Err(FindingKind::MayNotCall {
                    pd: name(),
                    id: *id,
                });
            }
            (WaitKind::Call(*id), Target::Pd(other.pd), own.span)
        }
        Step::Wait(id) if is_irq(*id) => return Ok(None),
        Step::Wait(id) => {
            let (own, other) = end(*id).ok_or(FindingKind::NoSuchChannel {
                pd: name(),
                id: *id,
            })?;
            (WaitKind::Wait(*id), Target::Pd(other.pd), own.span)
        }
        Step::Lock(lock) => (WaitKind::Lock, Target::Lock(lock.clone()), domain.span),
    };
    Ok(Some(Wait {
        pd,
        during: During::Declared(statement.context),
        kind,
        target,
        holding: statement.holding.clone(),
        span,
    }))
}

/// Whether another protection domain with the same program has the channel or child of the
/// statement.
fn is_bound_elsewhere(
    system: &System,
    pd: usize,
    declarations: &[Option<Declaration>],
    statement: &Statement,
) -> bool {
    let image = &system.protection_domains[pd].program_image;
    let others = system.protection_domains.iter().enumerate();
    others
        .filter(|(other, domain)| *other != pd && domain.program_image == *image)
        .filter(|(other, _)| declarations.get(*other) == declarations.get(pd))
        .any(|(other, _)| bound(system, other, statement).is_ok())
}
