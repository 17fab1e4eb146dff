//! A context of the user's own could lend the buffer while it is borrowed.

struct Mine;

impl sel4::InvocationContext for Mine {}

fn main() {}
