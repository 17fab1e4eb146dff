//! A user-defined context could lend the buffer while the buffer is borrowed.

struct Mine;

impl sel4::InvocationContext for Mine {}

fn main() {}
