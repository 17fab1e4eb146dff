//! A handler cannot run an inner event loop. Otherwise the outer loop could reply to an event that
//! the inner loop has received.
#![forbid(unsafe_code)]

use sel4_microkit::{Handler, NullHandler};

fn main() {
    NullHandler::new().run();
}
