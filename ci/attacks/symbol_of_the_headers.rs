//! A memory region has the name of the symbol by which a restart finds the program's data.
//!
//! prints: three incarnations found the initial data
//| <protection_domain name="parent" priority="100">
//|     <program_image path="symbol_of_the_headers.elf" />
//|     <protection_domain name="child" id="1" priority="90">
//|         <program_image path="symbol_of_the_headers.elf" />
//|     </protection_domain>
//| </protection_domain>
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU64, Ordering};

use sel4_microkit::{
    Child, EntryPoint, Handler, Infallible, MessageInfo, debug_println, pd_name, protection_domain,
    shared_words_if_mapped,
};

const CHILD: Child = Child::new(1);

static COUNTED: AtomicU64 = AtomicU64::new(0);

struct Parent {
    entry_point: Option<EntryPoint>,
    incarnations: u64,
}

#[protection_domain]
fn init() -> Parent {
    assert!(shared_words_if_mapped!(__ehdr_start, __ehdr_size).is_none());
    let is_parent = pd_name() == Ok("parent");
    if !is_parent && COUNTED.fetch_add(1, Ordering::Relaxed) == 0 {
        panic!("the parent restarts it");
    }
    Parent {
        entry_point: is_parent.then(|| CHILD.entry_point().expect("it is declared")),
        incarnations: 0,
    }
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        self.incarnations += 1;
        match self.entry_point {
            Some(entry_point) if self.incarnations < 3 => {
                child.restart(entry_point).expect("the system file declares this child");
            }
            _ => debug_println!("three incarnations found the initial data"),
        }
        Ok(None)
    }
}
