//! Pictures: of every system there is, well-formed, the same each time, with no box across another.

use std::fs;
use std::path::{Path, PathBuf};

use microkit_check::{Declaration, check, svg};
use microkit_sdf::{NoFiles, Options, System, parse};

fn systems() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/bad", "tests/good", "../../microkit-systems"];
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
    /// Whether the two are apart, or one is in the other.
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
        let picture = svg(&system, &[]);
        assert_eq!(picture, svg(&system, &[]), "{}", path.display());
        let document = roxmltree::Document::parse(&picture).unwrap();
        let rectangles: Vec<Rectangle> = document
            .descendants()
            .filter(|node| node.has_tag_name("rect"))
            .map(|node| {
                let number = |name| node.attribute(name).map_or(0, |text| text.parse().unwrap());
                Rectangle(["x", "y", "width", "height"].map(number))
            })
            .collect();
        let vms = system.protection_domains.iter();
        let vms = vms.filter(|pd| pd.virtual_machine.is_some()).count();
        let boxes = system.protection_domains.len() + system.memory_regions.len() + vms;
        // And the paper.
        assert_eq!(rectangles.len(), boxes + 1, "{}", path.display());
        for (index, one) in rectangles.iter().enumerate() {
            let others = &rectangles[index + 1..];
            assert!(
                others.iter().all(|other| one.suits(other)),
                "{}",
                path.display()
            );
        }
        let lines = document.descendants().filter(|node| {
            let class = node.attribute("class").unwrap_or_default();
            node.has_tag_name("path") && !class.starts_with("head-")
        });
        let maps = system.protection_domains.iter().map(|pd| {
            let vm = pd.virtual_machine.as_ref();
            pd.maps.len() + vm.map_or(0, |vm| vm.maps.len())
        });
        let expect = system.channels.len() + maps.sum::<usize>();
        assert_eq!(lines.count(), expect, "{}", path.display());
    }
}

#[test]
fn what_is_red_is_what_check_finds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good/calls_upwards.system");
    let system = system(&path);
    let is_red = |declarations: &[Option<Declaration>]| {
        let found = !check(&system, declarations).findings().is_empty();
        assert_eq!(
            svg(&system, declarations).contains("class=\"cycle\""),
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
    let picture = svg(&system, &[]);
    let document = roxmltree::Document::parse(&picture).unwrap();
    assert!(
        document
            .descendants()
            .any(|node| node.text() == Some("a<b>&"))
    );
}
