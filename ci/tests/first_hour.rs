//! Follows `docs/guide/first-hour.md`. Builds a package from the page's code blocks, outside the
//! workspace, and tests the package on the host and on the model kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ci::root;

/// The files of the package. `Cargo.toml` is the output of `cargo new` plus the code block.
const FILES: [&str; 6] = [
    "Cargo.toml",
    "src/bin/display.rs",
    "src/bin/sensor.rs",
    "tests/display.rs",
    "thermometer.expected",
    "thermometer.system",
];

/// Returns the code blocks, each with the first of [`FILES`] in the paragraph before the block.
fn blocks(page: &str) -> Vec<(&'static str, String)> {
    let mut parts = page.split("```");
    let mut found = Vec::new();
    while let (Some(text), Some(block)) = (parts.next(), parts.next()) {
        let paragraph = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let mut spans = paragraph.split('`').skip(1).step_by(2);
        let file = spans.find_map(|span| FILES.into_iter().find(|file| *file == span));
        let code = block.split_once('\n').map(|(_language, code)| code);
        found.extend(file.zip(code.map(str::to_string)));
    }
    found
}

/// Writes the package to `folder`.
fn write(page: &str, folder: &Path) {
    let manifest = "[package]\nname = \"thermometer\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n";
    let blocks = blocks(page);
    for file in FILES {
        let mut of_file = blocks.iter().filter(|(name, _)| *name == file);
        let (_, code) = of_file
            .next()
            .unwrap_or_else(|| panic!("no block is {file}"));
        assert_eq!(of_file.next(), None, "two blocks are {file}");
        let code = match file {
            "Cargo.toml" => {
                let clone = root().display().to_string();
                let code = code.replace("../sel4-microkit-rs", &clone);
                assert!(
                    code.contains(&clone),
                    "the page gives another path to the clone"
                );
                // The package must not be a member of the surrounding workspace.
                format!("{manifest}{code}\n[workspace]\n")
            }
            _ => code.clone(),
        };
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("the path is in the folder")).unwrap();
        fs::write(path, code).unwrap();
    }
}

#[test]
fn the_package_of_the_first_hour_passes_its_tests() {
    let page = fs::read_to_string(root().join("docs/guide/first-hour.md")).unwrap();
    let target = root().join("target");
    let folder: PathBuf = target.join("first-hour/thermometer");
    write(&page, &folder);
    // Uses the dependency versions of the workspace.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--package",
            "cargo-microkit",
            "--manifest-path",
        ])
        .arg(root().join("Cargo.toml"))
        .args(["--", "test", "thermometer.system", "--kernel", "model"])
        .current_dir(&folder)
        // Reuses the crates that the workspace has built.
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("Cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    for line in [
        "ok   thermometer (host)",
        "ok   thermometer (model debug, dev)",
    ] {
        assert!(
            page.contains(line) && text.contains(line),
            "{line}\n{text}{errors}"
        );
    }
}

/// Asserts that a block belongs to the file in the paragraph before the block.
#[test]
fn a_block_belongs_to_the_file_that_is_named_before_it() {
    let page = "Write `x` and `src/bin/sensor.rs`, beside `Cargo.toml`:\n\n```rust,ignore\nfn a() {}\n```\n\
                \nRun `cargo`:\n\n```\ncargo run\n```\n";
    assert_eq!(
        blocks(page),
        [("src/bin/sensor.rs", "fn a() {}\n".to_string())]
    );
}
