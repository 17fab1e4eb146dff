//! A context of one's own could hand out the buffer while it is borrowed.

struct Mine;

impl sel4::InvocationContext for Mine {}

fn main() {}
