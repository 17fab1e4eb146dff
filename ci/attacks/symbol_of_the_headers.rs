//! A restarted program has a region with the name of the symbol by which the runtime finds its headers.
//!
//! prints: life 3 has counted to 1
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{
    Child, Handler, Infallible, MessageInfo, debug_println, pd_name, protection_domain,
    shared_words_if_mapped,
};

const CHILD: Child = Child::new(1);
static COUNTED: AtomicU64 = AtomicU64::new(0);

struct Parent {
    entry_point: Option<sel4_microkit::EntryPoint>,
    lives: u64,
}

#[protection_domain]
fn init() -> Parent {
    assert!(shared_words_if_mapped!(__ehdr_start, __ehdr_size).is_none());
    if pd_name() == Ok("parent") {
        let entry_point = CHILD.entry_point().ok();
        return Parent {
            entry_point,
            lives: 0,
        };
    }
    let counted = COUNTED.fetch_add(1, Ordering::Relaxed) + 1;
    panic!("counted to {counted}");
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        self.lives += 1;
        // The child says itself how far it has counted.
        debug_println!("life {} has ended", self.lives);
        if let (Some(entry_point), true) = (self.entry_point, self.lives < 3) {
            child.restart(entry_point).expect("it is a child");
        }
        Ok(None)
    }
}
