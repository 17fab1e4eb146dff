//! Builds the package that the code blocks of `docs/guide/programs.md` describe, outside the
//! workspace, and tests the package on the model kernel. Its drivers are dependencies.

use std::fs;
use std::process::Command;

use ci::root;

/// The files of the package. The line before each block contains only the file and a colon.
const FILES: [&str; 4] = [
    "Cargo.toml",
    "src/main.rs",
    "blinker.expected",
    "blinker.system",
];

/// Returns the code block after the line with this file.
fn block<'a>(page: &'a str, file: &str) -> Option<&'a str> {
    let (_, after) = page.split_once(&format!("\n`{file}`:\n\n```"))?;
    let (_language, after) = after.split_once('\n')?;
    Some(after.split_once("```")?.0)
}

#[test]
fn the_package_with_drivers_as_dependencies_passes_its_test() {
    let page = fs::read_to_string(root().join("docs/guide/programs.md")).unwrap();
    let target = root().join("target");
    let folder = target.join("programs/blinker");
    fs::create_dir_all(folder.join("src")).unwrap();
    for file in FILES {
        let text = block(&page, file).unwrap_or_else(|| panic!("no block is {file}"));
        let mut text = text.replace("../sel4-microkit-rs", &root().display().to_string());
        if file == "Cargo.toml" {
            // The package must not be a member of the workspace around it.
            text.push_str("\n[workspace]\n");
        }
        fs::write(folder.join(file), text).unwrap();
    }
    // Uses the dependency versions of the workspace.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "cargo-microkit"])
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"))
        .args(["--", "test", "blinker.system", "--kernel", "model"])
        .arg("--verbose")
        .current_dir(&folder)
        // Reuses the crates that the workspace has built.
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .expect("Cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("ok   blinker (model debug, dev)"), "{text}");
    for driver in ["console", "timer"] {
        let line = format!("the binary `{driver}` of the dependency `microkit-{driver} ");
        assert!(errors.contains(&line), "{errors}");
    }
}

/// Asserts that `block` returns only the block after the line with the file.
#[test]
fn a_block_belongs_to_the_line_before_it() {
    let page =
        "See `a.rs`:\n\n```\nno\n```\n\n`a.rs`:\n\n```rust,ignore\nfn a() {}\n```\n\n`b.rs`:\n";
    assert_eq!(block(page, "a.rs"), Some("fn a() {}\n"));
    assert_eq!(block(page, "b.rs"), None);
}
