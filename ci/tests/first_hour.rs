//! Follows `docs/guide/first-hour.md`. Makes the package with `cargo microkit new`, replaces files
//! by the page's code blocks, and tests the package on the host and on the model kernel.

use std::fs;
use std::path::Path;
use std::process::Command;

use ci::root;

/// The files that the page contains. The block for `Cargo.toml` replaces the binary `hello`.
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

/// The lines of `Cargo.toml` that the page replaces.
const HELLO: &str = "[[bin]]\nname = \"hello\"\ntest = false\n";

/// Makes the page's changes in the package.
fn change(page: &str, folder: &Path) {
    for file in ["src/bin/hello.rs", "tests/system.rs"] {
        assert!(page.contains(file), "the page does not delete {file}");
        fs::remove_file(folder.join(file)).expect("the template has the file");
    }
    let blocks = blocks(page);
    for file in FILES {
        let mut of_file = blocks.iter().filter(|(name, _)| *name == file);
        let (_, code) = of_file
            .next()
            .unwrap_or_else(|| panic!("no block is {file}"));
        assert_eq!(of_file.next(), None, "two blocks are {file}");
        let path = folder.join(file);
        let code = match file {
            "Cargo.toml" => {
                let manifest = fs::read_to_string(&path).expect("the manifest");
                assert!(manifest.contains(HELLO), "{manifest}");
                manifest.replace(HELLO, code)
            }
            _ => code.clone(),
        };
        fs::write(path, code).expect("the folder exists");
    }
}

/// Runs the tool in a folder, and returns its standard output.
fn microkit(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "cargo-microkit"])
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"))
        .arg("--")
        .args(arguments)
        .current_dir(folder)
        // Reuses the crates that the workspace has built.
        .env("CARGO_TARGET_DIR", root().join("target"))
        .output()
        .expect("Cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    text.into_owned()
}

/// The page's command that makes the package.
const NEW: [&str; 4] = ["new", "thermometer", "--template", "hello"];

fn page() -> String {
    fs::read_to_string(root().join("docs/guide/first-hour.md")).expect("the page exists")
}

#[test]
fn the_package_of_the_first_hour_passes_its_tests() {
    let page = page();
    let home = tempfile::tempdir().expect("a temporary directory");
    let folder = home.path().join("thermometer");
    assert!(page.contains(&format!("cargo microkit {}\n", NEW.join(" "))));
    microkit(home.path(), &NEW);
    change(&page, &folder);
    // The versions of the workspace.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("a copy");
    let text = microkit(&folder, &["test", "thermometer", "--kernel", "model"]);
    for line in [
        "ok   thermometer (host)",
        "ok   thermometer (model debug, dev)",
    ] {
        assert!(page.contains(line) && text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn the_page_lists_every_file_of_the_template() {
    let page = page();
    let home = tempfile::tempdir().expect("a temporary directory");
    microkit(home.path(), &NEW);
    let package = home.path().join("thermometer");
    let names = |folder: &str| {
        let entries = fs::read_dir(package.join(folder)).expect("the folder exists");
        let names = entries.map(|entry| entry.expect("the entry is readable").file_name());
        let names = names.map(|name| name.into_string().expect("UTF-8"));
        names.collect::<Vec<_>>()
    };
    let top = names(".").into_iter();
    let top = top.filter(|name| !["src", "tests"].contains(&name.as_str()));
    let inside = ["src/bin", "tests"].map(|folder| {
        let names = names(folder).into_iter();
        names.map(move |name| format!("{folder}/{name}"))
    });
    let files: Vec<_> = top.chain(inside.into_iter().flatten()).collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        assert!(page.contains(&format!("`{file}`")), "{file}");
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
