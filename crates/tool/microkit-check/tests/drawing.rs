//! Draws every system of the project, and checks that the picture is well-formed and reproducible,
//! and that no box overlaps another.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use microkit_check::{Choice, Declaration, check, svg};
use microkit_sdf::{NoFiles, Options, PhysAddr, System, parse};
use roxmltree::{Document, Node};

fn systems() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "tests/bad",
        "tests/good",
        "../../../microkit-systems",
        "../../../microkit-systems/bench",
        "../../../microkit-systems/conformance",
        "../../../microkit-systems/torture",
    ];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let systems: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "system"))
        .collect();
    assert!(systems.len() > 40);
    systems
}

fn system(path: &Path) -> System {
    let text = fs::read_to_string(path).unwrap();
    parse("a.system", &text, Options::new(&NoFiles)).unwrap_or_else(|e| panic!("{e:?}"))
}

struct Rectangle([u32; 4]);

impl Rectangle {
    /// Whether the two boxes are apart, or one is inside the other.
    fn suits(&self, other: &Self) -> bool {
        let ([l, t, w, h], [x, y, v, g]) = (self.0, other.0);
        let apart = l + w <= x || x + v <= l || t + h <= y || y + g <= t;
        let holds = |[l, t, w, h]: [u32; 4], [x, y, v, g]: [u32; 4]| {
            l <= x && x + v <= l + w && t <= y && y + g <= t + h
        };
        apart || holds(self.0, other.0) || holds(other.0, self.0)
    }
}

#[test]
fn every_picture_is_whole_and_nothing_overlaps() {
    for path in systems() {
        let system = system(&path);
        let picture = whole(&system, &[]);
        assert_eq!(picture, whole(&system, &[]), "{}", path.display());
        let document = Document::parse(&picture).unwrap();
        let rectangles: Vec<Rectangle> = document
            .descendants()
            .filter(|node| node.has_tag_name("rect") && !is_in_legend(node))
            .map(|node| {
                let number = |name| node.attribute(name).map_or(0, |text| text.parse().unwrap());
                Rectangle(["x", "y", "width", "height"].map(number))
            })
            .collect();
        let vms = system.protection_domains.iter();
        let vms = vms.filter(|pd| pd.virtual_machine.is_some()).count();
        let boxes = system.protection_domains.len() + groups(&system).len() + vms;
        // The background is one more rectangle.
        assert_eq!(rectangles.len(), boxes + 1, "{}", path.display());
        for (index, one) in rectangles.iter().enumerate() {
            let others = &rectangles[index + 1..];
            assert!(
                others.iter().all(|other| one.suits(other)),
                "{}",
                path.display()
            );
        }
        let mappings: usize = groups(&system).iter().map(|(_, owners)| owners.len()).sum();
        let expect = system.channels.len() + mappings;
        assert_eq!(lines(&document).len(), expect, "{}", path.display());
    }
}

fn whole(system: &System, declarations: &[Option<Declaration>]) -> String {
    svg(system, declarations, &Choice::default())
}

fn is_in_legend(node: &Node<'_, '_>) -> bool {
    let mut above = node.ancestors();
    above.any(|node| node.attribute("class") == Some("legend"))
}

/// Returns the tooltip of each line.
fn lines(document: &Document<'_>) -> Vec<String> {
    let groups = document.descendants();
    let groups = groups.filter(|node| node.attribute("class") == Some("line"));
    let titles = groups.map(|line| line.children().find(|node| node.has_tag_name("title")));
    let titles = titles.map(|title| title.and_then(|title| title.text()).map(str::to_owned));
    titles.map(|title| title.expect("a title")).collect()
}

/// Returns the owners of the regions that are drawn as one box, with devices and memory separate.
/// An owner is the index of a PD, and whether the PD's virtual machine maps the region.
fn groups(system: &System) -> BTreeSet<(bool, BTreeSet<(usize, bool)>)> {
    let regions = system.memory_regions.iter().enumerate();
    let owners = regions.map(|(region, found)| {
        let pds = system.protection_domains.iter().enumerate();
        let maps = pds.flat_map(|(index, pd)| {
            let own = pd.maps.iter().map(move |map| (map, (index, false)));
            let vm = pd.virtual_machine.iter().flat_map(|vm| &vm.maps);
            own.chain(vm.map(move |map| (map, (index, true))))
        });
        let maps = maps.filter(|(map, _)| map.region == region);
        let is_device = matches!(found.phys_addr, PhysAddr::Fixed(_));
        (is_device, maps.map(|(_, owner)| owner).collect())
    });
    owners.collect()
}

/// Returns the classes of the marks in the picture, or in its legend.
fn marks(document: &Document<'_>, in_legend: bool) -> BTreeSet<String> {
    let nodes = document.descendants();
    let nodes = nodes.filter(|node| is_in_legend(node) == in_legend);
    let classes = nodes.filter_map(|node| {
        let class = node.attribute("class")?.split(' ').next()?;
        Some(format!("{} {class}", node.tag_name().name()))
    });
    classes.collect()
}

#[test]
fn the_legend_explains_every_mark_and_no_other() {
    // Marks that need no explanation, and marks that are invisible.
    let plain = [
        "g line",
        "path hit",
        "rect paper",
        "text title",
        "text fact",
        "rect inside",
    ];
    for path in systems() {
        let picture = whole(&system(&path), &[]);
        let document = Document::parse(&picture).unwrap();
        let [in_picture, in_legend] = [false, true].map(|in_legend| {
            let mut marks = marks(&document, in_legend);
            marks.retain(|mark| !plain.contains(&mark.as_str()) && mark != "g legend");
            // The text below the picture names each cycle, so the legend explains only the red
            // line.
            marks.remove("text cycle");
            marks
        });
        assert_eq!(in_picture, in_legend, "{}", path.display());
    }
}

const SERVERS: &str = r#"<system>
    <memory_region name="rx/free" size="0x1000" />
    <memory_region name="rx/active" size="0x1000" />
    <memory_region name="rx/data" size="0x2000" />
    <memory_region name="other" size="0x1000" />
    <memory_region name="uart" size="0x1000" phys_addr="0x9000000" />
    <protection_domain name="server" priority="20">
        <program_image path="server.elf" />
        <map mr="rx/free" vaddr="0x1000000" />
        <map mr="rx/active" vaddr="0x2000000" />
        <map mr="rx/data" vaddr="0x3000000" perms="r" />
        <map mr="other" vaddr="0x4000000" />
        <map mr="uart" vaddr="0x5000000" cached="false" />
    </protection_domain>
    <protection_domain name="client" priority="10">
        <program_image path="client.elf" />
        <map mr="rx/free" vaddr="0x1000000" />
        <map mr="rx/active" vaddr="0x2000000" />
        <map mr="rx/data" vaddr="0x3000000" />
        <protection_domain name="child" id="1" priority="1">
            <program_image path="child.elf" />
        </protection_domain>
    </protection_domain>
    <protection_domain name="stranger" priority="10">
        <program_image path="stranger.elf" />
        <map mr="other" vaddr="0x4000000" />
    </protection_domain>
    <channel>
        <end pd="client" id="1" pp="true" notify="false" />
        <end pd="server" id="1" />
    </channel>
    <channel>
        <end pd="stranger" id="1" />
        <end pd="server" id="2" />
    </channel>
</system>"#;

fn servers() -> System {
    parse("servers.system", SERVERS, Options::new(&NoFiles)).unwrap()
}

/// Returns the titles of the boxes and the tooltips of the lines for a choice.
fn drawn(choice: &Choice) -> (BTreeSet<String>, Vec<String>) {
    let picture = svg(&servers(), &[], choice);
    let document = Document::parse(&picture).unwrap();
    let nodes = document.descendants();
    let titles = nodes.filter(|node| node.attribute("class") == Some("title"));
    let titles = titles.map(|node| node.text().unwrap().to_owned());
    (titles.collect(), lines(&document))
}

fn check_drawn(choice: &Choice, expect_boxes: &[&str], expect_lines: &[&str]) {
    let (boxes, lines) = drawn(choice);
    let expect: BTreeSet<String> = expect_boxes.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(boxes, expect, "{choice:?}");
    assert_eq!(lines, expect_lines, "{choice:?}");
}

const RX: &str = "rx/… (3 regions)";
const SERVER_UART: &str = "server maps:\nrw uart at 0x5000000, not cached";
const SERVER_RX: &str = "server maps:\nrw rx/free at 0x1000000\nrw rx/active at 0x2000000\n\
                         r rx/data at 0x3000000";
const CLIENT_RX: &str = "client maps:\nrw rx/free at 0x1000000\nrw rx/active at 0x2000000\n\
                         rw rx/data at 0x3000000";
const SERVER_OTHER: &str = "server maps:\nrw other at 0x4000000";
const STRANGER_OTHER: &str = "stranger maps:\nrw other at 0x4000000";
const CALL: &str = "client (id 1) calls server\nserver (id 1) notifies client";
const NOTIFY: &str = "stranger (id 1) notifies server\nserver (id 2) notifies stranger";

#[test]
fn regions_of_the_same_mappers_are_one_and_each_line_is_named() {
    let all = ["server", "client", "child", "stranger", RX, "other", "uart"];
    let lines = [
        SERVER_RX,
        SERVER_OTHER,
        SERVER_UART,
        CLIENT_RX,
        STRANGER_OTHER,
        CALL,
        NOTIFY,
    ];
    check_drawn(&Choice::default(), &all, &lines);
}

#[test]
fn what_is_chosen_is_drawn() {
    let choice = |channels, memory, pds: &[usize]| Choice {
        channels,
        memory,
        pds: pds.to_vec(),
    };
    let pds = ["server", "client", "child", "stranger"];
    check_drawn(&choice(true, false, &[]), &pds, &[CALL, NOTIFY]);
    let all = [&pds[..], &[RX, "other", "uart"]].concat();
    let maps = [
        SERVER_RX,
        SERVER_OTHER,
        SERVER_UART,
        CLIENT_RX,
        STRANGER_OTHER,
    ];
    check_drawn(&choice(false, true, &[]), &all, &maps);

    // Draws a PD with its neighbours. For each neighbour, only the connections to this PD are
    // drawn.
    let stranger = ["server", "stranger", "other"];
    let lines = [SERVER_OTHER, STRANGER_OTHER, NOTIFY];
    check_drawn(&choice(true, true, &[3]), &stranger, &lines);
    check_drawn(
        &choice(true, false, &[3]),
        &["server", "stranger"],
        &[NOTIFY],
    );
    let client = ["server", "client", "child", RX];
    check_drawn(
        &choice(true, true, &[1]),
        &client,
        &[SERVER_RX, CLIENT_RX, CALL],
    );
    // The box of a child is inside the box of its parent.
    check_drawn(&choice(true, true, &[2]), &["client", "child"], &[]);
}

/// Asserts that a program is drawn without calls if its declaration contains no call.
#[test]
fn no_line_says_what_a_program_does_not_do() {
    let nothing = Declaration::parse("version 1\n").unwrap();
    let declared = [None, Some(nothing), None, None];
    let picture = whole(&servers(), &declared);
    let document = Document::parse(&picture).unwrap();
    let said = lines(&document);
    let may_call = "client (id 1) may call server\nserver (id 1) notifies client";
    assert!(said.iter().any(|line| line == may_call), "{said:?}");
    assert!(!marks(&document, false).contains("path call"));
    assert!(!picture.contains("class=\"head-call"));
}

#[test]
fn what_is_red_is_what_check_finds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good/calls_upwards.system");
    let system = system(&path);
    let is_red = |declarations: &[Option<Declaration>]| {
        let found = !check(&system, declarations).findings().is_empty();
        assert_eq!(
            whole(&system, declarations).contains("class=\"cycle\""),
            found
        );
        found
    };
    assert!(!is_red(&[]));
    let c = Declaration::parse("version 1\nlock l in init\nwait 2 in init holding l\n").unwrap();
    assert!(is_red(&[None, None, Some(c)]));
}

#[test]
fn names_with_markup_stay_names() {
    let text = r#"<system><protection_domain name="a&lt;b&gt;&amp;">
        <program_image path="a.elf" /></protection_domain></system>"#;
    let system = parse("a.system", text, Options::new(&NoFiles)).unwrap();
    let picture = whole(&system, &[]);
    let document = Document::parse(&picture).unwrap();
    assert!(
        document
            .descendants()
            .any(|node| node.text() == Some("a<b>&"))
    );
}
