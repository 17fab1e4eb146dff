//! An empty build script. Cargo requires a build script for the key `links` in `Cargo.toml`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
