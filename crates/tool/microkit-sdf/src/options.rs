//! What a system is checked against besides its own text: the kernel, and the files it names.

use std::io;
use std::path::{Path, PathBuf};

use microkit_abi::limits;

/// What a system is checked against.
#[derive(Copy, Clone)]
pub struct Options<'a> {
    /// The kernel that the system is for.
    pub kernel: Kernel,
    /// The files that the system names.
    pub files: &'a dyn Files,
}

impl<'a> Options<'a> {
    /// For the kernel of `qemu_virt_aarch64`, with `files`.
    pub fn new(files: &'a dyn Files) -> Self {
        Self {
            kernel: Kernel::QEMU_VIRT_AARCH64,
            files,
        }
    }
}

/// What the checks need to know of a kernel's configuration. The SDK states it in each board's
/// `gen_config.json` and `address_space_constants.json`.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// The last address that a PD may use.
    pub user_top: u64,
    /// How many cores it runs on; 1 unless it is a multi-core configuration.
    pub cores: u8,
    /// How many domains it has.
    pub domains: u8,
    /// How many entries its domain schedule has.
    pub schedule_entries: u64,
    /// Whether it is a hypervisor, which virtual machines need.
    pub hypervisor: bool,
    /// Whether it passes SMC calls on.
    pub smc: bool,
    /// The frequency of its timer, in kHz (`TIMER_FREQUENCY`).
    pub timer_khz: u64,
    /// How long one entry into it may take, in microseconds (seL4's `KERNEL_WCET`).
    pub wcet_us: u64,
    /// The board's memory: its first address, and the one after its last. `None` if it is not
    /// known. Of `qemu_virt_aarch64` this is also what lies below the memory that seL4 has.
    pub ram: Option<(u64, u64)>,
}

impl Kernel {
    /// The SDK's kernels for the board `qemu_virt_aarch64`, in every configuration.
    pub const QEMU_VIRT_AARCH64: Self = Self {
        user_top: (1 << 40) - 1,
        cores: 1,
        domains: 16,
        schedule_entries: 100,
        hypervisor: true,
        smc: true,
        timer_khz: 62_500,
        wcet_us: 10,
        ram: Some((0x4000_0000, 0xc000_0000)),
    };

    /// The smallest budget of a scheduling context, in microseconds (seL4's `MIN_BUDGET_US`).
    pub const fn min_budget_us(&self) -> u64 {
        self.wcet_us.saturating_mul(2)
    }

    /// The longest period of a scheduling context, in microseconds (seL4's `MAX_PERIOD_US`), for a
    /// timer that does not count whole ticks per microsecond. Other timers allow more.
    pub const fn max_period_us(&self) -> u64 {
        match u64::MAX.checked_div(self.timer_khz) {
            Some(longest) => longest / 8,
            None => u64::MAX,
        }
    }

    /// The longest duration in a domain schedule, in ticks of the timer (seL4's
    /// `DSCHED_MAX_DURATION`).
    pub const MAX_DURATION_TICKS: u64 = u64::MAX >> 8;

    /// The same in microseconds, as the initialiser of the SDK has it: whole seconds.
    pub const fn max_duration_us(&self) -> u64 {
        let hz = self.timer_khz.saturating_mul(1000);
        match (Self::MAX_DURATION_TICKS + 1).checked_div(hz) {
            Some(seconds) => seconds.saturating_mul(1_000_000).saturating_sub(1),
            None => u64::MAX,
        }
    }

    /// The first address that a PD with a stack of `stack_bytes` cannot map a memory region at:
    /// its stack lies there.
    pub(crate) fn pd_map_end(&self, stack_bytes: u64) -> u64 {
        if self.user_top < 2 * limits::SMALL_PAGE_BYTES {
            return 0;
        }
        limits::stack_top(self.user_top).saturating_sub(stack_bytes)
    }

    /// The first address that a virtual machine cannot map a memory region at.
    pub(crate) fn vm_map_end(&self) -> u64 {
        self.user_top.saturating_add(1)
    }
}

/// The files that a system names, of which the checks need only the length.
///
/// Parsing does no input or output of its own. It asks here for the length of each
/// `prefill_path`, because a memory region without a `size` is as large as its file, and where
/// mappings overlap or end depends on that.
pub trait Files {
    /// The length in bytes of the file at `path`, as the system file writes it.
    fn len(&self, path: &Path) -> io::Result<u64>;
}

/// No files at all: each `prefill_path` is an error.
#[derive(Debug, Copy, Clone)]
pub struct NoFiles;

impl Files for NoFiles {
    fn len(&self, _: &Path) -> io::Result<u64> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Files under search paths, of which the first that has something at the path counts (manual,
/// *Microkit Tool*).
#[derive(Debug, Clone)]
pub struct SearchPaths(pub Vec<PathBuf>);

impl SearchPaths {
    /// Where `path` is found, if it is.
    pub fn find(&self, path: &Path) -> Option<PathBuf> {
        self.0
            .iter()
            .map(|directory| directory.join(path))
            .find(|full| full.exists())
    }
}

impl Files for SearchPaths {
    fn len(&self, path: &Path) -> io::Result<u64> {
        let full = self.find(path).ok_or(io::ErrorKind::NotFound)?;
        let metadata = full.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(metadata.len())
    }
}
