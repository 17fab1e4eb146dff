//! Renders the state of a PD's thread as a sentence, for either kernel.

use microkit_abi::limits::MAX_CHANNEL_ID;
use microkit_abi::slots::BASE_ENDPOINT;

pub(super) use boot_spec::snapshot::{Doing, ThreadSnapshot as Thread};

use super::relations::Relations;

/// Returns a sentence that describes a PD's state, and its current own function, if known.
pub(super) fn sentence(
    pd: &str,
    thread: &Thread,
    place: Option<&str>,
    relations: &Relations,
) -> String {
    let at = |preposition: &str| match place {
        Some(place) => format!("{preposition} {place}"),
        None => String::new(),
    };
    let does = match thread.doing {
        Doing::Runs => return format!("PD `{pd}` runs{}", at(" in")),
        Doing::Ready => "is ready to run".to_owned(),
        Doing::AwaitsBudget => "waits until its budget is refilled".to_owned(),
        Doing::HasNoSchedContext => "has no scheduling context to run on".to_owned(),
        Doing::Receives | Doing::AwaitsNotification => "waits for an event".to_owned(),
        Doing::Sends | Doing::Calls => match call(pd, thread, relations) {
            Some((callee, call)) => format!("waits until {callee} receives {call}"),
            None => "waits until its message is received".to_owned(),
        },
        Doing::AwaitsReply => match call(pd, thread, relations) {
            Some((callee, call)) => format!("waits for the reply of {callee} to {call}"),
            None => "waits for a reply".to_owned(),
        },
        Doing::Faulted => "has faulted, and waits for its fault handler".to_owned(),
        Doing::Stopped => "is stopped".to_owned(),
    };
    format!("PD `{pd}` {does}{}", at(", in"))
}

/// Returns the callee of a thread's call, and a description of the call.
fn call(pd: &str, thread: &Thread, relations: &Relations) -> Option<(String, String)> {
    let channel = thread.capability.checked_sub(BASE_ENDPOINT)?;
    let channel = u8::try_from(channel).ok()?;
    let is_channel = u64::from(channel) <= MAX_CHANNEL_ID;
    let peer = relations.peer(pd, channel);
    let callee = peer.map_or_else(|| "its peer".to_owned(), |peer| format!("PD `{peer}`"));
    let call = format!("its protected procedure call on channel {channel}");
    is_channel.then_some((callee, call))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whereabouts::relations::tests::of_system;

    const SYSTEM: &str = r#"<system>
        <protection_domain name="a" priority="1"><program_image path="a.elf" /></protection_domain>
        <protection_domain name="b" priority="2"><program_image path="b.elf" /></protection_domain>
        <channel><end pd="a" id="3" pp="true" /><end pd="b" id="5" /></channel>
    </system>"#;

    #[test]
    fn each_state_is_a_sentence() {
        let relations = of_system(SYSTEM);
        let check = |doing, capability, place, expect: &str| {
            let thread = Thread {
                doing,
                instruction: 0,
                stack_pointer: 0,
                frame_pointer: 0,
                link: 0,
                capability,
                tables: 0,
            };
            assert_eq!(sentence("a", &thread, place, &relations), expect);
        };
        let place = Some("a::f at x.rs:9");
        check(Doing::Runs, 0, place, "PD `a` runs in a::f at x.rs:9");
        check(Doing::Runs, 0, None, "PD `a` runs");
        check(
            Doing::Ready,
            0,
            place,
            "PD `a` is ready to run, in a::f at x.rs:9",
        );
        check(Doing::Receives, 1, None, "PD `a` waits for an event");
        check(
            Doing::AwaitsReply,
            BASE_ENDPOINT + 3,
            place,
            "PD `a` waits for the reply of PD `b` to its protected procedure call on channel 3, \
             in a::f at x.rs:9",
        );
        check(
            Doing::Calls,
            BASE_ENDPOINT + 4,
            None,
            "PD `a` waits until its peer receives its protected procedure call on channel 4",
        );
        check(Doing::AwaitsReply, 2, None, "PD `a` waits for a reply");
        let above = BASE_ENDPOINT + MAX_CHANNEL_ID + 1;
        check(
            Doing::Sends,
            above,
            None,
            "PD `a` waits until its message is received",
        );
        check(
            Doing::Stopped,
            0,
            place,
            "PD `a` is stopped, in a::f at x.rs:9",
        );
    }
}
