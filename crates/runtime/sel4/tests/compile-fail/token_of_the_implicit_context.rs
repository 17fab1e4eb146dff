//! A direct call of `with_token` would lend the token of the implicit buffer without a check.

fn borrow<C: sel4::InvocationContext>(context: C) {
    context.with_token(Internal, |token| token.with_mut(|_| ()));
}

fn main() {}
