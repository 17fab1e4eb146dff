//! Options for the checks: the kernel's configuration, and the files that the system names.

use std::io;
use std::path::{Path, PathBuf};

use microkit_abi::limits;

/// Holds the kernel configuration and the files for the checks of a system.
#[derive(Copy, Clone)]
pub struct Options<'a> {
    /// The configuration of the kernel that runs the system.
    pub kernel: KernelConfig,
    /// The files that the system names.
    pub files: &'a dyn Files,
}

impl<'a> Options<'a> {
    /// Makes options for the kernel of `qemu_virt_aarch64`, with `files`.
    pub fn new(files: &'a dyn Files) -> Self {
        Self {
            kernel: KernelConfig::QEMU_VIRT_AARCH64,
            files,
        }
    }
}

/// Describes the kernel configuration for the checks. The SDK has these values in the files
/// `gen_config.json` and `address_space_constants.json` of each board.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct KernelConfig {
    /// The last address that a PD may use.
    pub user_top: u64,
    /// The number of cores, or 1 in a single-core configuration.
    pub cores: u8,
    /// The number of scheduling domains.
    pub domains: u8,
    /// The number of entries in the kernel's domain schedule.
    pub schedule_entries: u64,
    /// Whether the kernel is a hypervisor. Virtual machines require a hypervisor.
    pub hypervisor: bool,
    /// Whether the kernel forwards SMC calls.
    pub smc: bool,
    /// The frequency of the kernel's timer, in kHz (`TIMER_FREQUENCY`).
    pub timer_khz: u64,
    /// The longest time of one entry into the kernel, in microseconds (seL4's `KERNEL_WCET`).
    pub wcet_us: u64,
    /// The board's memory: the first address, and the address after the last. `None` if the memory
    /// is unknown. On `qemu_virt_aarch64`, the range includes the memory below the part that seL4
    /// manages.
    pub ram: Option<(u64, u64)>,
}

impl KernelConfig {
    /// The SDK's kernels for the board `qemu_virt_aarch64`. The values are the same in every
    /// configuration.
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

    /// Returns the smallest budget of a scheduling context, in microseconds (seL4's
    /// `MIN_BUDGET_US`).
    pub const fn min_budget_us(&self) -> u64 {
        self.wcet_us.saturating_mul(2)
    }

    /// Returns the longest period of a scheduling context, in microseconds (seL4's
    /// `MAX_PERIOD_US`). The value is for a timer without a whole number of ticks per microsecond.
    /// Other timers allow longer periods.
    pub const fn max_period_us(&self) -> u64 {
        match u64::MAX.checked_div(self.timer_khz) {
            Some(longest) => longest / 8,
            None => u64::MAX,
        }
    }

    /// The longest duration in a domain schedule, in ticks of the timer (seL4's
    /// `DSCHED_MAX_DURATION`).
    pub const MAX_DURATION_TICKS: u64 = u64::MAX >> 8;

    /// Returns the longest duration in a domain schedule, in microseconds. Like the SDK's
    /// initialiser, this function computes in whole seconds.
    pub const fn max_duration_us(&self) -> u64 {
        let hz = self.timer_khz.saturating_mul(1000);
        match (Self::MAX_DURATION_TICKS + 1).checked_div(hz) {
            Some(seconds) => seconds.saturating_mul(1_000_000).saturating_sub(1),
            None => u64::MAX,
        }
    }

    /// Returns the lowest address of a PD's stack of `stack_bytes`. Memory regions must end at or
    /// below this address.
    pub(crate) fn pd_map_end(&self, stack_bytes: u64) -> u64 {
        if self.user_top < 2 * limits::SMALL_PAGE_BYTES {
            return 0;
        }
        limits::stack_top(self.user_top).saturating_sub(stack_bytes)
    }

    /// Returns the address at which the mappings of a virtual machine must end.
    pub(crate) fn vm_map_end(&self) -> u64 {
        self.user_top.saturating_add(1)
    }
}

/// Looks up the files that a system names.
///
/// The parser reads files only through this trait, to get the length of each `prefill_path`. A
/// memory region without a `size` has the length of its file, and the checks for overlaps need this
/// length.
pub trait Files {
    /// Returns the length in bytes of the file at `path`. `path` is written as in the system file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read. The parser then reports an error of the system.
    fn len(&self, path: &Path) -> io::Result<u64>;
}

/// Provides no files: each `prefill_path` is an error.
#[derive(Debug, Copy, Clone)]
pub struct NoFiles;

impl Files for NoFiles {
    fn len(&self, _: &Path) -> io::Result<u64> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Searches folders for a file. The first folder that contains the path is used (manual, *Microkit
/// Tool*).
#[derive(Debug, Clone)]
pub struct SearchPaths(pub Vec<PathBuf>);

impl SearchPaths {
    /// Returns the full path of the file `path`, or `None` if no folder contains it.
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
