//! What would be a static of a protection domain's on the target: on a host, where several share a
//! process and a thread, each has its own.

use core::any::Any;
use core::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;

/// The value of this type that belongs to the protection domain which runs now. It is made when it is
/// first asked for.
pub fn local<T: Default + 'static>() -> Rc<T> {
    let find = |locals: &RefCell<Locals>| {
        let all = locals.borrow();
        all.iter()
            .find_map(|local| Rc::clone(local).downcast().ok())
    };
    LOCALS.with(find).unwrap_or_else(|| {
        let local = Rc::new(T::default());
        LOCALS.with(|locals| locals.borrow_mut().push(Rc::clone(&local) as Rc<dyn Any>));
        local
    })
}

type Locals = Vec<Rc<dyn Any>>;

/// Those of a protection domain which does not run now.
#[derive(Default)]
pub(super) struct LocalState(RefCell<Locals>);

impl LocalState {
    pub(super) fn exchange(&self) {
        LOCALS.with(|locals| locals.swap(&self.0));
    }
}

std::thread_local! {
    static LOCALS: RefCell<Locals> = const { RefCell::new(Vec::new()) };
}
