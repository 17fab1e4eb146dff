//! Checks each code block in the guide against the named file, which must contain the block. The
//! named files are compiled and tested.

use std::fs;

use ci::root;

/// Returns the Rust blocks, each with the path in the preceding line. That line contains only the
/// path and a colon.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("```").collect();
    let outside = parts.iter().step_by(2);
    let inside = parts.iter().skip(1).step_by(2);
    outside
        .zip(inside)
        .filter_map(|(before, block)| Some((*before, block.strip_prefix("rust\n")?)))
        .map(|(before, code)| {
            let line = before.trim_end().lines().last().unwrap_or_default();
            let path = line
                .strip_prefix('`')
                .and_then(|line| line.strip_suffix("`:"));
            (path.unwrap_or_default(), code)
        })
        .collect()
}

/// The chapters that name a file for each code block.
const CHAPTERS: [&str; 7] = [
    "testing",
    "typed",
    "shared-memory",
    "sessions",
    "registry",
    "tasks",
    "locks",
];

#[test]
fn code_in_the_guide_is_equal_to_the_examples() {
    for chapter in CHAPTERS {
        check(&format!("docs/guide/{chapter}.md"));
    }
}

fn check(chapter: &str) {
    let chapter = fs::read_to_string(root().join(chapter)).expect("the chapter exists");
    let blocks = blocks(&chapter);
    assert!(blocks.len() > 5, "the chapter has too few code blocks");
    for (path, code) in blocks {
        assert!(!path.is_empty(), "this block names no file:\n{code}");
        let file = fs::read_to_string(root().join(path)).expect("the file exists");
        assert!(file.contains(code), "{path} does not contain:\n{code}");
    }
}

#[test]
fn the_readme_and_the_chapter_on_failures_show_what_is_in_the_files() {
    for page in ["README.md", "docs/guide/when-it-fails.md"] {
        let page = fs::read_to_string(root().join(page)).unwrap();
        let blocks = blocks(&page);
        assert!(blocks.len() > 1, "the page has too few code blocks");
        for (path, code) in blocks {
            let file = fs::read_to_string(root().join(path)).expect("the file exists");
            assert!(file.contains(code), "{path} does not contain:\n{code}");
        }
    }
}

#[test]
fn the_chapter_on_waiting_shows_what_is_in_the_files() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("the file exists");
    let chapter = read("docs/guide/waiting.md");
    let blocks = blocks(&chapter);
    assert!(blocks.len() > 1, "the chapter has too few code blocks");
    for (path, code) in blocks {
        assert!(
            read(path).contains(code),
            "{path} does not contain:\n{code}"
        );
    }
    let report = read("crates/tool/microkit-check/tests/bad/waits_for_caller.report");
    let (_, error) = report.split_once("\n\n").expect("a heading");
    assert!(
        chapter.contains(error),
        "the chapter does not contain:\n{error}"
    );
}

/// Asserts that `blocks` returns each block with its path.
#[test]
fn a_block_is_read_with_its_path() {
    let text = "Text\n\n`a/b.rs`:\n\n```rust\nfn a() {}\n```\n\n```toml\nx = 1\n```\n\nNo path.\n\
                ```rust\nfn b() {}\n```\n";
    assert_eq!(
        blocks(text),
        [("a/b.rs", "fn a() {}\n"), ("", "fn b() {}\n")]
    );
}
