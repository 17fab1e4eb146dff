//! Runs the programs in `ci/attacks`. Each program forbids `unsafe` code and still tries to corrupt
//! memory. The program must be refused, or must find its memory intact.
//!
//! The first lines of a file state the expected outcome. Each kind of line may occur several times:
//!
//! * `refused by the compiler: TEXT`: the program does not compile, and an error contains this
//!   text;
//! * `refused by check: TEXT`: `check --elf`, and `build` for each kernel, refuse the system with
//!   this text;
//! * `the program refuses: TEXT`: if packed without `check`, the program prints this text;
//! * `prints: TEXT`: the program runs on each kernel and prints this text.
//!
//! Lines that start with `//|` are the elements of the system file. Without them the system has one
//! PD, called `pd`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use microkit_image::Platform;
use microkit_sdf::SearchPaths;

const TARGET: &str = "aarch64-unknown-none";

/// The expected outcome of an attack.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum End {
    Compiler,
    Check,
    Program,
    Prints,
}

impl End {
    const ALL: [(&'static str, Self); 4] = [
        ("refused by the compiler: ", Self::Compiler),
        ("refused by check: ", Self::Check),
        ("the program refuses: ", Self::Program),
        ("prints: ", Self::Prints),
    ];
}

struct Attack {
    name: String,
    source: PathBuf,
    ends: Vec<(End, String)>,
    system: String,
}

impl Attack {
    fn read(source: PathBuf) -> Self {
        let name = source.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&source).unwrap();
        let mut ends = Vec::new();
        let mut system = String::new();
        for line in text.lines() {
            if let Some(line) = line.strip_prefix("//| ") {
                system += line;
                system.push('\n');
            }
            let said = line.strip_prefix("//! ").unwrap_or_default();
            let mut kinds = End::ALL.iter();
            if let Some((text, end)) =
                kinds.find_map(|(prefix, end)| Some((said.strip_prefix(prefix)?, *end)))
            {
                ends.push((end, text.to_owned()));
            }
        }
        assert!(!ends.is_empty(), "{name} does not say what must happen");
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{name} does not forbid unsafe code"
        );
        if system.is_empty() {
            system = format!(
                "<protection_domain name=\"pd\" priority=\"100\">\n    \
                 <program_image path=\"{name}.elf\" />\n</protection_domain>\n"
            );
        }
        Self {
            name,
            source,
            ends,
            system: format!("<system>\n{system}</system>\n"),
        }
    }

    fn texts(&self, wanted: End) -> impl Iterator<Item = &str> {
        let ends = self.ends.iter().filter(move |(end, _)| *end == wanted);
        ends.map(|(_, text)| text.as_str())
    }
}

#[test]
fn every_attack_ends_as_it_must() {
    let bench = Bench::set_up();
    let built = bench.build();
    let wrong = Mutex::new(Vec::new());
    let queue = Mutex::new(bench.attacks.iter());
    // An emulator mostly waits, so more threads than cores are useful.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(attack) = next(&queue) {
                    if let Err(why) = bench.check(attack, &built) {
                        let why = format!("{}: {why}", attack.name);
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    println!("{} attacks", bench.attacks.len());
}

fn next<'a>(queue: &Mutex<impl Iterator<Item = &'a Attack>>) -> Option<&'a Attack> {
    queue.lock().unwrap().next()
}

/// The package of the attacks. The package is outside the workspace, like a package of a user.
struct Bench {
    package: PathBuf,
    tool: PathBuf,
    sdk: Option<PathBuf>,
    attacks: Vec<Attack>,
    /// The model kernel's ELF file, built on the first use.
    kernel: OnceLock<Vec<u8>>,
}

/// Builds the model kernel.
fn model_kernel() -> Vec<u8> {
    let target = root().join("target/attacks/kernel");
    let status = Command::new(cargo())
        .args(["build", "--quiet", "--release", "--target", TARGET])
        .args(["--package", "kernel-aarch64", "--target-dir"])
        .arg(&target)
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "the model kernel does not build");
    fs::read(target.join(TARGET).join("release/kernel-aarch64")).unwrap()
}

impl Bench {
    fn set_up() -> Self {
        let root = root();
        let package = root.join("target/attacks");
        fs::create_dir_all(package.join("systems")).unwrap();
        let mut sources: Vec<PathBuf> = fs::read_dir(root.join("ci/attacks"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
        sources.sort();
        let attacks: Vec<Attack> = sources.into_iter().map(Attack::read).collect();
        let mut manifest = format!(
            "[package]\nname = \"attacks\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             safe-mmio = \"0.3.2\"\n\
             sel4 = {{ path = \"{0}/runtime/sel4\" }}\n\
             sel4-microkit = {{ path = \"{0}/runtime/sel4-microkit\", features = [\"mmio\"] }}\n\
             microkit-virtio = {{ path = \"{0}/drivers/microkit-virtio\" }}\n\
             microkit-shared-memory = {{ path = \"{0}/lib/microkit-shared-memory\" }}\n",
            root.join("crates").display()
        );
        for attack in &attacks {
            write!(
                manifest,
                "\n[[bin]]\nname = \"{}\"\npath = \"{}\"\ntest = false\n",
                attack.name,
                attack.source.display()
            )
            .unwrap();
            let file = package.join(format!("systems/{}.system", attack.name));
            fs::write(file, &attack.system).unwrap();
        }
        fs::write(package.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();

        let status = Command::new(cargo())
            .args(["build", "--quiet", "--package", "cargo-microkit"])
            .current_dir(&root)
            .status()
            .unwrap();
        assert!(status.success(), "the tool does not build");
        let tool = root.join("target/debug/cargo-microkit");
        let listed = Command::new(&tool)
            .args(["microkit", "sdk", "list"])
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let kept = listed.split_whitespace().nth(1).map(PathBuf::from);
        let sdk = env::var_os("MICROKIT_SDK").map(PathBuf::from).or(kept);
        Self {
            package,
            tool,
            sdk,
            attacks,
            kernel: OnceLock::new(),
        }
    }

    /// Builds all attacks. Returns the compiler's errors for the attacks that do not compile.
    fn build(&self) -> BTreeMap<String, Vec<String>> {
        let mut command = Command::new(cargo());
        command
            .args(["build", "--bins", "--keep-going", "--target", TARGET])
            .args(["--message-format", "json", "--quiet"])
            .current_dir(&self.package)
            .env("CARGO_TARGET_DIR", self.package.join("target"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(sdk) = &self.sdk {
            command.env("MICROKIT_SDK", sdk);
        }
        command.env("MICROKIT_BOARD", "qemu_virt_aarch64");
        command.env("MICROKIT_CONFIG", "debug");
        let mut child = command.spawn().unwrap();
        let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let output = BufReader::new(child.stdout.take().unwrap());
        for message in Message::parse_stream(output) {
            let Message::CompilerMessage(message) = message.unwrap() else {
                continue;
            };
            if message.message.level == DiagnosticLevel::Error {
                let rendered = message.message.rendered.unwrap_or_default();
                errors
                    .entry(message.target.name)
                    .or_default()
                    .push(rendered);
            }
        }
        child.wait().unwrap();
        let names: BTreeSet<&str> = self.attacks.iter().map(|a| a.name.as_str()).collect();
        let other = errors.keys().find(|name| !names.contains(name.as_str()));
        assert_eq!(other, None, "another target does not compile: {errors:?}");
        errors
    }

    fn check(&self, attack: &Attack, built: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
        let errors = built.get(&attack.name);
        let mut is_refused = false;
        for text in attack.texts(End::Compiler) {
            is_refused = true;
            let all = errors.ok_or("it compiles")?.join("\n");
            if !all.contains(text) {
                return Err(format!("the compiler does not say `{text}`, but\n{all}"));
            }
        }
        if let (false, Some(errors)) = (is_refused, errors) {
            return Err(format!("it does not compile:\n{}", errors.join("\n")));
        }
        for text in attack.texts(End::Check) {
            let elf = self.package.join("target").join(TARGET).join("debug");
            let elf = self.elf_files(attack, &elf);
            let by_hand = ["check".as_ref(), "--elf".as_ref(), elf.as_os_str()];
            wants_refusal(&self.tool(attack, &by_hand), text)?;
            for kernel in self.kernels() {
                let build = ["build".as_ref(), "--kernel".as_ref(), kernel.as_ref()];
                wants_refusal(&self.tool(attack, &build), text)?;
            }
        }
        for text in attack.texts(End::Program) {
            self.program_prints(attack, text)?;
        }
        for text in attack.texts(End::Prints) {
            for kernel in self.kernels() {
                let run = [
                    "run",
                    "--kernel",
                    kernel,
                    "--until",
                    text,
                    "--timeout",
                    "60",
                ];
                let output = self.tool(attack, &run.map(AsRef::as_ref));
                let said = said(&output);
                if !said.contains(text) {
                    return Err(format!(
                        "on {kernel} it does not print `{text}`, but\n{said}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Copies the programs to the names that the system file uses. Returns the folder.
    fn elf_files(&self, attack: &Attack, built: &Path) -> PathBuf {
        let directory = self.package.join("elf").join(&attack.name);
        fs::create_dir_all(&directory).unwrap();
        for name in attack.system.split("path=\"").skip(1) {
            let name = name.split(".elf").next().unwrap();
            fs::copy(built.join(name), directory.join(format!("{name}.elf"))).unwrap();
        }
        directory
    }

    fn kernels(&self) -> impl Iterator<Item = &'static str> {
        let real = self.sdk.as_ref().map(|_| "sel4");
        ["model"].into_iter().chain(real)
    }

    fn system(&self, attack: &Attack) -> PathBuf {
        self.package.join(format!("systems/{}.system", attack.name))
    }

    fn tool(&self, attack: &Attack, arguments: &[&std::ffi::OsStr]) -> Output {
        let (command, options) = arguments.split_first().unwrap();
        Command::new(&self.tool)
            .arg("microkit")
            .arg(command)
            .arg(self.system(attack))
            .args(options)
            .current_dir(&self.package)
            .env("CARGO_TARGET_DIR", self.package.join("target"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Packs the system for the model kernel without `check`, and runs it.
    fn program_prints(&self, attack: &Attack, text: &str) -> Result<(), String> {
        let elf = self.package.join("target").join(TARGET).join("debug");
        let search_paths = SearchPaths(vec![self.elf_files(attack, &elf)]);
        let options = microkit_sdf::Options::new(&search_paths);
        let system = microkit_sdf::parse("attack.system", &attack.system, options)
            .map_err(|report| format!("{report:?}"))?;
        let plan = microkit_image::plan(&system, &Platform::QEMU_VIRT_AARCH64, &search_paths)
            .map_err(|report| format!("{report:?}"))?;
        let kernel = self.kernel.get_or_init(model_kernel);
        let image = self.package.join(format!("{}.img", attack.name));
        let packed = microkit_image::pack(&plan, kernel).map_err(|e| format!("{e:?}"))?;
        fs::write(&image, packed).unwrap();
        let mut qemu = Command::new("qemu-system-aarch64")
            .args(["-machine", "virt,virtualization=on", "-cpu", "cortex-a53"])
            .args(["-m", "size=2G", "-display", "none", "-monitor", "none"])
            .args(["-serial", "stdio", "-device"])
            .arg(format!(
                "loader,file={},addr=0x70000000,cpu-num=0",
                image.display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = qemu.stdout.take().unwrap();
        let mut bytes = Vec::new();
        let end = Instant::now() + Duration::from_secs(60);
        // The run ends when the text is printed, or at the time limit.
        let (sender, receiver) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        while !one_line(&String::from_utf8_lossy(&bytes)).contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left) {
                Ok(piece) => bytes.extend(piece),
                Err(_) => break,
            }
        }
        drop(receiver);
        qemu.kill().unwrap();
        qemu.wait().unwrap();
        reader.join().unwrap();
        let said = one_line(&String::from_utf8_lossy(&bytes));
        match said.contains(text) {
            true => Ok(()),
            false => Err(format!("the program does not say `{text}`, but\n{said}")),
        }
    }
}

fn wants_refusal(output: &Output, text: &str) -> Result<(), String> {
    let said = said(output);
    match !output.status.success() && said.contains(text) {
        true => Ok(()),
        false => Err(format!("it is not refused with `{text}`, but\n{said}")),
    }
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    one_line(&format!("{out}\n{err}"))
}

/// Joins the lines of a report that is wrapped at the width of the terminal.
fn one_line(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}
