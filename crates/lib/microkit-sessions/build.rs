//! An empty build script, which Cargo requires for the key `links` in `Cargo.toml`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
