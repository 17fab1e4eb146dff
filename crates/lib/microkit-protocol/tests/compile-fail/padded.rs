use microkit_protocol::protocol;

// `zerocopy` does not derive `IntoBytes`, because the struct has three bytes of padding.
#[derive(zerocopy::TryFromBytes, zerocopy::IntoBytes, zerocopy::Immutable)]
#[repr(C)]
struct Page {
    is_dirty: bool,
    number: u32,
}

#[protocol]
trait Store {
    fn put(&mut self, page: Page);
}

fn main() {}
