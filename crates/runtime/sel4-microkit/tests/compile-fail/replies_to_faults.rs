//! A reply to a fault needs `unsafe`, because its words become registers of the child.

#![forbid(unsafe_code)]

use sel4::{Fault, FaultReply};
use sel4_microkit::ipc::{self, Event};
use sel4_microkit::{Child, MessageInfo};

fn fault(_: Child, message: MessageInfo) -> Option<MessageInfo> {
    match message.fault() {
        Fault::UserException(fault) => Some(MessageInfo::fault_reply(fault.reply())),
        _ => Some(MessageInfo::fault_reply(FaultReply::retry())),
    }
}

fn in_between() {
    if let Event::Fault(..) = ipc::recv() {
        ipc::reply(MessageInfo::new(0, 3));
    }
    ipc::reply_recv(MessageInfo::new(0, 3));
}

fn main() {}
