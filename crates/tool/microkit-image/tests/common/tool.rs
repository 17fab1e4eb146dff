//! Runs the SDK's tool to get the expected result for a system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::Value;

use super::corpus::Case;

/// The tool of the SDK in `MICROKIT_SDK`, with a working folder.
pub(crate) struct Tool {
    sdk: PathBuf,
    work: PathBuf,
}

/// A page of an address space.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) bytes: u64,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) execute: bool,
    pub(crate) cached: bool,
    /// The physical address, if the specification states an address.
    pub(crate) paddr: Option<u64>,
}

/// The initial state of a thread.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Thread {
    pub(crate) entry: u64,
    pub(crate) stack_top: u64,
    pub(crate) ipc_buffer: u64,
}

/// The result of the tool: its capDL specification.
pub(crate) struct Spec(Value);

impl Tool {
    /// Finds the tool. Without an SDK, prints a message and returns `None`. `name` makes the
    /// folders of the tests distinct.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let Some(sdk) = env::var_os("MICROKIT_SDK").map(PathBuf::from) else {
            println!("SKIPPED: set MICROKIT_SDK to hold {name} against the SDK's tool");
            return None;
        };
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        Some(Self { sdk, work })
    }

    /// Builds a system. Returns the specification, or the output of the tool if the tool fails.
    pub(crate) fn build(&self, case: &Case) -> Result<Spec, String> {
        let work = self.work.join(&case.name);
        let _ = fs::remove_dir_all(&work);
        fs::create_dir_all(&work).unwrap();
        for (path, bytes) in &case.files_later.0 {
            fs::write(work.join(path), bytes).unwrap();
        }
        fs::write(work.join("test.system"), &case.text).unwrap();
        let said = fs::File::create(work.join("said")).unwrap();
        // With a bad program, the tool can allocate all memory of the machine.
        let limited = "ulimit -v 6000000; exec \"$0\" \"$@\"";
        let mut tool = Command::new("sh")
            .args(["-c", limited])
            .arg(self.sdk.join("bin/microkit"))
            .current_dir(&work)
            .env("MICROKIT_SDK", &self.sdk)
            .args([
                "test.system",
                "--board",
                "qemu_virt_aarch64",
                "--config",
                "debug",
            ])
            .args([
                "-o",
                "loader.img",
                "-r",
                "report.txt",
                "--capdl-json",
                "spec.json",
            ])
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        // With some bad programs, the tool never ends.
        let start = Instant::now();
        let status = loop {
            match tool.try_wait().unwrap() {
                Some(status) => break status,
                None if start.elapsed() > Duration::from_secs(60) => {
                    tool.kill().unwrap();
                    break tool.wait().unwrap();
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        if status.success() {
            let spec = fs::read(work.join("spec.json")).unwrap();
            Ok(Spec(serde_json::from_slice(&spec).unwrap()))
        } else {
            let said = fs::read(work.join("said")).unwrap();
            Err(format!("{status}: {}", String::from_utf8_lossy(&said)))
        }
    }
}

impl Spec {
    fn object(&self, name: &str) -> &Value {
        let objects = self.0["objects"].as_array().unwrap();
        let object = objects.iter().find(|object| object["name"] == name);
        &object.unwrap_or_else(|| panic!("there is no object {name}"))["object"]
    }

    /// Returns the initial state of the thread of a protection domain.
    pub(crate) fn thread(&self, pd: &str) -> Thread {
        let extra = &self.object(&format!("tcb_{pd}"))["Tcb"]["extra"];
        let word = |name: &str| extra[name].as_u64().unwrap();
        Thread {
            entry: word("ip"),
            stack_top: word("sp"),
            ipc_buffer: word("ipc_buffer_addr"),
        }
    }

    /// Returns the pages of a protection domain, by address.
    pub(crate) fn pages(&self, pd: &str) -> BTreeMap<u64, Page> {
        let mut pages = BTreeMap::new();
        self.walk(self.object(&format!("pud_{pd}")), 30, 0, &mut pages);
        pages
    }

    fn walk(&self, table: &Value, shift: u32, base: u64, pages: &mut BTreeMap<u64, Page>) {
        for entry in table["PageTable"]["slots"].as_array().unwrap() {
            let vaddr = base + (entry["slot"].as_u64().unwrap() << shift);
            let (kind, cap) = entry["cap"].as_object().unwrap().iter().next().unwrap();
            let object = &self.0["objects"][cap["object"].as_u64().unwrap() as usize]["object"];
            if kind == "PageTable" {
                self.walk(object, shift - 9, vaddr, pages);
                continue;
            }
            let frame = &object["Frame"];
            assert_eq!(frame["size_bits"], shift);
            let is = |value: &Value| value.as_bool().unwrap();
            let page = Page {
                bytes: 1 << shift,
                read: is(&cap["rights"]["read"]),
                write: is(&cap["rights"]["write"]),
                execute: is(&cap["executable"]),
                cached: is(&cap["cached"]),
                paddr: frame["paddr"].as_u64(),
            };
            assert!(pages.insert(vaddr, page).is_none());
        }
    }
}
