//! The troubles of a handle whose drop closes a connection, as they are known from systems that have
//! them, each in every order of its clients' calls; and that these tests would see them.

mod deaths;
mod drops;
mod hostile;
mod system;
mod troubles;
