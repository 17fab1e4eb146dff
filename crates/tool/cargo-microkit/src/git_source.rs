//! A Git repository as the source of a package, in the form in which Cargo writes the source.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The source `URL?KIND=NAME#COMMIT`. All parts after the URL are optional.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GitSource<'a> {
    pub(crate) url: &'a str,
    /// The kind (`branch`, `tag` or `rev`) and the name.
    pub(crate) reference: Option<(&'a str, Cow<'a, str>)>,
    pub(crate) commit: Option<&'a str>,
}

impl<'a> GitSource<'a> {
    /// Parses a source. Escapes in the name, such as `%2F`, are decoded.
    pub(crate) fn parse(text: &'a str) -> Self {
        let (rest, commit) = match text.split_once('#') {
            Some((rest, commit)) => (rest, Some(commit)),
            None => (text, None),
        };
        let (url, query) = rest.split_once('?').unwrap_or((rest, ""));
        let reference = query.split_once('=');
        let reference = reference.map(|(kind, name)| (kind, percent_decode_str(name)));
        Self {
            url,
            reference: reference.map(|(kind, name)| (kind, name.decode_utf8_lossy())),
            commit,
        }
    }
}

/// Returns the shell command that installs this tool from a Git repository. `reference` is a kind
/// and a name, as in [`GitSource::reference`].
pub(crate) fn install_command(url: &str, reference: Option<(&str, &str)>) -> String {
    let mut words = vec!["cargo", "install", "--locked", "--git", url];
    let option;
    if let Some((kind, name)) = reference {
        option = format!("--{kind}");
        words.extend([option.as_str(), name]);
    }
    words.push("cargo-microkit");
    // Only a zero byte cannot be quoted. Neither an argument nor Cargo's output contains one.
    shlex::try_join(words).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_a_url_a_reference_and_a_commit() {
        let check = |text, url, reference: Option<(&str, &str)>, commit| {
            let source = GitSource::parse(text);
            let found = source.reference.as_ref();
            let found = found.map(|(kind, name)| (*kind, name.as_ref()));
            assert_eq!((source.url, found, source.commit), (url, reference, commit));
        };
        let url = "https://a.example/b";
        check(url, url, None, None);
        check("https://a.example/b#0123", url, None, Some("0123"));
        check(
            "https://a.example/b?tag=v0.1%2B1#0123",
            url,
            Some(("tag", "v0.1+1")),
            Some("0123"),
        );
        let branch = "https://a.example/b?branch=ada%2Fconsole%23";
        check(branch, url, Some(("branch", "ada/console#")), None);
        let odd = "https://a.example/b?rev=%zz%C3%A9100%";
        check(odd, url, Some(("rev", "%zzé100%")), None);
    }

    #[test]
    fn the_command_is_quoted_for_a_shell() {
        assert_eq!(
            install_command("https://a.example/b;c", Some(("tag", "v1"))),
            "cargo install --locked --git 'https://a.example/b;c' --tag v1 cargo-microkit"
        );
        assert_eq!(
            install_command("https://a.example/b", None),
            "cargo install --locked --git https://a.example/b cargo-microkit"
        );
    }
}
