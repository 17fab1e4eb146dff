//! Builds one system, runs it under `-icount`, and reads the printed numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use miette::{Result, miette};
use object::read::File;
use object::{Object, ObjectSection, SectionFlags, SectionKind, elf};

use crate::builder::Builder;
use crate::cli::{BenchArgs, OutputArgs};
use crate::command::bench::figures::Program;
use crate::files;
use crate::kernel::Kernel;
use crate::log::Log;
use crate::project::Project;
use crate::qemu::{Devices, Guest, Heard, Machine};
use crate::system::NamedSystem;
use crate::system_file::ProgramImage;
use crate::terminal;
use crate::variant::Variant;
use crate::watch::{SILENCE, Tail};

/// The last line of a system of measurements. Every other line is `NAME: NUMBER`.
const DONE: &str = "bench: done";

/// The arguments of every measurement.
pub(super) struct Bench<'a> {
    pub(super) args: &'a BenchArgs,
    pub(super) qemu: &'a Path,
    pub(super) kernel: &'a Kernel,
    pub(super) project: Option<&'a Project>,
    pub(super) variant: &'a Variant,
}

/// The measurements of one system.
pub(super) struct Measured {
    /// The names of the measurements, and their instruction counts.
    pub(super) rows: Vec<(String, u64)>,
    pub(super) programs: Vec<Program>,
}

impl Bench<'_> {
    /// Builds and runs a system.
    ///
    /// # Errors
    ///
    /// Fails if the system does not build, or does not print [`DONE`] in time.
    pub(super) fn measure(&self, system: &NamedSystem) -> Result<Measured> {
        let (args, variant) = (self.args, self.variant);
        let machine = Machine::for_board(&variant.board).ok_or_else(|| {
            miette!(
                help = "measure on the board `qemu_virt_aarch64`",
                "the board `{}` is not a QEMU machine, so its instructions cannot be counted",
                variant.board
            )
        })?;
        let builder = Builder {
            kernel: self.kernel,
            project: self.project,
            variant,
            options: &args.options,
            keeps: false,
        };
        let plan = builder.plan(builder.read(system.clone())?)?;
        let built = builder.compile(&[&plan])?;
        let outputs = OutputArgs {
            output: None,
            report: None,
        };
        let packed = builder.pack(&plan, &built, &outputs)?;

        let mut command = machine.command(self.qemu, &packed.image, variant, true);
        let _disks = Devices::read(system)?.add_to(&mut command)?;
        if args.options.verbose {
            terminal::running(&command);
        }
        terminal::status("Measuring", format_args!("{} ({variant})", system.name));
        let guest = Guest::start_quietly(command)?;
        Ok(Measured {
            rows: self.listen(guest, &system.name)?,
            programs: programs(&plan.file.images, &packed.programs)?,
        })
    }

    fn listen(&self, mut guest: Guest, name: &str) -> Result<Vec<(String, u64)>> {
        let end = Instant::now() + self.args.timeout;
        let mut log = Log::new(self.variant);
        let mut tail = Tail::default();
        let mut rows = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let why = match guest.listen(SILENCE.min(left)) {
                Heard::Text(text) => {
                    for line in text.split_inclusive('\n').filter_map(|p| log.push(p)) {
                        tail.push(&line.text);
                        if line.text == DONE {
                            return Ok(rows);
                        }
                        rows.extend(row(&line.text));
                    }
                    continue;
                }
                Heard::Silence if left > Duration::ZERO => continue,
                Heard::Silence => format!("{} s have passed", self.args.timeout.as_secs_f64()),
                Heard::End(status) => format!("QEMU ended ({status}): {}", guest.messages()),
                Heard::Interrupt => "it was interrupted".to_owned(),
            };
            return Err(miette!(
                help = "run it by `cargo microkit run`, or increase `--timeout`",
                "{why} before `{name}` printed `{DONE}`; {}",
                tail.render()
            ));
        }
    }
}

/// Parses a line of the log. Returns `None` if the line is not a row of the table.
fn row(line: &str) -> Option<(String, u64)> {
    let (name, number) = line.rsplit_once(": ")?;
    Some((name.to_owned(), number.parse().ok()?))
}

/// Returns the sizes of a system's programs, without duplicates. `files` holds their ELF files.
fn programs(images: &[ProgramImage], files: &BTreeMap<String, PathBuf>) -> Result<Vec<Program>> {
    let mut programs: Vec<Program> = Vec::new();
    for image in images {
        let Some(path) = files.get(&image.path) else {
            continue;
        };
        let bytes = std::fs::read(path).map_err(|e| files::cannot("read the program", path, &e))?;
        let file = File::parse(&*bytes)
            .map_err(|e| miette!("the program `{}` is not an ELF file: {e}", path.display()))?;
        programs.push(sizes(image.path.clone(), &file));
    }
    Ok(programs)
}

/// Returns the sizes of the sections that a program has in memory, in bytes.
fn sizes(name: String, file: &File<'_>) -> Program {
    let mut program = Program {
        name,
        ..Program::default()
    };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        let has = |flag| sh_flags & flag == flag;
        let place = match section.kind() {
            _ if !has(elf::SHF_ALLOC) => continue,
            _ if has(elf::SHF_EXECINSTR) => &mut program.text,
            SectionKind::UninitializedData => &mut program.bss,
            _ if has(elf::SHF_WRITE) => &mut program.data,
            _ => &mut program.rodata,
        };
        *place += section.size();
    }
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_name_and_a_number() {
        let check = |line: &str, expect: Option<(&str, u64)>| {
            let expect = expect.map(|(name, number)| (name.to_owned(), number));
            assert_eq!(row(line), expect, "{line}");
        };
        check("call, 4 words: 765", Some(("call, 4 words", 765)));
        check("a: b: 7", Some(("a: b", 7)));
        check("MODEL|INFO: model kernel", None);
        check(DONE, None);
        check("", None);
    }
}
