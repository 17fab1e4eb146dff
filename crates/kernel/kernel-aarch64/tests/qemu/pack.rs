//! Packs systems for the tests. Each PD runs the test program with one action, and has one mapping
//! for each segment. The packer checks nothing. `kernel_aarch64::payload` defines the format of an
//! image.

use boot_spec::{
    BootSpec, Channel, Irq, Mapping, PageSize, Perms, ProtectionDomain, Segment, Stack, Trigger,
};
use kernel_aarch64::layout::{IMAGE_START, SYSTEM_MEMORY};
use kernel_aarch64::payload::{MAGIC, PAGE_BYTES, START_SYMBOL};
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, elf};

type Elf<'a> = ElfFile64<'a, Endianness>;

const USER_TOP: u64 = (1 << 40) - 1;
const STACK_BYTES: u64 = 2 * PAGE_BYTES;

/// A protection domain of a test.
#[derive(Clone)]
pub(crate) struct Pd {
    pub(crate) name: &'static str,
    pub(crate) act: u64,
    pub(crate) priority: u8,
    pub(crate) budget_us: u64,
    pub(crate) fpu: bool,
    pub(crate) irq: Option<u32>,
}

/// Makes the image of a system in which each PD runs `program`.
pub(crate) fn pack(kernel: &[u8], program: &[u8], pds: &[Pd], channels: &[Channel]) -> Vec<u8> {
    let mut image = flatten(kernel);
    let mut memory = Memory {
        next: SYSTEM_MEMORY.start,
        segments: Vec::new(),
    };
    let spec = BootSpec {
        user_top: USER_TOP,
        pds: pds
            .iter()
            .map(|pd| protection_domain(pd, program, &mut memory))
            .collect(),
        channels: channels.to_vec(),
        segments: Vec::new(),
    };
    // The segments come after the boot spec, and the length of the spec depends on the segments'
    // offsets. So 64 bytes are reserved for each segment.
    let header_bytes = 16 + spec.encode().len() as u64 + 64 * memory.segments.len() as u64;
    let mut offset = (image.len() as u64 + header_bytes).next_multiple_of(PAGE_BYTES);
    let segments: Vec<_> = memory
        .segments
        .iter()
        .map(|(paddr, bytes)| {
            let image_offset = offset;
            offset = (offset + bytes.len() as u64).next_multiple_of(PAGE_BYTES);
            Segment {
                paddr: *paddr,
                bytes: bytes.len() as u64,
                image_offset,
            }
        })
        .collect();
    let spec = BootSpec { segments, ..spec };
    spec.validate().expect("the test's system is one");
    let encoded = spec.encode();
    image.extend(MAGIC);
    image.extend((encoded.len() as u64).to_le_bytes());
    image.extend(encoded);
    for (segment, (_, bytes)) in spec.segments.iter().zip(&memory.segments) {
        assert!(image.len() as u64 <= segment.image_offset);
        image.resize(segment.image_offset as usize, 0);
        image.extend(bytes);
    }
    image
}

/// Returns the offset of the payload in an image with this kernel.
pub(crate) fn payload_offset(kernel: &[u8]) -> usize {
    flatten(kernel).len()
}

/// Flattens the kernel: returns its bytes in memory, up to the payload.
fn flatten(kernel: &[u8]) -> Vec<u8> {
    let elf = parse(kernel);
    let end = symbol(&elf, START_SYMBOL);
    let mut image = vec![0; (end - IMAGE_START) as usize];
    for (header, data) in loaded(&elf) {
        let start = (header.p_paddr(Endianness::Little) - IMAGE_START) as usize;
        image[start..start + data.len()].copy_from_slice(data);
    }
    image
}

/// Allocates physical memory, and keeps the contents of the segments.
struct Memory {
    next: u64,
    segments: Vec<(u64, Vec<u8>)>,
}

impl Memory {
    fn map(&mut self, vaddr: u64, bytes: u64, perms: Perms) -> Mapping {
        let paddr = self.next;
        self.next += bytes;
        Mapping {
            vaddr,
            paddr,
            bytes,
            perms,
            cached: true,
            page_size: PageSize::Small,
        }
    }
}

fn protection_domain(pd: &Pd, program: &[u8], memory: &mut Memory) -> ProtectionDomain {
    let elf = parse(program);
    let act = symbol(&elf, "ACT");
    let mut mappings = Vec::new();
    for (header, data) in loaded(&elf) {
        let vaddr = header.p_vaddr(Endianness::Little);
        let page = vaddr - vaddr % PAGE_BYTES;
        let end = vaddr + header.p_memsz(Endianness::Little);
        let flags = header.p_flags(Endianness::Little);
        let perms = Perms {
            read: flags & elf::PF_R == elf::PF_R,
            write: flags & elf::PF_W == elf::PF_W,
            execute: flags & elf::PF_X == elf::PF_X,
        };
        let mapping = memory.map(page, (end - page).next_multiple_of(PAGE_BYTES), perms);
        let mut data = data.to_vec();
        if (vaddr..end).contains(&act) {
            let at = (act - vaddr) as usize;
            data[at..at + 8].copy_from_slice(&pd.act.to_le_bytes());
        }
        if !data.is_empty() {
            memory.segments.push((mapping.paddr + (vaddr - page), data));
        }
        mappings.push(mapping);
    }
    let read_write = Perms {
        read: true,
        write: true,
        execute: false,
    };
    let ipc_buffer = microkit_abi::limits::ipc_buffer_address(USER_TOP);
    let stack = Stack {
        bottom: microkit_abi::limits::stack_top(USER_TOP) - STACK_BYTES,
        bytes: STACK_BYTES,
    };
    mappings.push(memory.map(ipc_buffer, PAGE_BYTES, read_write));
    mappings.push(memory.map(stack.bottom, stack.bytes, read_write));
    let irq = pd.irq.map(|number| Irq {
        id: 0,
        number,
        trigger: Trigger::Level,
    });
    ProtectionDomain {
        name: pd.name.into(),
        priority: pd.priority,
        budget_us: pd.budget_us,
        period_us: 10_000,
        fpu: pd.fpu,
        needs_endpoint: true,
        entry: elf.entry(),
        stack,
        ipc_buffer,
        mappings,
        irqs: irq.into_iter().collect(),
        ..Default::default()
    }
}

fn parse(bytes: &[u8]) -> Elf<'_> {
    Elf::parse(bytes).expect("it was built as an ELF file")
}

/// Returns the program headers of the loadable segments, with their bytes.
fn loaded<'a>(
    elf: &Elf<'a>,
) -> impl Iterator<Item = (&'a elf::ProgramHeader64<Endianness>, &'a [u8])> {
    let (headers, data) = (elf.elf_program_headers(), elf.data());
    headers
        .iter()
        .filter(|header| header.p_type(Endianness::Little) == elf::PT_LOAD)
        .map(move |header| {
            let bytes = header.data(Endianness::Little, data);
            (header, bytes.expect("the file is whole"))
        })
}

fn symbol(elf: &Elf<'_>, name: &str) -> u64 {
    let symbol = elf.symbols().find(|symbol| symbol.name() == Ok(name));
    symbol
        .unwrap_or_else(|| panic!("there is no {name}"))
        .address()
}
