//! The arms of a `macro_rules!` in its source, and the checks of their expansions.
//!
//! The lint `unsafe_code`, and so `#![forbid(unsafe_code)]`, reports an `unsafe` that the caller
//! wrote. The lint is silent about an `unsafe` in our expansion. So the caller's tokens must not
//! end up inside an `unsafe` of ours, in an attribute with our `#`, or in an assembly template. The
//! compiler treats a template only as text.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// One arm: the pattern for the caller's tokens, and the expansion.
pub(crate) struct Arm {
    pub(crate) pattern: String,
    fragments: Fragments,
    expansion: TokenStream,
}

/// The kind of fragment of each name: `expr`, `tt`, `ident`, …
type Fragments = BTreeMap<String, String>;

/// Fragments that can be code: a block, or a function that is called.
const CODE: [&str; 8] = [
    "block", "expr", "ident", "item", "pat", "path", "stmt", "tt",
];

/// Fragments that can be more than one word of text, and so can end a string or a line of assembly.
const TEXT: [&str; 6] = ["block", "expr", "item", "literal", "stmt", "tt"];

/// Fragments that can be a whole attribute.
const ATTRIBUTE: [&str; 4] = ["ident", "meta", "path", "tt"];

/// Returns the arms of every macro with this name in a file, in all configurations.
pub(crate) fn arms(source: &str, name: &str) -> Vec<Arm> {
    let tokens = TokenStream::from_str(source).expect("the compiler has read this file");
    let mut found = Vec::new();
    collect(tokens, name, &mut found);
    found
}

fn collect(tokens: TokenStream, name: &str, found: &mut Vec<Arm>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let before = &tokens[index.saturating_sub(3)..index];
        match before {
            [word, mark, own] if is_word(word, "macro_rules") && is_mark(mark, '!') => {
                if is_word(own, name) {
                    found.extend(arms_of(group.stream()));
                }
            }
            _ => collect(group.stream(), name, found),
        }
    }
}

fn arms_of(body: TokenStream) -> Vec<Arm> {
    let groups: Vec<Group> = body
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Group(group) => Some(group),
            // `=>` and `;`
            _ => None,
        })
        .collect();
    let arm = |pair: &[Group]| {
        let mut fragments = Fragments::new();
        collect_fragments(pair[0].stream(), &mut fragments);
        Arm {
            pattern: shown(pair[0].stream()),
            fragments,
            expansion: pair[1].stream(),
        }
    };
    groups.chunks_exact(2).map(arm).collect()
}

fn collect_fragments(pattern: TokenStream, fragments: &mut Fragments) {
    let tokens: Vec<TokenTree> = pattern.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match &tokens[index..] {
            [
                dollar,
                TokenTree::Ident(name),
                colon,
                TokenTree::Ident(kind),
                ..,
            ] if is_mark(dollar, '$') && is_mark(colon, ':') => {
                fragments.insert(name.to_string(), kind.to_string());
            }
            _ => (),
        }
        if let TokenTree::Group(group) = token {
            collect_fragments(group.stream(), fragments);
        }
    }
}

impl Arm {
    /// Returns the findings in the expansion, one sentence each.
    pub(crate) fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        self.look(self.expansion.clone(), &mut findings);
        findings
    }

    fn look(&self, tokens: TokenStream, findings: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            let rest = &tokens[index + 1..];
            if is_word(token, "unsafe") {
                self.look_at_unsafe(rest, findings);
            }
            if ["asm", "global_asm", "naked_asm"]
                .iter()
                .any(|word| is_word(token, word))
                && let [mark, TokenTree::Group(arguments), ..] = rest
                && is_mark(mark, '!')
            {
                self.look_at_assembly(arguments, findings);
            }
            if is_mark(token, '#')
                && let [TokenTree::Group(attribute), ..] = rest
                && attribute.delimiter() == Delimiter::Bracket
            {
                self.look_at_attribute(attribute, findings);
            }
            if let TokenTree::Group(group) = token {
                self.look(group.stream(), findings);
            }
        }
    }

    /// Checks the part after `unsafe`: a block, an item up to its braces, or the parentheses of an
    /// attribute.
    fn look_at_unsafe(&self, rest: &[TokenTree], findings: &mut Vec<String>) {
        let is_end = |token: &TokenTree| match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            other => is_mark(other, ';'),
        };
        let inside = match rest {
            [TokenTree::Group(first), ..] if first.delimiter() == Delimiter::Parenthesis => {
                return self.look_at_unsafe_attribute(first, findings);
            }
            [TokenTree::Group(_), ..] => &rest[..1],
            [first, ..] if is_word(first, "impl") => {
                let end = rest.iter().position(is_end);
                &rest[..end.map_or(rest.len(), |end| end + 1)]
            }
            // A function or a trait. The part before its braces is not code.
            _ => match rest.iter().position(is_end) {
                Some(end) => &rest[end..=end],
                None => &[],
            },
        };
        let is_promise = inside.first().is_some_and(|first| is_word(first, "impl"));
        for passed in self.passed(inside, false) {
            if !passed.is_string && (is_promise || CODE.contains(&passed.kind)) {
                findings.push(format!(
                    "{passed} is inside our `unsafe`, where a caller's code needs no `unsafe` of \
                     its own: bind it to a variable outside"
                ));
            }
        }
    }

    fn look_at_unsafe_attribute(&self, parentheses: &Group, findings: &mut Vec<String>) {
        for passed in self.passed(&trees(parentheses), false) {
            if !(passed.is_string && passed.kind == "ident") {
                findings.push(format!(
                    "{passed} is in an `unsafe(…)` attribute of ours: take an `ident`, and write \
                     `stringify!` behind a prefix"
                ));
            }
        }
    }

    /// Checks the template: the arguments that are not operands.
    fn look_at_assembly(&self, arguments: &Group, findings: &mut Vec<String>) {
        for argument in split(arguments.stream()) {
            if is_operand(&argument) {
                continue;
            }
            for passed in self.passed(&argument, false) {
                if TEXT.contains(&passed.kind) {
                    findings.push(format!(
                        "{passed} is in a template of assembly, so a caller can write \
                         any instruction: take an `ident`, and pass numbers as `const` operands"
                    ));
                }
            }
        }
    }

    fn look_at_attribute(&self, attribute: &Group, findings: &mut Vec<String>) {
        let inside = trees(attribute);
        let is_other = |first| is_word(first, "doc") || is_word(first, "unsafe");
        if inside.first().is_some_and(is_other) {
            return;
        }
        for passed in self.passed(&inside, false) {
            if ATTRIBUTE.contains(&passed.kind) && !passed.is_string {
                findings.push(format!(
                    "{passed} becomes an attribute whose `#` is ours, so `unsafe(no_mangle)` in it \
                     passes the lint `unsafe_code`: take `#[doc = …]` only"
                ));
            }
        }
    }

    /// Returns the uses of the caller's fragments in these tokens.
    fn passed(&self, tokens: &[TokenTree], is_string: bool) -> Vec<Passed<'_>> {
        let mut passed = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            if let TokenTree::Group(group) = token {
                let is_string = is_string
                    || matches!(&tokens[..index], [.., word, mark]
                        if is_word(word, "stringify") && is_mark(mark, '!'));
                passed.extend(self.passed(&trees(group), is_string));
            }
            if let [dollar, TokenTree::Ident(name), ..] = &tokens[index..]
                && is_mark(dollar, '$')
                && let Some((name, kind)) = self.fragments.get_key_value(&name.to_string())
            {
                passed.push(Passed {
                    name,
                    kind,
                    is_string,
                });
            }
        }
        passed
    }
}

/// A use of a caller's fragment in an expansion.
struct Passed<'a> {
    name: &'a str,
    kind: &'a str,
    /// Whether the use is inside an argument of `stringify!`.
    is_string: bool,
}

impl fmt::Display for Passed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`${}:{}`", self.name, self.kind)
    }
}

fn trees(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

/// Splits tokens at the commas. A repetition (`$(…)`) is not split.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut arguments = vec![Vec::new()];
    for token in tokens {
        if is_mark(&token, ',') {
            arguments.push(Vec::new());
        } else if let Some(last) = arguments.last_mut() {
            last.push(token);
        }
    }
    arguments
}

/// Returns whether the argument is an operand: `const …`, `in(…) …`, `name = …`, or a repetition of
/// operands. The assembler gets a number or a register for an operand.
fn is_operand(argument: &[TokenTree]) -> bool {
    const KINDS: [&str; 11] = [
        "in",
        "out",
        "inout",
        "lateout",
        "inlateout",
        "const",
        "sym",
        "label",
        "options",
        "clobber_abi",
        "raw",
    ];
    match argument {
        [dollar, TokenTree::Group(repeated), ..] if is_mark(dollar, '$') => {
            let arguments = split(repeated.stream());
            arguments
                .iter()
                .all(|inner| inner.is_empty() || is_operand(inner))
        }
        [dollar, TokenTree::Ident(_), equals, rest @ ..]
            if is_mark(dollar, '$') && is_mark(equals, '=') =>
        {
            is_operand(rest)
        }
        [TokenTree::Ident(_), equals, rest @ ..] if is_mark(equals, '=') => is_operand(rest),
        [TokenTree::Ident(kind), ..] => KINDS.iter().any(|word| kind == word),
        _ => false,
    }
}

/// Formats tokens in the usual style of a pattern: `($vaddr:ident, $size:ident $(,)?)`.
fn shown(tokens: TokenStream) -> String {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut text = String::new();
    let mut rest = &tokens[..];
    let mut joined = true;
    while let Some((first, after)) = rest.split_first() {
        let (unit, left) = unit(first, after);
        let follows_a_name = !joined && text.ends_with(|last: char| last.is_alphanumeric());
        let sticks = match first {
            TokenTree::Punct(mark) => ",;:?".contains(mark.as_char()),
            TokenTree::Group(group) => {
                follows_a_name && group.delimiter() == Delimiter::Parenthesis
            }
            _ => false,
        };
        if !joined && !sticks {
            text.push(' ');
        }
        text.push_str(&unit);
        joined = match first {
            TokenTree::Punct(mark) => {
                "@#*".contains(&*unit) || (unit.len() == 1 && mark.spacing() == Spacing::Joint)
            }
            _ => false,
        };
        rest = left;
    }
    text
}

/// Splits off the first tokens that are written without a space between them.
fn unit<'a>(first: &TokenTree, after: &'a [TokenTree]) -> (String, &'a [TokenTree]) {
    match (first, after) {
        (
            dollar,
            [
                TokenTree::Ident(name),
                colon,
                TokenTree::Ident(kind),
                rest @ ..,
            ],
        ) if is_mark(dollar, '$') && is_mark(colon, ':') => (format!("${name}:{kind}"), rest),
        (dollar, [TokenTree::Ident(name), rest @ ..]) if is_mark(dollar, '$') => {
            (format!("${name}"), rest)
        }
        (dollar, [TokenTree::Group(group), rest @ ..]) if is_mark(dollar, '$') => {
            let is_end = |token: &TokenTree| "*+?".chars().any(|mark| is_mark(token, mark));
            let end = rest.iter().position(is_end).map_or(0, |end| end + 1);
            let marks: String = rest[..end].iter().map(ToString::to_string).collect();
            (format!("$({}){marks}", shown(group.stream())), &rest[end..])
        }
        (TokenTree::Group(group), rest) => {
            let inside = shown(group.stream());
            let text = match group.delimiter() {
                Delimiter::Parenthesis => format!("({inside})"),
                Delimiter::Bracket => format!("[{inside}]"),
                Delimiter::Brace => format!("{{{inside}}}"),
                Delimiter::None => inside,
            };
            (text, rest)
        }
        (other, rest) => (other.to_string(), rest),
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::arms;

    /// Asserts the findings in a macro with one arm.
    fn check(pattern: &str, expansion: &str, expect: &[&str]) {
        let source =
            format!("mod m {{ macro_rules! planted {{ {pattern} => {{ {expansion} }}; }} }}");
        let [arm] = &arms(&source, "planted")[..] else {
            panic!("one arm: {source}");
        };
        let findings = arm.findings();
        assert_eq!(findings.len(), expect.len(), "{source}: {findings:#?}");
        for (finding, expect) in findings.iter().zip(expect) {
            assert!(finding.contains(expect), "{source}: {finding}");
        }
    }

    #[test]
    fn a_callers_code_inside_unsafe_is_found() {
        const INSIDE: &str = "inside our `unsafe`";
        check("($x:expr)", "unsafe { read($x) }", &[INSIDE]);
        check("($x:block)", "unsafe $x", &[]);
        check("($x:block)", "unsafe { $x }", &[INSIDE]);
        check(
            "($($x:tt)*)",
            "{ if true { unsafe { f(g![$($x)*]) } } }",
            &[INSIDE],
        );
        check("($f:ident)", "unsafe { $f() }", &[INSIDE]);
        check("($f:path)", "const _: () = unsafe { $f() };", &[INSIDE]);
        check("($x:expr)", "unsafe fn f() -> u8 { $x }", &[INSIDE]);
        check("($t:ty)", "unsafe impl Sync for $t {}", &[INSIDE]);
        check("($x:expr)", "let x = $x; unsafe { read(x) }", &[]);
        check("($x:literal)", "unsafe { read($x) }", &[]);
        check("($x:expr)", "unsafe { read() } + $x", &[]);
        check("($x:expr)", "unsafe fn f(); const X: u8 = $x;", &[]);
    }

    #[test]
    fn a_callers_text_in_assembly_is_found() {
        const TEMPLATE: &str = "in a template";
        check(
            "($x:expr)",
            r#"global_asm!(concat!(".ascii \"", $x, "\""));"#,
            &[TEMPLATE],
        );
        check("($x:literal)", "::core::arch::asm!($x)", &[TEMPLATE]);
        check(
            "($($x:tt)*)",
            r#"core::arch::global_asm!("nop", $(concat!($x)),*);"#,
            &[TEMPLATE],
        );
        check(
            "($x:ident)",
            r#"global_asm!(concat!(".reloc ", stringify!($x)));"#,
            &[],
        );
        check("($x:expr)", r#"global_asm!("{n}", n = const $x);"#, &[]);
        check(
            "($($n:ident = $x:expr),*)",
            r#"global_asm!("nop", $($n = const $x.index(),)*);"#,
            &[],
        );
    }

    #[test]
    fn an_attribute_that_passes_through_is_found() {
        const ATTRIBUTE: &str = "becomes an attribute";
        check(
            "($(#[$a:meta])* $n:ident)",
            "$(#[$a])* static $n: u8 = 0;",
            &[ATTRIBUTE],
        );
        check(
            "($a:meta)",
            "#[cfg_attr(all(), $a)] fn f() {}",
            &[ATTRIBUTE],
        );
        check("($($a:tt)*)", "#[$($a)*] fn f() {}", &[ATTRIBUTE]);
        check(
            "($n:ident)",
            "#[unsafe($n)] fn f() {}",
            &["an `unsafe(…)` attribute"],
        );
        check(
            "($n:literal)",
            "#[unsafe(link_section = $n)] static X: u8 = 0;",
            &["an `unsafe(…)` attribute"],
        );
        check(
            "($n:ident)",
            r#"#[unsafe(export_name = concat!("our_", stringify!($n)))] static X: u8 = 0;"#,
            &[],
        );
        check("($(#[doc = $d:expr])*)", "$(#[doc = $d])* fn f() {}", &[]);
        check("($($i:tt)*)", "$($i)*", &[]);
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_written() {
        for pattern in [
            "",
            "$vaddr:ident, $size:ident $(,)?",
            "$(#[$a:meta])* $symbol:ident: $type:ty = $default:expr",
            "@options [$($stack:expr)?] $heap:tt",
            "if #[sel4_cfg($($condition:tt)*)] {$($then:tt)*}",
            "{all($head:ident $(($($inner:tt)*))? $(, $($rest:tt)*)?)} $then:tt",
            "$line:expr $(, $name:ident = $number:expr)*",
            "$($held:ident)+ -> $x:expr; $y:lifetime",
            "$symbol:ident: *mut [$type:ty], n = $n:expr $(,)?",
            "$name:literal $(parent = $parent:literal),*",
        ] {
            let source = format!("macro_rules! m {{ ({pattern}) => {{}} }}");
            assert_eq!(arms(&source, "m")[0].pattern, pattern);
        }
    }
}
