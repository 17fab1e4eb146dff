//! The implicit buffer's token would be lent past its check.

fn borrow<C: sel4::InvocationContext>(context: C) {
    context.with_token(Internal, |token| token.with_mut(|_| ()));
}

fn main() {}
