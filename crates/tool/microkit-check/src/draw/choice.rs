//! Selects the elements of a system that are drawn.

use microkit_sdf::System;

/// Selects the elements of a system that are drawn. The default is all elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Whether channels are drawn.
    pub channels: bool,
    /// Whether memory regions and their mappings are drawn.
    pub memory: bool,
    /// The indices of protection domains (PDs). The picture shows only these PDs, their channels
    /// and mappings, and their neighbours. A neighbour is a PD connected to a selected PD. An empty
    /// list selects all PDs.
    pub pds: Vec<usize>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            channels: true,
            memory: true,
            pds: Vec::new(),
        }
    }
}

/// The elements of a system that are drawn, by their indices.
pub(super) struct Shown {
    pub(super) pds: Vec<bool>,
    pub(super) channels: Vec<bool>,
    pub(super) regions: Vec<bool>,
    /// The virtual machines, by the indices of their PDs.
    pub(super) virtual_machines: Vec<bool>,
}

impl Shown {
    pub(super) fn of(system: &System, choice: &Choice) -> Self {
        let is_chosen = |pd: usize| choice.pds.is_empty() || choice.pds.contains(&pd);
        let all = &system.protection_domains;
        let channels = system.channels.iter();
        let channels: Vec<bool> = channels
            .map(|channel| choice.channels && channel.ends.iter().any(|end| is_chosen(end.pd)))
            .collect();
        let mut regions = vec![choice.memory && choice.pds.is_empty(); system.memory_regions.len()];
        for (index, pd) in all.iter().enumerate() {
            let vm_maps = pd.virtual_machine.iter().flat_map(|vm| &vm.maps);
            for map in pd.maps.iter().chain(vm_maps) {
                regions[map.region] |= choice.memory && is_chosen(index);
            }
        }

        let virtual_machines = all.iter().enumerate().map(|(index, pd)| {
            let Some(vm) = &pd.virtual_machine else {
                return false;
            };
            is_chosen(index) || vm.maps.iter().any(|map| regions[map.region])
        });
        let virtual_machines: Vec<bool> = virtual_machines.collect();
        let mut pds: Vec<bool> = all
            .iter()
            .enumerate()
            .map(|(index, pd)| {
                is_chosen(index)
                    || virtual_machines[index]
                    || pd.parent.is_some_and(is_chosen)
                    || pd.maps.iter().any(|map| regions[map.region])
            })
            .collect();
        let shown = system.channels.iter().zip(&channels);
        for (channel, _) in shown.filter(|(_, is_shown)| **is_shown) {
            for end in &channel.ends {
                pds[end.pd] = true;
            }
        }
        // The box of a child is inside the box of its parent. A parent has a lower index than its
        // child.
        for index in (0..all.len()).rev() {
            if let (true, Some(parent)) = (pds[index], all[index].parent) {
                pds[parent] = true;
            }
        }
        Self {
            pds,
            channels,
            regions,
            virtual_machines,
        }
    }
}
