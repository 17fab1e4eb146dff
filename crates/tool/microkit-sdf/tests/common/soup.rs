//! Makes systems from bytes. Most parts are valid, with an occasional error.

use std::fmt::Write;

/// Makes a system from `bytes`. Each byte decides one choice. After the last byte, every choice is
/// the simplest one, so fewer bytes make a smaller system.
pub(crate) fn system(bytes: &[u8]) -> String {
    let mut soup = Soup {
        bytes: bytes.iter(),
        out: String::from("<system>"),
        pds: 0,
        regions: 0,
        maps: 0,
    };
    soup.system();
    soup.out + "\n</system>\n"
}

struct Soup<'a> {
    bytes: std::slice::Iter<'a, u8>,
    out: String,
    pds: usize,
    regions: usize,
    maps: usize,
}

/// The kind of value for an attribute.
#[derive(Copy, Clone)]
enum Value {
    Pd,
    Region,
    Domain,
    Bool,
    Id,
    Symbol,
    /// A virtual address, usually at free memory.
    Vaddr,
    /// Usually one of these values.
    Of(&'static [&'static str]),
}

use Value::{Bool, Domain, Id, Of, Pd, Region, Symbol, Vaddr};

const VADDRS: [&str; 10] = [
    "0x10_000_000",
    "0x20_000_000",
    "0x20_001_000",
    "0x10_200_000",
    "0xff_ffff_b000",
    "0x0",
    "0x10_001_000",
    "0xff_ffff_c000",
    "0x10_000_800",
    "0xffff_ffff_ffff_f000",
];
const SIZES: Value = Of(&["0x1000", "0x2000", "0x200_000", "0x400_000", "0", "0x1800"]);
const BUDGETS: Value = Of(&["1000", "2_000", "100", "20", "19"]);
const PRIORITIES: Value = Of(&["10", "0", "100", "254", "0xff", "256"]);

/// Odd texts for any place. Microkit ignores most of these texts.
const ODD: [&str; 12] = [
    "",
    " ",
    "true",
    "-1",
    "0x",
    "+1",
    "99999999999999999999",
    "0x10",
    "1_0",
    "monitor",
    "ten.bin",
    "pd0_root",
];

impl Soup<'_> {
    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or_default()
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// Returns true about once in `n` calls, and never after the last byte.
    fn seldom(&mut self, n: u8) -> bool {
        self.byte() % n == n - 1
    }

    fn system(&mut self) {
        let domains = self.seldom(5);
        if domains {
            self.domains();
        }
        for _ in 0..=self.below(4) {
            let index = self.regions;
            self.regions += 1;
            self.region(index);
        }
        for _ in 0..=self.below(3) {
            self.pd(None, domains);
        }
        for _ in 0..self.below(4) {
            self.channel();
        }
        if self.seldom(40) {
            self.out += "text";
        }
        if self.seldom(40) {
            self.element("virtual_machine", &[("name", Pd, true)], true);
        }
    }

    fn domains(&mut self) {
        self.element("domains", &[], false);
        for index in 0..=self.below(3) {
            self.open("domain");
            self.attribute("name", &format!("day{index}"));
            // If two domains have no number, the tool gives them numbers in a random order. So only
            // one domain is without a number.
            if index > 0 {
                let id = index + [0, 0, 0, 1, 13][self.below(5)];
                self.attribute("id", &id.to_string());
            }
            self.close();
        }
        let shifts = Of(&["0", "1", "98", "99"]);
        self.element(
            "domain_schedule",
            &[
                ("start_index", Of(&["0", "1", "4"]), false),
                ("index_shift", shifts, false),
            ],
            false,
        );
        for _ in 0..=self.below(4) {
            let durations = Of(&["10 us", "1_0 ticks", "0x10 us", "0 us", "10", "1  us"]);
            self.element(
                "schedule_entry",
                &[("domain", Domain, true), ("duration", durations, true)],
                true,
            );
        }
        self.out += "</domain_schedule></domains>";
    }

    fn region(&mut self, index: usize) {
        self.open("memory_region");
        let odd = self.seldom(60);
        self.attribute(
            "name",
            &if odd {
                "mr0".to_owned()
            } else {
                format!("mr{index}")
            },
        );
        if !self.seldom(12) {
            self.value("size", SIZES);
        }
        self.maybe("page_size", Of(&["0x1000", "0x200_000", "0x3000"]), 4);
        self.maybe(
            "phys_addr",
            Of(&[
                "0x9_000_000",
                "0x70_000_000",
                "0x70_001_000",
                "0x70_000_800",
            ]),
            4,
        );
        self.maybe(
            "prefill_path",
            Of(&["ten.bin", "six-thousand.bin", "empty.bin", "."]),
            6,
        );
        self.maybe("prefill_bootinfo", Of(&["fdt", "x86_vbe", "x86"]), 20);
        self.close();
    }

    fn pd(&mut self, parent: Option<usize>, domains: bool) {
        let index = self.pds;
        self.pds += 1;
        self.open("protection_domain");
        let odd = self.seldom(60);
        self.attribute(
            "name",
            &if odd {
                ODD[index % ODD.len()].to_owned()
            } else {
                format!("pd{index}")
            },
        );
        if parent.is_some() != self.seldom(60) {
            self.value("id", Id);
            self.maybe("setvar_id", Symbol, 4);
        }
        if domains != self.seldom(60) {
            self.value("domain", Domain);
        }
        self.maybe("priority", PRIORITIES, 2);
        self.maybe("budget", BUDGETS, 4);
        self.maybe("period", BUDGETS, 4);
        self.maybe("passive", Bool, 4);
        self.maybe("smc", Bool, 8);
        self.maybe("fpu", Bool, 8);
        self.maybe(
            "stack_size",
            Of(&["0x1000", "0x4_000", "0x1000000", "0x800", "0x1800"]),
            4,
        );
        self.maybe("cpu", Of(&["0", "0x0", "1"]), 8);
        self.out += ">";
        if !self.seldom(60) {
            // The name of the program is always valid, because only a later stage checks it.
            self.open("program_image");
            self.attribute("path", "pd.elf");
            self.close();
        }
        for _ in 0..self.below(6) {
            self.inside(index, domains);
        }
        self.out += "</protection_domain>";
    }

    fn inside(&mut self, index: usize, domains: bool) {
        match self.below(16) {
            0..=4 => self.map(&[
                ("setvar_vaddr", Symbol, false),
                ("setvar_size", Symbol, false),
            ]),
            5..=7 => {
                let irqs = Of(&["33", "34", "+35", "36", "37", "0x21"]);
                let triggers = Of(&["level", "edge", "rising"]);
                let id = ("id", Id, true);
                self.element(
                    "irq",
                    &[("irq", irqs, true), id, ("trigger", triggers, false)],
                    true,
                );
            }
            8 => self.element(
                "setvar",
                &[("symbol", Symbol, true), ("region_paddr", Region, true)],
                true,
            ),
            9..=11 if self.pds < 70 => self.pd(Some(index), domains),
            12 => {
                self.open("virtual_machine");
                self.attribute("name", &format!("vm{index}"));
                self.maybe("priority", PRIORITIES, 2);
                self.out += ">";
                for _ in 0..=self.below(3) {
                    self.element(
                        "vcpu",
                        &[("id", Id, true), ("cpu", Of(&["0", "1"]), false)],
                        true,
                    );
                }
                self.map(&[]);
                self.out += "</virtual_machine>";
            }
            13 | 14 => {
                self.element("cspace", &[], false);
                for _ in 0..self.below(3) {
                    let name = ["cap_tcb", "cap_sc", "cap_vspace", "cap_tcb"][self.below(4)];
                    let slots = Of(&["1", "2", "3", "0x3f", "0"]);
                    self.element(name, &[("slot", slots, true), ("pd", Pd, true)], true);
                }
                self.out += "</cspace>";
            }
            _ => {
                let name =
                    ["map", "ioport", "program_image", "cspace", "irq", "end"][self.below(6)];
                self.element(name, &[], true);
            }
        }
    }

    fn map(&mut self, more: &[(&'static str, Value, bool)]) {
        let prefill_size = ("setvar_prefill_size", Symbol, true);
        let with_prefill_size = [more, &[prefill_size]].concat();
        let more = if self.seldom(30) {
            &with_prefill_size
        } else {
            more
        };
        let perms = Of(&["rw", "r", "rx", "rwx", "w", "", "rr", "z"]);
        let attributes = [
            ("mr", Region, true),
            ("vaddr", Vaddr, true),
            ("perms", perms, false),
            ("cached", Bool, false),
        ];
        self.element("map", &[&attributes, more].concat(), true);
    }

    fn channel(&mut self) {
        self.element("channel", &[], false);
        for _ in 0..2 + self.below(32) / 31 {
            self.element(
                "end",
                &[
                    ("pd", Pd, true),
                    ("id", Id, true),
                    ("pp", Bool, false),
                    ("notify", Bool, false),
                    ("setvar_id", Symbol, false),
                ],
                true,
            );
        }
        self.out += "</channel>";
    }

    /// Opens an element with these attributes. The flag of an attribute marks the attribute as
    /// required. If `empty` is true, closes the element.
    fn element(&mut self, name: &str, attributes: &[(&str, Value, bool)], empty: bool) {
        self.open(name);
        for (attribute, value, required) in attributes {
            if *required {
                if !self.seldom(100) {
                    self.value(attribute, *value);
                }
            } else {
                self.maybe(attribute, *value, 6);
            }
        }
        if self.seldom(120) {
            self.attribute("color", "red");
        }
        if empty { self.close() } else { self.out += ">" }
    }

    fn open(&mut self, name: &str) {
        write!(self.out, "\n<{name}").unwrap();
    }

    fn close(&mut self) {
        self.out += "/>";
    }

    fn maybe(&mut self, attribute: &str, value: Value, n: u8) {
        if self.seldom(n) {
            self.value(attribute, value);
        }
    }

    fn value(&mut self, attribute: &str, value: Value) {
        // A symbol is always valid, because only a later stage checks that it exists.
        if !matches!(value, Symbol) && self.seldom(100) {
            let odd = ODD[self.below(ODD.len())];
            return self.attribute(attribute, odd);
        }
        let value = match value {
            Pd => format!("pd{}", self.below(self.pds.max(1))),
            Region => format!("mr{}", self.below(self.regions.max(1))),
            Domain => format!("day{}", self.below(3)),
            Bool => ["true", "false"][self.below(2)].to_owned(),
            Id => self.below(64).to_string(),
            Symbol => format!("symbol{}", self.byte()),
            Vaddr if self.seldom(6) => VADDRS[self.below(VADDRS.len())].to_owned(),
            Vaddr => {
                self.maps += 1;
                format!("{:#x}", self.maps << 30)
            }
            // The valid values come first, and are chosen more often.
            Of(values) => {
                let picks = [(); 3].map(|()| self.below(values.len()));
                values[picks.into_iter().min().unwrap_or_default()].to_owned()
            }
        };
        self.attribute(attribute, &value);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        write!(self.out, " {name}=\"{value}\"").unwrap();
    }
}
