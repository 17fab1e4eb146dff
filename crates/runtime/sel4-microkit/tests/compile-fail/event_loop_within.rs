//! An event loop within a handler would reply to what another has received.

#![forbid(unsafe_code)]

use sel4_microkit::{Handler, NullHandler};

fn main() {
    NullHandler::new().run();
}
