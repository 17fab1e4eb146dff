//! Groups memory regions that are mapped by the same protection domains. A group is drawn as one
//! box.

use std::collections::BTreeSet;

use microkit_sdf::{Map, MemoryRegion, Perms, PhysAddr, System};

use super::choice::Shown;

/// The minimum length of a common prefix that becomes the title of a group.
const MIN_PREFIX: usize = 3;

/// The maximum length of a name in characters. A longer name is shortened in the middle.
const MAX_CHARS: usize = 40;

/// The owner of a mapping: the index of a PD, and whether the PD's virtual machine is the owner.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) pd: usize,
    pub(super) is_virtual_machine: bool,
}

/// Regions with the same owners.
pub(super) struct Group {
    /// The indices of the regions, sorted in the order of the file.
    pub(super) regions: Vec<usize>,
    owners: BTreeSet<Owner>,
}

/// One row in the box of a PD: the mapping of a group.
pub(super) struct MappingText {
    pub(super) group: usize,
    pub(super) text: String,
    pub(super) tip: String,
}

/// Returns the groups of the shown regions, in the order of their first region.
pub(super) fn groups(system: &System, shown: &Shown) -> Vec<Group> {
    let mut owners: Vec<BTreeSet<Owner>> = vec![BTreeSet::new(); system.memory_regions.len()];
    for (owner, map) in all_maps(system) {
        owners[map.region].insert(owner);
    }
    let mut groups: Vec<(bool, Group)> = Vec::new();
    for ((index, region), owners) in system.memory_regions.iter().enumerate().zip(owners) {
        if !shown.regions[index] {
            continue;
        }
        // A region at a fixed address, such as a device, is never grouped with ordinary memory.
        let is_fixed = matches!(region.phys_addr, PhysAddr::Fixed(_));
        let same =
            |(fixed, group): &&mut (bool, Group)| *fixed == is_fixed && group.owners == owners;
        match groups.iter_mut().find(same) {
            Some((_, group)) => group.regions.push(index),
            None => {
                let regions = vec![index];
                groups.push((is_fixed, Group { regions, owners }));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn all_maps(system: &System) -> impl Iterator<Item = (Owner, &Map)> {
    let pds = system.protection_domains.iter().enumerate();
    pds.flat_map(|(pd, found)| {
        let owner = move |is_virtual_machine| Owner {
            pd,
            is_virtual_machine,
        };
        let own = found.maps.iter().map(move |map| (owner(false), map));
        let vm = found.virtual_machine.iter().flat_map(|vm| &vm.maps);
        own.chain(vm.map(move |map| (owner(true), map)))
    })
}

/// Returns the mappings of `owner`, one row for each group.
pub(super) fn mappings_of(system: &System, groups: &[Group], owner: Owner) -> Vec<MappingText> {
    let maps: Vec<&Map> = all_maps(system)
        .filter(|(other, _)| *other == owner)
        .map(|(_, map)| map)
        .collect();
    let own = groups.iter().enumerate();
    let own = own.filter(|(_, group)| group.owners.contains(&owner));
    own.map(|(index, group)| {
        let maps = maps
            .iter()
            .filter(|map| group.regions.binary_search(&map.region).is_ok());
        let maps: Vec<&Map> = maps.copied().collect();
        let mut kinds: Vec<String> = maps.iter().map(|map| perms(map)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let cached = match maps.iter().filter(|map| !map.cached).count() {
            0 => "",
            uncached if uncached == maps.len() => ", not cached",
            _ => ", partly not cached",
        };
        let at = match maps[..] {
            [only] => format!(" at {:#x}", only.vaddr),
            _ => String::new(),
        };
        let line = |map: &&Map| {
            let name = &system.memory_regions[map.region].name;
            let cached = if map.cached { "" } else { ", not cached" };
            format!("\n{} {name} at {:#x}{cached}", perms(map), map.vaddr)
        };
        MappingText {
            group: index,
            text: format!(
                "{} {}{at}{cached}",
                kinds.join(" or "),
                title(system, group)
            ),
            tip: maps.iter().map(line).collect(),
        }
    })
    .collect()
}

fn perms(map: &Map) -> String {
    let Perms {
        read,
        write,
        execute,
    } = map.perms;
    let perms = [(read, 'r'), (write, 'w'), (execute, 'x')];
    perms.iter().filter(|p| p.0).map(|p| p.1).collect()
}

/// Returns the title of a group.
pub(super) fn title(system: &System, group: &Group) -> String {
    let name = |index: &usize| system.memory_regions[*index].name.as_str();
    let mut names = group.regions.iter().map(name);
    let first = names.next().unwrap_or_default();
    let count = group.regions.len();
    if count == 1 {
        return shortened(first);
    }
    let prefix = names.fold(first, common_prefix);
    match prefix.chars().count() >= MIN_PREFIX {
        true => format!("{}… ({count} regions)", shortened(prefix)),
        false => format!("{} and {} more", shortened(first), count - 1),
    }
}

fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars());
    let end = same
        .filter(|((_, a), b)| a != b)
        .map(|((at, _), _)| at)
        .next();
    &one[..end.unwrap_or(one.len().min(other.len()))]
}

/// Returns the text beside the title of a group.
pub(super) fn facts(system: &System, group: &Group) -> String {
    let regions = group.regions.iter();
    let regions: Vec<_> = regions
        .map(|index| &system.memory_regions[*index])
        .collect();
    if let [only] = regions[..] {
        return size(only);
    }
    let bytes = regions.iter().map(|region| region.bytes);
    let bytes = bytes.fold(0_u64, u64::saturating_add);
    format!("{bytes:#x} bytes in all")
}

/// Returns the tooltip of a group: every region with its size.
pub(super) fn tip(system: &System, group: &Group) -> String {
    let regions = group
        .regions
        .iter()
        .map(|index| &system.memory_regions[*index]);
    let lines: Vec<String> = regions
        .map(|region| format!("{}: {}", region.name, size(region)))
        .collect();
    lines.join("\n")
}

fn size(region: &MemoryRegion) -> String {
    match region.phys_addr {
        PhysAddr::Fixed(address) => format!("{:#x} bytes at {address:#x}", region.bytes),
        PhysAddr::Any | PhysAddr::Chosen => format!("{:#x} bytes", region.bytes),
    }
}

/// Shortens a name so that it fits in a box.
pub(super) fn shortened(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= MAX_CHARS {
        return name.to_owned();
    }
    let head: String = chars[..MAX_CHARS / 2].iter().collect();
    let tail: String = chars[chars.len() - MAX_CHARS / 2 + 1..].iter().collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::{common_prefix, shortened};

    #[test]
    fn prefixes_end_between_characters() {
        let check = |one, other, expect| assert_eq!(common_prefix(one, other), expect);
        check("rx_free", "rx_active", "rx_");
        check("rx", "rx_active", "rx");
        check("rx_active", "rx", "rx");
        check("größe", "große", "gr");
        check("ö", "öl", "ö");
        check("a", "b", "");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("ring"), "ring");
        let exact = "a".repeat(40);
        assert_eq!(shortened(&exact), exact);
        let long = shortened(&format!("{}é{}", "a".repeat(30), "b".repeat(30)));
        assert_eq!(long, format!("{}…{}", "a".repeat(20), "b".repeat(19)));
    }
}
