//! Channels (manual, *channel*).

use microkit_abi::limits::MAX_CHANNEL_ID;

use crate::draft::{Channel, End};
use crate::element::Element;
use crate::error::SdfErrorKind;

/// Reads a `channel`. Returns `None` if the channel does not have exactly two ends.
pub(super) fn channel<'a>(element: Element<'a>) -> Option<Channel<'a>> {
    element.only(&[]);
    let mut ends = Vec::new();
    for child in element.children() {
        match child.name() {
            "end" => ends.push(end(child)),
            other => child.error(SdfErrorKind::UnknownElement {
                element: other.to_owned(),
                parent: "channel",
                allowed: &["end"],
            }),
        }
    }
    let found = ends.len();
    let Ok(ends) = <[End<'a>; 2]>::try_from(ends) else {
        element.error(SdfErrorKind::EndCount { found });
        return None;
    };
    if ends[0].pp && ends[1].pp {
        let [first, second] = [ends[0].span, ends[1].span];
        element
            .cx
            .clash(second, first, "the other end", SdfErrorKind::CallsBothWays);
    }
    Some(Channel {
        span: element.span(),
        ends,
    })
}

fn end<'a>(element: Element<'a>) -> End<'a> {
    element.only(&["pd", "id", "pp", "notify", "setvar_id"]);
    element.ignore_content();
    End {
        span: element.span(),
        pd: element.required("pd"),
        id: element.decimal_id(MAX_CHANNEL_ID),
        pp: element.flag("pp", false),
        notify: element.flag("notify", true),
        setvar_id: element.optional("setvar_id"),
    }
}
