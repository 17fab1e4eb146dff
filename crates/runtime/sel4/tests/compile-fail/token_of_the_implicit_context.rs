//! The token of the implicit buffer would be lent without a check.

fn borrow<C: sel4::InvocationContext>(context: C) {
    context.with_token(Internal, |token| token.with_mut(|_| ()));
}

fn main() {}
