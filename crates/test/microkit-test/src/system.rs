//! A system for tests: its system file, and the program of each PD.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel_model::{Clock, Kernel};
use microkit_sdf::{Options, SearchPaths, Source};
use sel4_microkit::Handler;

use crate::lower::{Image, lower};
use crate::program::Body;
use crate::{Processor, Run};

/// A system, and the programs of its PDs.
///
/// ```
/// use microkit_test::System;
/// use sel4_microkit::{NullHandler, debug_println};
///
/// fn init() -> NullHandler {
///     debug_println!("hello, world");
///     NullHandler::new()
/// }
///
/// let file = r#"
///     <system>
///         <protection_domain name="hello" priority="10">
///             <program_image path="hello.elf" />
///         </protection_domain>
///     </system>"#;
/// let system = System::parse("hello.system", file)?.program("hello.elf", init);
/// let mut run = system.start();
/// run.until_idle();
/// assert_eq!(run.log(), "hello, world\n");
/// # Ok::<(), microkit_test::SystemError>(())
/// ```
#[derive(Clone)]
pub struct System {
    pub(crate) image: Arc<Image>,
    /// The program of each PD.
    pub(crate) bodies: Vec<Option<Body>>,
    /// The kernel before its start.
    pub(crate) kernel: Kernel,
}

impl System {
    /// Reads a system file. The files of `prefill_path` attributes are searched for in the folder
    /// of the system file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or an error of [`parse`](Self::parse).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SystemError> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or(path.as_os_str());
        let source = Source::open(path, name.to_string_lossy());
        let source = source.map_err(|error| SystemError::Unreadable {
            path: path.to_path_buf(),
            error,
        })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        Self::new(&source, &SearchPaths(vec![directory.to_path_buf()]))
    }

    /// Parses the text of a system file. The text must not name other files. `name` is the name of
    /// the file in error messages.
    ///
    /// # Errors
    ///
    /// Returns all errors of the text with their positions. Also returns an error if the model
    /// kernel cannot run the system, such as a system with a virtual machine.
    pub fn parse(name: &str, text: &str) -> Result<Self, SystemError> {
        Self::new(&Source::new(name, text), &SearchPaths(Vec::new()))
    }

    fn new(source: &Source, files: &SearchPaths) -> Result<Self, SystemError> {
        let configuration = sel4_sys::config::CONFIGURATION;
        if configuration != "debug" {
            return Err(SystemError::Configuration(configuration));
        }
        let parsed = source.parse(Options::new(files)).system;
        let system = parsed.map_err(|errors| SystemError::File(errors.to_text()))?;
        let image = lower(&system, files)?;
        let kernel = Kernel::new(&image.spec, Clock::QEMU).map_err(SystemError::Kernel)?;
        Ok(Self {
            bodies: vec![None; image.pds.len()],
            image: Arc::new(image),
            kernel,
        })
    }

    /// Sets the program of every PD whose `<program_image>` has this path. `init` is the function
    /// marked `#[protection_domain]`.
    ///
    /// `init` runs once in every incarnation of each of these PDs. Statics keep their values from
    /// run to run.
    ///
    /// # Panics
    ///
    /// Panics if no PD has this program.
    #[must_use]
    #[track_caller]
    pub fn program<H: Handler>(
        self,
        path: &str,
        init: impl Fn() -> H + Send + Sync + 'static,
    ) -> Self {
        self.with_program(path, Body::handler(init))
    }

    /// Sets the program of one PD to `init`. The `<program_image>` of the PD is ignored.
    ///
    /// # Panics
    ///
    /// Panics if the system has no PD with this name.
    #[must_use]
    #[track_caller]
    pub fn protection_domain<H: Handler>(
        mut self,
        name: &str,
        init: impl Fn() -> H + Send + Sync + 'static,
    ) -> Self {
        let pd = self.pd(name);
        self.bodies[pd] = Some(Body::handler(init));
        self
    }

    /// Sets the program of every PD whose `<program_image>` has this path to a [`Processor`].
    /// `make` creates the processors.
    ///
    /// # Panics
    ///
    /// Panics if no PD has this program.
    #[must_use]
    #[track_caller]
    pub fn processor<P: Processor + 'static>(
        self,
        path: &str,
        make: impl Fn() -> P + Send + Sync + 'static,
    ) -> Self {
        self.with_program(path, Body::Processor(Arc::new(move || Box::new(make()))))
    }

    #[track_caller]
    fn with_program(mut self, path: &str, body: Body) -> Self {
        let mut is_named = false;
        for (pd, slot) in self.image.pds.iter().zip(&mut self.bodies) {
            if pd.program == path {
                *slot = Some(body.clone());
                is_named = true;
            }
        }
        assert!(
            is_named,
            "no protection domain has the program {path}; there are {}",
            listed(self.image.pds.iter().map(|pd| &*pd.program))
        );
        self
    }

    /// Starts a run. Every PD is at its first instruction, and memory regions have the initial
    /// contents of the system file.
    ///
    /// # Panics
    ///
    /// Panics if a PD has no program. Also panics if the system has memory regions and another run
    /// of this system still exists.
    #[track_caller]
    pub fn start(&self) -> Run {
        Run::new(self)
    }

    #[track_caller]
    pub(crate) fn pd(&self, name: &str) -> usize {
        self.image.pd(name)
    }
}

impl Image {
    /// Returns the index of a protection domain.
    #[track_caller]
    pub(crate) fn pd(&self, name: &str) -> usize {
        let found = self.pds.iter().position(|pd| pd.name == name);
        found.unwrap_or_else(|| {
            panic!(
                "there is no protection domain {name}; there are {}",
                listed(self.pds.iter().map(|pd| pd.name))
            )
        })
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.image.pds.iter().map(|pd| pd.name);
        f.debug_list().entries(names).finish()
    }
}

pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The error of creating a [`System`].
///
/// `Debug` prints the same text as `Display`, for tests that `unwrap`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// The system file could not be read.
    #[error("the system file {} could not be read: {error}", path.display())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The system file has errors. The text lists the errors.
    #[error("{0}")]
    File(String),
    /// The file with the initial contents of a memory region could not be read.
    #[error(
        "{}, with which the memory region {region} is filled, could not be read: {error}",
        path.display()
    )]
    Fill {
        /// The name of the memory region.
        region: String,
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The model kernel cannot run the system.
    #[error("the model kernel cannot run this system: {0}")]
    Kernel(kernel_model::SystemError),
    /// The protection domains were built for a kernel configuration other than the model kernel's.
    #[error(
        "the model kernel is of the configuration debug, and this was built for {0}: unset \
         MICROKIT_CONFIG"
    )]
    Configuration(&'static str),
}

impl fmt::Debug for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
