//! `unruly-parent`, and those that play on while its children misbehave.
