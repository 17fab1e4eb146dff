//! Tests that each error has a distinct message that states the cause.

use std::collections::BTreeSet;
use std::error::Error;

use microkit_shared_memory::{
    Invalid, LeaseError, LenderError, NotSent, OutOfBounds, PeerError, PopError, PushError,
    ReadError, Refusal, TooSmall, ViewError,
};

#[test]
fn errors_of_different_causes_have_different_sentences() {
    let errors: &[&dyn Error] = &[
        &OutOfBounds,
        &Invalid,
        &NotSent,
        &LeaseError::Rights,
        &LeaseError::Ended,
        &LeaseError::OtherBorrower,
        &Refusal::Bounds,
        &Refusal::Alignment,
        &Refusal::Rights,
        &Refusal::Overlap,
        &Refusal::Quota,
        &Refusal::Ended,
        &Refusal::Unsettled,
        &Refusal::Unknown,
        &PeerError::Restarted,
        &PeerError::Broken,
        &PeerError::OtherShape,
        &PushError::Full,
        &ReadError::Nothing,
        &ReadError::Busy,
    ];
    let sentences: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert!(
        sentences.iter().all(|sentence| sentence.len() > 20),
        "{sentences:#?}"
    );
    // All errors for an ended lease have the same message.
    let ended = LeaseError::Ended.to_string();
    assert_eq!(ended, Refusal::Ended.to_string());
    let distinct: BTreeSet<_> = sentences.iter().collect();
    assert_eq!(distinct.len(), sentences.len() - 1, "{sentences:#?}");
}

#[test]
fn an_error_within_another_has_its_words() {
    let check = |outer: &dyn Error, inner: &dyn Error| {
        assert_eq!(outer.to_string(), inner.to_string());
    };
    let too_small = TooSmall { needs: 5, has: 4 };
    check(&LeaseError::OutOfBounds, &OutOfBounds);
    check(&LenderError::Memory(too_small), &too_small);
    check(&PopError::Invalid, &Invalid);
    check(&PopError::Peer(PeerError::Broken), &PeerError::Broken);
    check(&PushError::Peer(PeerError::Broken), &PeerError::Broken);
    check(&ReadError::Invalid, &Invalid);
    check(&ViewError::Invalid, &Invalid);
}

#[test]
fn an_error_of_numbers_has_them() {
    let check = |error: &dyn Error, expect: &str| {
        let text = error.to_string();
        assert!(text.contains(expect), "{text:?} does not say {expect:?}");
    };
    let too_small = TooSmall { needs: 5, has: 4 };
    check(
        &too_small,
        "5 words of shared memory are needed and there are 4",
    );
    let table = LenderError::Table { needs: 7, has: 6 };
    check(
        &table,
        "the borrowers may have 7 leases and the table has 6 slots",
    );
    let no_index = ViewError::NoSuchIndex { index: 3, len: 2 };
    check(
        &no_index,
        "there is no value 3 in this part of shared memory, which has 2",
    );
}
