//! Runs the SDK's tool to get the expected meaning of a system file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use microkit_abi::{limits, symbols};
use microkit_sdf::SearchPaths;

/// The tool of the SDK in `MICROKIT_SDK`, with a working folder.
pub(crate) struct Tool {
    sdk: PathBuf,
    work: PathBuf,
}

/// The result of the tool for a system.
pub(crate) struct Outcome {
    /// The capDL specification of the built system, or `None` if the build failed.
    pub(crate) spec: Option<serde_json::Value>,
    /// The text that the tool wrote to standard error.
    pub(crate) said: String,
    /// The memory regions that the tool reported as unused.
    pub(crate) unused: BTreeSet<String>,
}

impl Tool {
    /// Finds the tool. Without an SDK, prints a message and returns `None`. `name` makes the
    /// folders of the tests distinct.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let Some(sdk) = env::var_os("MICROKIT_SDK").map(PathBuf::from) else {
            super::say(&format!(
                "SKIPPED: {name} against the SDK's tool; set MICROKIT_SDK"
            ));
            return None;
        };
        let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&work).unwrap();
        Some(Self { sdk, work })
    }

    /// Returns the search path of the tool. The path includes the files of the last build.
    pub(crate) fn files(&self) -> SearchPaths {
        SearchPaths(vec![super::folder("files"), self.work.clone()])
    }

    /// Writes the system, and a program that has every symbol, to the tool's search path.
    pub(crate) fn write(&self, text: &str) {
        let symbols = symbols(text);
        let symbols: Vec<_> = symbols
            .iter()
            .map(|(name, size)| (name.as_str(), *size))
            .collect();
        fs::write(self.work.join("pd.elf"), super::elf::program(&symbols)).unwrap();
        fs::write(self.work.join("tested.system"), text).unwrap();
    }

    /// Builds the system.
    pub(crate) fn build(&self, text: &str) -> Outcome {
        self.write(text);
        let spec_path = self.work.join("spec.json");
        let _ = fs::remove_file(&spec_path);
        let output = Command::new(self.sdk.join("bin/microkit"))
            .current_dir(&self.work)
            .env("MICROKIT_SDK", &self.sdk)
            .arg("tested.system")
            .args(["--board", "qemu_virt_aarch64", "--config", "debug"])
            .args([
                "-o",
                "loader.img",
                "-r",
                "report.txt",
                "--capdl-json",
                "spec.json",
            ])
            .arg("--search-path")
            .arg(super::folder("files"))
            .output()
            .unwrap();
        let spec = output
            .status
            .success()
            .then(|| serde_json::from_slice(&fs::read(&spec_path).unwrap()).unwrap());
        let unused = |line: &str| {
            let name = line.strip_prefix("WARNING: unused memory region '")?;
            Some(name.strip_suffix('\'')?.to_owned())
        };
        Outcome {
            spec,
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
            unused: String::from_utf8_lossy(&output.stdout)
                .lines()
                .filter_map(unused)
                .collect(),
        }
    }
}

impl Outcome {
    /// Returns whether the tool built the system.
    pub(crate) fn built(&self) -> bool {
        self.spec.is_some()
    }

    /// Returns whether the tool accepted the system file. A build can still fail because of a
    /// missing program, a program that does not fit, or memory that the board does not have.
    pub(crate) fn system_was_taken(&self) -> bool {
        const LATER: [&str; 7] = [
            "unable to find program image",
            "failed to parse ELF",
            "could not patch symbol",
            "setvar to non-word size symbol",
            "will overlap with an ELF segment",
            "is not in any valid memory region",
            "could not allocate all required kernel objects",
        ];
        self.built() || LATER.iter().any(|later| self.said.contains(later))
    }
}

/// Returns Microkit's symbols, and every quoted word that could be a symbol. With these symbols in
/// the program, the tool never rejects a system for a missing symbol.
fn symbols(text: &str) -> Vec<(String, u64)> {
    let is_symbol = |word: &&str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let words: BTreeSet<&str> = text.split(['"', '\'']).filter(is_symbol).collect();
    let own = symbols::ALL.map(|name| {
        let size = match name {
            symbols::NAME => limits::NAME_BYTES as u64,
            symbols::PASSIVE => 1,
            _ => 8,
        };
        (name.to_owned(), size)
    });
    let others = words
        .into_iter()
        .filter(|word| !symbols::ALL.contains(word));
    own.into_iter()
        .chain(others.map(|word| (word.to_owned(), 8)))
        .collect()
}
