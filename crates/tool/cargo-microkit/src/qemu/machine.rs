//! The QEMU machine for each board, as in the Microkit manual.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::qemu::paths::without_commas;
use crate::variant::Variant;

/// A board that QEMU emulates.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    kind: &'static str,
}

impl Machine {
    /// Returns the machine for a board, or `None` if QEMU does not emulate the board.
    pub(crate) fn for_board(board: &str) -> Option<Self> {
        match board {
            "qemu_virt_aarch64" => Some(Self {
                kind: "virt,virtualization=on",
            }),
            "qemu_virt_aarch64_el1" => Some(Self { kind: "virt" }),
            _ => None,
        }
    }

    /// Returns the QEMU command that boots `image`.
    pub(crate) fn command(
        self,
        qemu: &Path,
        image: &Path,
        variant: &Variant,
        icount: bool,
    ) -> Command {
        let mut command = Command::new(qemu);
        command.args(["-machine", self.kind, "-cpu", "cortex-a53", "-m", "size=2G"]);
        // With the manual's option `-serial mon:stdio`, Ctrl-A would open QEMU's monitor. With
        // these options, every byte of standard input reaches the system.
        command.args(["-display", "none", "-monitor", "none", "-serial", "stdio"]);
        command.arg("-device").arg(loader(image));
        if variant.is_multi_core() {
            command.args(["-smp", "4"]);
        }
        if icount {
            command.args(["-icount", "shift=0,align=off,sleep=off"]);
        }
        command
    }
}

/// Returns QEMU's loader device for an image.
fn loader(image: &Path) -> OsString {
    let mut option = OsString::from("loader,file=");
    option.push(without_commas(image));
    option.push(",addr=0x70000000,cpu-num=0");
    option
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::KernelKind;

    fn check(board: &str, config: &str, icount: bool, expect: &str) {
        let variant = Variant {
            kernel: KernelKind::Sel4,
            board: board.into(),
            config: config.into(),
            profile: "dev".to_owned(),
        };
        let machine = Machine::for_board(board).expect("a QEMU board");
        let command = machine.command("qemu".as_ref(), "a.img".as_ref(), &variant, icount);
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
        assert_eq!(arguments.join(" "), expect);
    }

    #[test]
    fn machines_are_those_of_the_manual() {
        check(
            "qemu_virt_aarch64",
            "debug",
            false,
            "-machine virt,virtualization=on -cpu cortex-a53 -m size=2G \
             -display none -monitor none -serial stdio -device loader,file=a.img,addr=0x70000000,cpu-num=0",
        );
        check(
            "qemu_virt_aarch64_el1",
            "smp-debug",
            true,
            "-machine virt -cpu cortex-a53 -m size=2G -display none -monitor none -serial stdio \
             -device loader,file=a.img,addr=0x70000000,cpu-num=0 -smp 4 \
             -icount shift=0,align=off,sleep=off",
        );
        assert_eq!(Machine::for_board("rpi4b_1gb"), None);
    }

    #[test]
    fn commas_in_paths_are_doubled() {
        let check = |path: &str, expect: &str| {
            assert_eq!(
                loader(path.as_ref()),
                *format!("loader,file={expect},addr=0x70000000,cpu-num=0")
            );
        };
        check("/a/b.img", "/a/b.img");
        check("/a,b/c,.img", "/a,,b/c,,.img");
    }
}
