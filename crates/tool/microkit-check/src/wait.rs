//! The waits of a system: what its programs declare, and where they declare nothing, what the
//! system file lets them do.

use microkit_sdf::{End, Span, System};

use crate::declaration::{Context, Declaration, Statement, Step};
use crate::finding::{Finding, FindingKind, Label};

/// A place where a protection domain waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// The index of the protection domain that waits.
    pub pd: usize,
    /// When.
    pub during: During,
    /// How.
    pub kind: WaitKind,
    /// For whom.
    pub target: Target,
    /// The locks that it has taken then.
    pub holding: Vec<String>,
    /// The place in the system file that makes it possible.
    pub span: Span,
}

/// When a protection domain waits.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum During {
    /// Nobody says, so at any time.
    Any,
    /// As its program declares.
    Declared(Context),
}

/// How a protection domain waits.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum WaitKind {
    /// It calls over the channel that it calls this.
    Call(u8),
    /// It waits for something to come over the channel that it calls this.
    Wait(u8),
    /// It takes a lock.
    Lock,
    /// It has faulted, and its parent is to handle that.
    Fault,
}

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// That the protection domain of this index goes on.
    Pd(usize),
    /// That whoever has this lock gives it back.
    Lock(String),
}

/// The waits of `system`, for whose protection domains the programs say `declarations`. Those of
/// one come together, in the order of the protection domains.
pub fn waits(system: &System, declarations: &[Option<Declaration>]) -> Vec<Wait> {
    bind(system, declarations).0
}

/// The waits, and the declarations that mean nothing in this system.
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
                        // Another PD with this program may have what this one has not.
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

/// The ends of channels that protection domain `pd` has, each with the other end.
pub(crate) fn ends(system: &System, pd: usize) -> impl Iterator<Item = (&End, &End)> {
    let channels = system.channels.iter();
    let both = channels.flat_map(|channel| {
        let [one, other] = &channel.ends;
        [(one, other), (other, one)]
    });
    both.filter(move |(own, _)| own.pd == pd)
}

/// Every call that the system file allows.
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

/// What a statement of `pd`'s program means here: a wait, or none if it is for an interrupt.
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

/// Whether another protection domain with the same program has what the statement speaks of.
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
