//! A queue of bytes in one region that two protection domains share. [`ByteProducer`] documents it.
mod consumer;
mod layout;
mod producer;

pub use consumer::ByteConsumer;
pub use producer::ByteProducer;
