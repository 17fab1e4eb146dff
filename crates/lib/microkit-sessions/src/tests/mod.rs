//! Tests for the known defects of handles that close a connection when they are dropped.
//!
//! Each test explores every order of the clients' calls. Then the test plants the defect in the
//! server or the client, and checks that the explorer finds the defect.
//!
//! `system` contains the programs. `troubles` tests the defects of other systems. `deaths` tests
//! clients and servers that die. `drops` tests drops of a handle in different places. `hostile`
//! sends random requests.

mod deaths;
mod drops;
mod hostile;
mod system;
mod troubles;
