//! Tests of the whole project. `ci/test` is the one door: it runs these and everything else.
#![forbid(unsafe_code)]
