//! Finds, reads and parses the system file.

use std::env;
use std::path::{Path, PathBuf};

use microkit_sdf::{KernelConfig, Options, SearchPaths, Source, System};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr, Result};

/// The folder for system files, in the package and in every parent folder.
const SYSTEMS: &str = "microkit-systems";

/// The path and text of a system file.
pub(crate) struct File {
    path: PathBuf,
    source: Source,
}

/// Finds and reads the system file `name`.
pub(crate) fn find(name: &LitStr) -> Result<File> {
    let candidates = candidates(&name.value(), name.span().unwrap().local_file().as_deref());
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        let tried: Vec<String> = candidates
            .iter()
            .map(|path| format!("\n  {}", path.display()))
            .collect();
        let message = format!(
            "the system file was not found; these paths were tried:{}",
            tried.concat()
        );
        return Err(Error::new(name.span(), message));
    };
    let unreadable = |error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Error::new(name.span(), message)
    };
    let path = path.canonicalize().map_err(unreadable)?;
    let source = Source::open(&path, name.value()).map_err(unreadable)?;
    Ok(File { path, source })
}

/// Returns the possible paths of the system file `name`, in search order.
fn candidates(name: &str, source: Option<&Path>) -> Vec<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_default();
    let beside_source = source
        .and_then(Path::parent)
        .map(|folder| folder.join(name));
    let above = package
        .ancestors()
        .map(|folder| folder.join(SYSTEMS).join(name));
    [package.join(name)]
        .into_iter()
        .chain(beside_source)
        .chain(above)
        .collect()
}

impl File {
    /// Parses and checks the file.
    ///
    /// The macro does not know the board, so the check allows any number of cores.
    pub(crate) fn parse(&self, name: &LitStr) -> Result<System> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let files = SearchPaths(vec![folder.to_path_buf()]);
        let kernel = KernelConfig {
            cores: u8::MAX,
            ..KernelConfig::QEMU_VIRT_AARCH64
        };
        let options = Options {
            kernel,
            files: &files,
        };
        let parsed = self.source.parse(options);
        parsed
            .system
            .map_err(|errors| Error::new(name.span(), errors.to_text()))
    }

    /// Returns code that makes cargo rebuild the program when the file changes.
    pub(crate) fn tracked(&self) -> TokenStream {
        // A path that is not UTF-8 cannot be a string literal. Such a file is not tracked.
        let path = self.path.to_str();
        path.map(|path| {
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        })
        .unwrap_or_default()
    }
}
