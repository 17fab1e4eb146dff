//! An event loop inside a handler would reply to an event that the outer loop has received.

#![forbid(unsafe_code)]

use sel4_microkit::{Handler, NullHandler};

fn main() {
    NullHandler::new().run();
}
