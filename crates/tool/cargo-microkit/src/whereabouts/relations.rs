//! The relations between PDs: the peers of channels, and the PDs with a parent.

use std::collections::{BTreeMap, BTreeSet};

use microkit_sdf as sdf;

/// The relations of a system's PDs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Relations {
    /// The peer of each PD's channels.
    peers: BTreeMap<(String, u8), String>,
    children: BTreeSet<String>,
}

impl Relations {
    /// Collects the relations of a system.
    pub(crate) fn new(system: &sdf::System) -> Self {
        let pds = &system.protection_domains;
        let name = |end: &sdf::End| pds.get(end.pd).map(|pd| pd.name.clone());
        let ends = system.channels.iter().flat_map(|channel| {
            let [one, other] = &channel.ends;
            [(one, other), (other, one)]
        });
        let peers = ends.filter_map(|(end, peer)| Some(((name(end)?, end.id), name(peer)?)));
        let children = pds.iter().filter(|pd| pd.parent.is_some());
        Self {
            peers: peers.collect(),
            children: children.map(|pd| pd.name.clone()).collect(),
        }
    }

    /// Returns the peer of a PD's channel.
    pub(super) fn peer(&self, pd: &str, channel: u8) -> Option<&str> {
        let peer = self.peers.get(&(pd.to_owned(), channel));
        peer.map(String::as_str)
    }

    /// Returns whether a PD has a parent. A parent may stop its child.
    pub(super) fn is_child(&self, pd: &str) -> bool {
        self.children.contains(pd)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns the relations of the system in this text.
    pub(in super::super) fn of_system(text: &str) -> Relations {
        let files = sdf::SearchPaths(Vec::new());
        let options = sdf::Options::new(&files);
        Relations::new(&sdf::parse("x.system", text, options).expect("a valid system"))
    }

    #[test]
    fn channels_have_a_peer_at_both_ends_and_children_are_known() {
        let text = r#"<system>
            <protection_domain name="a" priority="1"><program_image path="a.elf" />
                <protection_domain name="b" priority="2" id="0"><program_image path="b.elf" />
                </protection_domain>
            </protection_domain>
            <channel><end pd="a" id="3" /><end pd="b" id="5" /></channel>
        </system>"#;
        let relations = of_system(text);
        assert_eq!(relations.peer("a", 3), Some("b"));
        assert_eq!(relations.peer("b", 5), Some("a"));
        assert_eq!(relations.peer("a", 5), None);
        assert!(relations.is_child("b") && !relations.is_child("a"));
    }
}
