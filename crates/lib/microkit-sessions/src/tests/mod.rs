//! Tests of the known defects of handles whose drop closes a connection.
//!
//! Each test explores every order of the clients' calls. Then it puts the defect into the server or
//! the client and checks that the explorer finds it.
//!
//! `system` has the programs. `troubles` has the defects of other systems, `deaths` has clients and
//! servers that die, `drops` tests where a handle can be dropped, and `hostile` sends random
//! requests.

mod deaths;
mod drops;
mod hostile;
mod system;
mod troubles;
