//! Fuzzes the reader of kernel messages. The reader accepts or refuses any message, without a
//! panic. Every reply to a fault is a valid message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sel4::{Fault, FaultReply, IpcBuffer, MessageInfo};

/// Converts bytes to words. The last word is padded with zeros.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let mut words = words(bytes);
    let info = MessageInfo::from_word(words.next().unwrap_or(0));
    let mut buffer = IpcBuffer::new();
    for (register, word) in buffer.msg_regs_mut().iter_mut().zip(words) {
        *register = word;
    }
    assert_eq!(MessageInfo::from_word(info.into_word()), info);
    assert!(info.length() <= 127 && info.extra_caps() <= 3 && info.caps_unwrapped() <= 7);
    assert_eq!(info.label() >> MessageInfo::LABEL_BITS, 0);
    assert_eq!(
        sel4::Error::from_label(info.label()).is_none(),
        info.label() == 0
    );

    let Some(fault) = Fault::try_new(&buffer, &info) else {
        return;
    };
    assert!(!format!("{fault} {fault:?}").is_empty());
    let reply: FaultReply = match &fault {
        Fault::UnknownSyscall(fault) => fault.reply().into(),
        Fault::UserException(fault) => fault.reply().into(),
        _ => return,
    };
    let info = reply.write(&mut buffer);
    assert_eq!(&buffer.msg_regs()[..info.length()], reply.words());
});
