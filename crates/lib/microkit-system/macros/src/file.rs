//! Finding and reading the system file.

use std::env;
use std::path::{Path, PathBuf};

use microkit_sdf::{Kernel, Options, SearchPaths, Source, System};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, LitStr, Result};

/// The folder in which systems are looked for, in the package and in each folder above it.
const SYSTEMS: &str = "microkit-systems";

/// A system file that is there.
pub(crate) struct File {
    path: PathBuf,
    source: Source,
}

/// Finds the file that `name` names, and reads it.
pub(crate) fn find(name: &LitStr) -> Result<File> {
    let candidates = candidates(&name.value(), name.span().unwrap().local_file().as_deref());
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        let tried: Vec<String> = candidates
            .iter()
            .map(|path| format!("\n  {}", path.display()))
            .collect();
        let message = format!(
            "there is no such system file; looked for were{}",
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

/// Where a file of that name may be, in the order in which it is looked for.
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
    /// Checks it. For which board it is is not known here, so what a board may lack is no fault.
    pub(crate) fn parse(&self, name: &LitStr) -> Result<System> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let files = SearchPaths(vec![folder.to_path_buf()]);
        let kernel = Kernel {
            cores: u8::MAX,
            ..Kernel::QEMU_VIRT_AARCH64
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

    /// What has the program compiled anew when the file changes.
    pub(crate) fn tracked(&self) -> TokenStream {
        // A path that is not UTF-8 cannot be written in a program.
        let path = self.path.to_str();
        path.map(|path| {
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        })
        .unwrap_or_default()
    }
}
