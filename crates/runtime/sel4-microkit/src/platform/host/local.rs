//! Values that each PD owns. On the target, these values are statics. On a host, several PDs share
//! a process and a thread, so each PD needs its own values.

use core::any::Any;
use core::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;

/// Returns the value of type `T` that belongs to the PD running in this thread.
///
/// The first call of a PD makes the default value of `T`.
///
/// ```
/// use std::cell::Cell;
/// use sel4_microkit::host::{State, local};
///
/// local::<Cell<u32>>().set(7);
/// let mut other = State::new();
/// other.exchange();
/// assert_eq!(local::<Cell<u32>>().get(), 0, "another PD runs now");
/// other.exchange();
/// assert_eq!(local::<Cell<u32>>().get(), 7);
/// ```
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

/// The values of a PD that is not running.
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
