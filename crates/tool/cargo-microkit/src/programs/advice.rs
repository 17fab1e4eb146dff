//! The advice on a program that was not found.

use cargo_metadata::{DependencyKind, Package};

use crate::dependencies::{Dependencies, names};
use crate::nearest::nearest;
use crate::project::Project;

/// The binaries of this project's drivers, and their packages.
const DRIVERS: [(&str, &str); 4] = [
    ("block", "microkit-block"),
    ("console", "microkit-console"),
    ("serial", "microkit-serial"),
    ("timer", "microkit-timer"),
];

/// Proposes a package or a binary for the missing program `name`. `packages` are the packages whose
/// dependencies were searched.
pub(super) fn on_missing(name: &str, project: &Project, packages: &[&Package]) -> Option<String> {
    let own = names(packages);
    let dependencies = project.known_dependencies();
    if let Some(dependency) = dependencies.and_then(|all| all.with_bin(name)) {
        return Some(format!(
            "{dependency} has a binary `{name}`, but is not a direct dependency of {own}: add it to \
             `[dependencies]`."
        ));
    }
    optional(name, project, packages)
        .or_else(|| {
            let (_, driver) = DRIVERS.iter().find(|(bin, _)| *bin == name)?;
            Some(format!(
                "add `{driver}` to the `[dependencies]` of {own}: this crate has the driver \
                 `{name}`."
            ))
        })
        .or_else(|| {
            let of_dependencies = dependencies.map(|all| all.bin_names(packages));
            let of_dependencies = of_dependencies.into_iter().flatten();
            let bin = nearest(name, project.bin_names().chain(of_dependencies))?;
            Some(format!("did you mean the binary `{bin}`, as `{bin}.elf`?"))
        })
        .or_else(|| {
            let ignored = dependencies?.ignored(packages)?;
            Some(format!(
                "Cargo ignores the dependency `{ignored}`, because it has no library: if `{name}` \
                 is its binary, add a `src/lib.rs` to it."
            ))
        })
}

/// Looks for the program in optional dependencies that are not enabled.
fn optional(name: &str, project: &Project, packages: &[&Package]) -> Option<String> {
    let lines = packages.iter().flat_map(|package| &package.dependencies);
    let mut lines = lines.filter(|line| line.kind == DependencyKind::Normal);
    if !lines.any(|line| line.optional) {
        return None;
    }
    let all = Dependencies::read_all(project).ok()?;
    let bin = all.bin_of(name, packages)?;
    let dependency = all.dependency(&bin.package_id)?;
    let dependent = packages
        .iter()
        .find(|package| bin.dependents.contains(&package.id.repr))?;
    Some(format!(
        "the binary `{name}` is in {dependency}, an optional dependency of `{}` that is not \
         enabled: enable it with `--features`.",
        dependent.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_are_those_of_the_repository() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../drivers");
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).expect("the folder of the drivers") {
            let manifest = entry.expect("an entry").path().join("Cargo.toml");
            let text = std::fs::read_to_string(manifest).expect("the manifest");
            let manifest: toml::Table = toml::from_str(&text).expect("TOML");
            let package = manifest["package"]["name"].as_str().expect("its name");
            let bins = manifest.get("bin").and_then(toml::Value::as_array);
            for bin in bins.into_iter().flatten() {
                let bin = bin["name"].as_str().expect("its name");
                found.push((bin.to_owned(), package.to_owned()));
            }
        }
        found.sort();
        let expect = DRIVERS.map(|(bin, package)| (bin.to_owned(), package.to_owned()));
        assert_eq!(found, expect);
    }
}
