//! Selects the systems to test and their variants, and reads the expected output of each system.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use miette::{Result, miette};

use crate::cli::{self, TestArgs};
use crate::command::systems::{OfProject, all_systems, find_systems};
use crate::command::test::failed;
use crate::command::test::tally::Verdict;
use crate::expected::{self, Expectation, Expected};
use crate::kernel::KernelKind;
use crate::model;
use crate::nearest::quoted;
use crate::project::Project;
use crate::system::NamedSystem;
use crate::variant::Variant;

/// The tests of one project.
pub(super) struct Selection {
    /// Each variant with the systems to test in this variant.
    pub(super) runs: Vec<(Variant, Vec<NamedSystem>)>,
    /// The project of the systems' programs.
    pub(super) project: Option<Rc<Project>>,
}

/// A system and its expected output.
pub(super) struct Case {
    pub(super) system: NamedSystem,
    /// The `.expected` file.
    pub(super) file: PathBuf,
    pub(super) expected: Vec<Expected>,
    /// The expected text of the build's error report, if the build must refuse the system.
    pub(super) refusal: Option<String>,
}

impl Selection {
    /// Selects the named systems, in every variant. If no system is named, selects the systems of
    /// the workspace, in each variant with an `.expected` file.
    ///
    /// Returns one selection for each project that contains programs of the systems.
    pub(super) fn from_args(args: &TestArgs) -> Result<Vec<Self>> {
        let variants = variants(args);
        if args.bless && variants.len() > 1 {
            return Err(miette!(
                help = "give one `--config` and one `--profile` with `--bless`",
                "`--bless` records the output of one variant, and several are chosen"
            ));
        }
        if args.systems.is_empty() {
            return Self::all(&variants);
        }

        let groups = find_systems(&args.systems)?;
        let systems: Vec<_> = groups.iter().flat_map(|group| &group.systems).collect();
        let names: BTreeSet<_> = systems.iter().map(|system| &system.name).collect();
        if names.len() < systems.len() {
            return Err(miette!(
                help = "test them one after the other",
                "several of the systems have the same name: {}",
                quoted(systems.iter().map(|system| system.path.to_string_lossy()))
            ));
        }
        let of_group = |OfProject { systems, project }| {
            let variants = variants.iter().cloned();
            let runs = variants.map(|variant| (variant, systems.clone())).collect();
            Self { runs, project }
        };
        Ok(groups.into_iter().map(of_group).collect())
    }

    /// Returns each variant with the systems to test and the project of their programs.
    pub(super) fn runs(
        &self,
    ) -> impl Iterator<Item = (&Variant, &[NamedSystem], Option<&Project>)> {
        let runs = self.runs.iter();
        runs.map(|(variant, systems)| (variant, &**systems, self.project.as_deref()))
    }

    /// Selects the systems of the package or workspace that have an `.expected` file.
    fn all(variants: &[Variant]) -> Result<Vec<Self>> {
        let of_group = |OfProject { systems, project }| {
            let runs = variants.iter().map(|variant| {
                let is_tested =
                    |system: &&NamedSystem| expected::file_for(system, variant).is_some();
                let systems = systems.iter().filter(is_tested).cloned().collect();
                (variant.clone(), systems)
            });
            let runs = runs.collect();
            Self { runs, project }
        };
        let groups = all_systems()?;
        let names = groups.iter().flat_map(|group| &group.systems);
        let names = quoted(names.map(|system| &system.name));
        let all: Vec<_> = groups.into_iter().map(of_group).collect();
        let is_empty = |(_, systems, _): (_, &[NamedSystem], _)| systems.is_empty();
        if all.iter().flat_map(Self::runs).all(is_empty) {
            return Err(miette!(
                help = "write one by `cargo microkit test SYSTEM --bless`",
                "nothing to test: none of these systems has an .expected file beside it: {names}"
            ));
        }
        Ok(all)
    }
}

impl Case {
    /// Reads the expected output of a system in a variant. Returns a verdict instead if the system
    /// cannot be tested.
    pub(super) fn new(
        system: &NamedSystem,
        variant: &Variant,
        is_blessing: bool,
    ) -> Result<Self, Verdict> {
        let case = |file, expected| Self {
            system: system.clone(),
            file,
            expected,
            refusal: None,
        };
        let common = expected::common_file(system);
        match expected::file_for(system, variant) {
            Some(file) => match expected::read(&file) {
                Ok(Expectation::Lines(lines)) => Ok(case(file, lines)),
                Ok(Expectation::Skip(reason)) => Err(Verdict::Skipped(reason)),
                Ok(Expectation::Refused(what)) => Ok(Self {
                    refusal: Some(what),
                    ..case(file, Vec::new())
                }),
                // An unreadable file is also an error with `--bless`, because `--bless` must not
                // overwrite a hand-written file.
                Err(report) => Err(failed(&report)),
            },
            None if common.symlink_metadata().is_ok() => Err(Verdict::Failed(format!(
                "`{}` is not a file, so it cannot hold what the system must print",
                common.display()
            ))),
            None if is_blessing => Ok(case(common, Vec::new())),
            None => Err(Verdict::Failed(format!(
                "the file `{}`, which holds what the system must print, does not exist; `--bless` \
                 writes it",
                common.display()
            ))),
        }
    }
}

/// Returns the reason to skip a variant, or `None` if the variant is tested.
///
/// Without `--kernel`, both kernels are tested. The model kernel is then skipped for boards and
/// configurations that the model kernel does not have. With `--kernel model`, such a board or
/// configuration is an error.
pub(super) fn not_there(args: &TestArgs, variant: &Variant) -> Option<String> {
    let is_asked_for = args.options.kernel == cli::KernelArg::Model;
    let is_there =
        (variant.board.as_str(), variant.config.as_str()) == (model::BOARD, model::CONFIG);
    (variant.kernel == KernelKind::Model && !is_asked_for && !is_there).then(|| {
        format!(
            "the model kernel is for board `{}`, configuration `{}`",
            model::BOARD,
            model::CONFIG
        )
    })
}

fn variants(args: &TestArgs) -> Vec<Variant> {
    let release = ["release".to_owned()];
    let profiles = if args.release {
        &release[..]
    } else {
        &args.profiles
    };
    let kernels: &[KernelKind] = match args.options.kernel {
        cli::KernelArg::Auto if args.bless => &[KernelKind::Sel4],
        cli::KernelArg::Auto => &[KernelKind::Model, KernelKind::Sel4],
        cli::KernelArg::Model => &[KernelKind::Model],
        cli::KernelArg::Sel4 => &[KernelKind::Sel4],
    };
    let mut variants = Vec::new();
    for &kernel in kernels {
        for config in &args.configs {
            variants.extend(profiles.iter().map(|profile| Variant {
                kernel,
                board: args.options.board.clone(),
                config: config.clone(),
                profile: profile.clone(),
            }));
        }
    }
    variants
}
