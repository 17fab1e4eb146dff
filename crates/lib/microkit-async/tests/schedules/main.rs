//! What tasks wait for, in every schedule; and flaws that were planted, which must be found.

mod drainable;
mod explorer;
mod netbsd;
mod waiting;
