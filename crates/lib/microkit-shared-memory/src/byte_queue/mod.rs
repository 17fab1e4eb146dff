//! A queue of bytes in one region that two protection domains share. [`ByteProducer`] documents the
//! queue.
mod consumer;
mod layout;
mod producer;

pub use consumer::ByteConsumer;
pub use producer::ByteProducer;
