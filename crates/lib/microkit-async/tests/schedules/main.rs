//! Tests the waits of tasks in every schedule. The tests also plant flaws, and check that
//! exploration finds each flaw.

mod drainable;
mod explorer;
mod netbsd;
mod waiting;
