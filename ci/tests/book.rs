//! Checks the book in `docs` and the other pages of the repository: every page is in `SUMMARY.md`,
//! every relative link and anchor has a target, and every path in backticks exists.
//!
//! `mdbook build` alone checks only that the entries of `SUMMARY.md` are files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use ci::root;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Folders of the repository with pages, besides the root itself.
const FOLDERS: [&str; 5] = ["ci", "crates", "docs", "examples", "microkit-systems"];

/// The facts about a page that the checks use.
#[derive(Debug, Default, PartialEq)]
struct Page {
    anchors: BTreeSet<String>,
    links: Vec<String>,
    code_spans: Vec<String>,
}

impl Page {
    fn new(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.add_anchor(&heading.take().unwrap_or_default());
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.to_string());
                }
                Event::Text(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.code_spans.push(code.to_string());
                }
                _ => {}
            }
        }
        page
    }

    /// Adds the anchor that mdBook and GitHub generate for a heading. The anchor of the second of
    /// two equal headings ends with `-1`.
    fn add_anchor(&mut self, heading: &str) {
        let slug: String = heading
            .trim()
            .chars()
            .filter_map(|c| match c {
                c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
                c if c.is_whitespace() => Some('-'),
                _ => None,
            })
            .collect();
        let anchor = (0..)
            .map(|n: usize| match n {
                0 => slug.clone(),
                n => format!("{slug}-{n}"),
            })
            .find(|anchor| !self.anchors.contains(anchor))
            .expect("the numbers do not end");
        self.anchors.insert(anchor);
    }
}

/// Returns every Markdown file of the repository, keyed by its path from the root.
fn pages() -> BTreeMap<PathBuf, Page> {
    let mut files = Vec::new();
    collect(&root(), false, &mut files);
    for folder in FOLDERS {
        collect(&root().join(folder), true, &mut files);
    }
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("a page is text");
            let path = file.strip_prefix(root()).expect("it is in the root");
            (path.to_path_buf(), Page::new(&text))
        })
        .collect()
}

/// Adds the Markdown files of `folder` to `files`.
fn collect(folder: &Path, with_subfolders: bool, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            if with_subfolders && !path.ends_with("target") {
                collect(&path, true, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

/// Returns the target of a relative link: a path from the root, and an anchor. Returns `None` for a
/// link to another site.
fn target(page: &Path, link: &str) -> Option<(PathBuf, String)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let mut path = page.to_path_buf();
    if !file.is_empty() {
        path.pop();
        for component in Path::new(file).components() {
            match component {
                Component::ParentDir => assert!(path.pop(), "{link} leaves the repository"),
                component => path.push(component),
            }
        }
    }
    Some((path, anchor.to_string()))
}

/// Returns the errors in the relative links of `pages`. `exists` returns whether a file exists.
fn broken_links(pages: &BTreeMap<PathBuf, Page>, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, page) in pages {
        for link in &page.links {
            let Some((file, anchor)) = target(path, link) else {
                continue;
            };
            let shown = path.display();
            if !exists(&file) {
                broken.push(format!("{shown}: {link}: the file does not exist"));
            } else if !anchor.is_empty()
                && !pages
                    .get(&file)
                    .is_some_and(|page| page.anchors.contains(&anchor))
            {
                broken.push(format!("{shown}: {link}: the page has no such heading"));
            } else if path.starts_with("docs") && !file.starts_with("docs") {
                // The link works only in a browser of the repository, not in the book. A page must
                // name the file by its path in backticks instead.
                broken.push(format!(
                    "{shown}: {link}: the built book does not have this file"
                ));
            }
        }
    }
    broken
}

fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn every_relative_link_and_anchor_has_a_target() {
    let pages = pages();
    assert!(pages.len() > 40, "only {} pages were read", pages.len());
    assert_none(&broken_links(&pages, |path| root().join(path).exists()));
}

#[test]
fn the_summary_has_every_page_of_the_book_once() {
    let mut pages = pages();
    let summary = Path::new("docs/SUMMARY.md");
    let entries = pages.remove(summary).expect("the book has a summary").links;
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for link in &entries {
        let (page, _) = target(summary, link).expect("an entry is a page");
        if !pages.contains_key(&page) {
            wrong.push(format!("{link} is not a page"));
        }
        if !listed.insert(page) {
            wrong.push(format!("{link} has two entries"));
        }
    }
    let in_docs = pages.keys().filter(|path| path.starts_with("docs"));
    let missing = in_docs.filter(|path| !listed.contains(*path));
    wrong.extend(missing.map(|path| format!("{} has no entry", path.display())));
    assert_none(&wrong);
}

#[test]
fn links_to_a_readme_lead_to_a_page_of_the_built_book() {
    let settings =
        fs::read_to_string(root().join("docs/book.toml")).expect("the book has settings");
    for path in pages().keys().filter(|path| path.ends_with("README.md")) {
        if let Ok(page) = path.strip_prefix("docs") {
            let page = page.with_extension("html");
            let redirect = format!("\"/{}\" = \"index.html\"", page.display());
            assert!(
                settings.contains(&redirect),
                "docs/book.toml lacks {redirect}"
            );
        }
    }
}

#[test]
fn every_path_in_backticks_exists() {
    let mut wrong = Vec::new();
    for (path, page) in pages() {
        let named = page.code_spans.iter().filter(|span| is_path(span));
        for span in named.filter(|span| !root().join(span).exists()) {
            wrong.push(format!("{}: `{span}` does not exist", path.display()));
        }
    }
    assert_none(&wrong);
}

/// On the page "Where do I change …", a file name without a folder refers to the folder of the last
/// path. Asserts that every such file exists.
#[test]
fn every_file_name_where_to_change_something_exists() {
    let pages = pages();
    let mut folder = root();
    let mut wrong = Vec::new();
    let mut names = 0;
    for span in &pages[Path::new("docs/where.md")].code_spans {
        let path = root().join(span);
        if is_path(span) {
            folder = path;
            if folder.is_file() {
                folder.pop();
            }
        } else if span.ends_with(".rs") && !span.contains('/') {
            names += 1;
            if !folder.join(span).is_file() {
                wrong.push(format!("{} does not have `{span}`", folder.display()));
            }
        }
    }
    assert!(names > 10, "the page has {names} names of files");
    assert_none(&wrong);
}

/// Returns whether a code span is a path from the root. Returns `false` for patterns and for paths
/// with placeholders.
fn is_path(span: &str) -> bool {
    FOLDERS
        .iter()
        .any(|folder| span.starts_with(&format!("{folder}/")))
        && !span.contains(|c: char| c.is_whitespace() || "*{<…".contains(c))
        && !span.split(['/', '.']).any(|part| part == "NAME")
}

/// Asserts that `broken_links` reports each kind of broken link.
#[test]
fn a_broken_link_is_found() {
    let page = Page::new(
        "# A page\n## `x` and y\n## A page\n[1](b.md) [2](../README.md) [3](#a-page-1) [4](#no) \
         [5](b.md#x) [6](https://example.org) ![7](c.svg)\n\n| `crates/a` |\n| --- |\n",
    );
    let anchors = page.anchors.iter().map(String::as_str);
    assert_eq!(
        anchors.collect::<Vec<_>>(),
        ["a-page", "a-page-1", "x-and-y"]
    );
    assert_eq!(page.code_spans, ["x", "crates/a"]);
    let pages = BTreeMap::from([
        (PathBuf::from("docs/a.md"), page),
        (PathBuf::from("docs/b.md"), Page::new("# Y\n")),
    ]);
    let found = broken_links(&pages, |path| path.extension().is_some_and(|e| e == "md"));
    assert_eq!(
        found,
        [
            "docs/a.md: ../README.md: the built book does not have this file",
            "docs/a.md: #no: the page has no such heading",
            "docs/a.md: b.md#x: the page has no such heading",
            "docs/a.md: c.svg: the file does not exist",
        ]
    );
    assert!(is_path("crates/a/b.rs"));
    assert!(
        !is_path("crates/*/b.rs") && !is_path("examples/NAME/src") && !is_path("cargo ci/test")
    );
}
