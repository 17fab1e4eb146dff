//! The source of the model kernel. `build.rs` packs the source into this program.

use std::path::Path;

use flate2::read::GzDecoder;
use miette::Result;

use crate::files;

/// The name of the source: the version of this program and a checksum.
pub(super) const NAME: &str = env!("MODEL_KERNEL");

const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/model-kernel.tar.gz"));

/// Unpacks the source into a folder. The source is a Cargo workspace with its lock file.
pub(super) fn unpack(folder: &Path) -> Result<()> {
    tar::Archive::new(GzDecoder::new(PACKED))
        .unpack(folder)
        .map_err(|e| files::cannot("unpack the model kernel into", folder, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packed_workspace_has_its_lock_file_and_every_source() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        unpack(folder.path()).expect("a valid archive");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        for file in [
            "Cargo.lock",
            "crates/kernel/boot-spec/Cargo.toml",
            "crates/kernel/boot-spec/src/lib.rs",
            "crates/kernel/kernel-aarch64/build.rs",
            "crates/kernel/kernel-aarch64/kernel.ld",
            "crates/kernel/kernel-aarch64/src/main.rs",
            "crates/kernel/kernel-model/src/lib.rs",
            "crates/microkit-abi/src/lib.rs",
        ] {
            let [packed, source] = [folder.path(), &repository].map(|root| {
                std::fs::read(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
            });
            assert_eq!(packed, source, "{file}");
        }
    }
}
