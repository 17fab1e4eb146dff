//! Identifiers of kernel objects, and the tables that they index.
//!
//! Objects are created once, from the boot spec, and refer to each other by identifier. Each kind
//! of object has its own type of identifier. An identifier exists only for an existing object, so a
//! lookup cannot fail.

use alloc::boxed::Box;
use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

macro_rules! id {
    ($(#[$attr:meta])* $name:ident) => {
        $(#[$attr])*
        #[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u8);

        impl $name {
            /// Returns the index among the objects of its kind.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl Id for $name {
            fn nth(index: usize) -> Self {
                Self(u8::try_from(index).expect("the boot spec has at most 63 PDs"))
            }

            fn index(self) -> usize {
                self.index()
            }
        }
    };
}

/// A type of identifier for one kind of object.
pub(crate) trait Id: Copy {
    fn nth(index: usize) -> Self;
    fn index(self) -> usize;
}

id! {
    /// Identifies the thread of the PD with the same index. The last thread is the monitor's.
    ThreadId
}
id! {
    /// Identifies the scheduling context of the PD with the same index. The last scheduling context
    /// is the monitor's.
    SchedContextId
}
id! {
    /// Identifies the endpoint of the PD with the same index, even if the PD has no capability to
    /// that endpoint. The last endpoint is the monitor's.
    EndpointId
}
id! {
    /// Identifies the notification of the PD with the same index.
    NotificationId
}
id! {
    /// Identifies the reply object of the PD with the same index. The last reply object is the
    /// monitor's.
    ReplyId
}

/// Identifies an IRQ by its index in the list of the IRQs of all PDs, in the order of the boot
/// spec.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IrqId(pub(crate) u16);

impl IrqId {
    /// Returns the index in the list of IRQs.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Id for IrqId {
    fn nth(index: usize) -> Self {
        Self(u16::try_from(index).expect("63 PDs have at most 62 IRQs each"))
    }

    fn index(self) -> usize {
        self.index()
    }
}

/// A table of all objects of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Arena<K, V> {
    objects: Box<[V]>,
    kind: PhantomData<K>,
}

impl<K: Id, V> Arena<K, V> {
    pub(crate) fn new(objects: impl Iterator<Item = V>) -> Self {
        Self {
            objects: objects.collect(),
            kind: PhantomData,
        }
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = K> + use<K, V> {
        (0..self.objects.len()).map(K::nth)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.ids().zip(&self.objects)
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }
}

impl<K: Id, V> Index<K> for Arena<K, V> {
    type Output = V;

    // Always inlined: tests run whole systems without optimisation, and spend most time in lookups.
    #[inline(always)]
    fn index(&self, id: K) -> &V {
        &self.objects[id.index()]
    }
}

impl<K: Id, V> IndexMut<K> for Arena<K, V> {
    #[inline(always)]
    fn index_mut(&mut self, id: K) -> &mut V {
        &mut self.objects[id.index()]
    }
}
