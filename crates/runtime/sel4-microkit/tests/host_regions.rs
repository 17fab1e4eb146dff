//! Tests memory regions on a host. Safe code can access only existing regions, and a region with an
//! owner has no other user.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sel4_microkit::host::{HostRegion, State, Symbol, set_symbols};
use sel4_microkit::{
    DmaRegion, SharedWord, dma_region, memory_region_symbol, shared_words, shared_words_if_mapped,
};

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Makes a region of one page, maps it for this thread's PD, and returns the region.
fn map() -> &'static HostRegion {
    let region = leak(HostRegion::new(512));
    find(region);
    region
}

/// Maps `region` for this thread's PD.
fn find(region: &'static HostRegion) {
    set_symbols(leak([
        Symbol::mapping("memory", region),
        Symbol::mapping("alias", region),
        Symbol::word("memory_size", 4096),
        Symbol::word("memory_paddr", 0x6000_0000),
    ]));
}

/// Runs `wrong`, which must panic, and returns the message.
#[track_caller]
fn refused<R>(wrong: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(wrong))
        .err()
        .expect("it must panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap().to_string())
}

fn share() -> &'static [AtomicU64] {
    shared_words!(memory, memory_size)
}

fn dma() -> DmaRegion {
    dma_region!(memory, memory_size, memory_paddr)
}

#[test]
fn a_number_does_not_lead_to_memory() {
    static VICTIM: AtomicU64 = AtomicU64::new(7);
    let address = VICTIM.as_ptr().expose_provenance() as u64;
    set_symbols(leak([
        Symbol::word("memory", address),
        Symbol::word("memory_size", 8),
        Symbol::word("memory_paddr", address),
    ]));
    let sentence = "memory is not the address of a memory region: on a host, declare the symbol by \
                    `Symbol::mapping` or `Symbol::region`";
    assert_eq!(refused(share), sentence);
    assert_eq!(refused(dma), sentence);
    assert_eq!(
        refused(|| shared_words!(memory, memory_size, SharedWord)),
        sentence
    );
    assert_eq!(
        refused(|| shared_words_if_mapped!(memory, memory_size)),
        sentence
    );
    #[cfg(feature = "mmio")]
    assert_eq!(refused(device::take), sentence);
    assert_eq!(VICTIM.load(Relaxed), 7);
}

#[test]
fn a_region_without_a_size_is_not_mapped() {
    set_symbols(leak([Symbol::mapping(
        "memory",
        leak(HostRegion::new(512)),
    )]));
    let sentence = "nothing was written to memory_size: the system file maps no region with \
                    setvar_size=\"memory_size\" into this protection domain";
    assert_eq!(refused(share), sentence);
    assert_eq!(
        refused(|| shared_words!(memory, memory_size, SharedWord)),
        sentence
    );
}

#[test]
fn a_region_ends_where_its_memory_does() {
    let region = leak(HostRegion::new(512));
    set_symbols(leak([
        Symbol::mapping("memory", region),
        Symbol::word("memory_size", 4097),
        Symbol::word("memory_paddr", 0x6000_0000),
    ]));
    let sentence = "the size written for memory is 4097 bytes, which is more than the 4096 that the region has";
    assert_eq!(refused(share), sentence);
    assert_eq!(refused(dma), sentence);
    find(region);
    assert_eq!(share().len(), 512);
    assert!(share().as_ptr().addr().is_multiple_of(4096));
    assert!(refused(|| region.read(512)).contains("index out of bounds"));
    assert!(refused(|| region.write(512, 0)).contains("index out of bounds"));
}

#[test]
fn memory_of_the_embedder_is_shared_only() {
    static WORDS: [AtomicU64; 2] = [const { AtomicU64::new(3) }; 2];
    set_symbols(leak([
        Symbol::region("memory", &WORDS),
        Symbol::word("memory_size", 16),
        Symbol::word("memory_paddr", 0x6000_0000),
    ]));
    assert_eq!(share()[1].load(Relaxed), 3);
    let sentence =
        "the memory of memory belongs to the embedder (`Symbol::region`), and cannot be for";
    assert!(refused(dma).starts_with(sentence));
    #[cfg(feature = "mmio")]
    assert!(refused(device::take).starts_with(sentence));
}

#[test]
fn words_that_are_shared_stay_shared() {
    let region = map();
    let words = share();
    let again = shared_words!(alias, memory_size);
    words[0].store(5, Relaxed);
    assert_eq!((again[0].load(Relaxed), region.read(0)), (5, 5));
    let sentence = "the region at memory is used as shared words already";
    assert!(refused(dma).starts_with(sentence));
    #[cfg(feature = "mmio")]
    assert!(refused(device::take).starts_with(sentence));
    // A later incarnation cannot take the region either, because the slice of words is `'static`.
    State::new().exchange();
    find(region);
    assert!(refused(dma).starts_with(sentence));
}

#[test]
fn memory_for_dma_has_one_owner() {
    let region = map();
    region.write(1, 9);
    let dma = dma();
    // SAFETY: the region has 4096 bytes, and `dma` owns it.
    let bytes = unsafe { NonNull::slice_from_raw_parts(dma.start(), 4096).as_mut() };
    assert_eq!(bytes[8], 9);
    assert_eq!(
        (dma.size_bytes(), dma.physical_address()),
        (4096, 0x6000_0000)
    );
    let owned = "the region at memory has an owner already";
    assert_eq!(refused(self::dma), owned);
    assert_eq!(
        refused(|| dma_region!(alias, memory_size, memory_paddr)),
        "the region at alias has an owner already"
    );
    #[cfg(feature = "mmio")]
    assert_eq!(refused(device::take), owned);
    assert!(refused(share).starts_with("the region was taken for DMA, and cannot be shared words"));
    assert_eq!(
        refused(|| region.read(1)),
        "the region was taken for DMA: only its owner can use it"
    );
    assert!(refused(|| region.write(1, 0)).starts_with("the region was taken for DMA"));
    region.for_each(|_| panic!("the owner may have references"));
    // Another PD cannot take the region either.
    let mut other = State::new();
    other.exchange();
    find(region);
    assert_eq!(refused(self::dma), owned);
    bytes[8] = 10;
}

#[test]
fn memory_of_an_ended_incarnation_is_not_reused() {
    let region = map();
    let mut state = State::new();
    state.exchange(); // Switches to a second PD.
    find(region);
    let left = dma();
    state.exchange(); // Switches back to the first PD.
    assert!(refused(dma).contains("has an owner"));
    drop(state);
    let next = dma();
    assert_ne!(left.start(), next.start());
    // SAFETY: each owner has a region of 4096 bytes, and the regions are different.
    unsafe {
        let (left, next) = (left.start().as_mut(), next.start().as_mut());
        (*left, *next) = (1, 2);
        assert_eq!((*left, *next), (1, 2));
    }
    assert_eq!(
        region.offset_bytes(next.start().addr().get() as u64),
        Some(0)
    );
    assert_eq!(
        region.offset_bytes(left.start().addr().get() as u64 + 5000),
        None
    );
}

#[test]
fn a_region_that_is_no_longer_taken_can_be_shared_or_read() {
    let region = map();
    let mut state = State::new();
    dma();
    state.exchange();
    drop(state);
    find(region);
    region.write(3, 4);
    assert_eq!(region.read(3), 4);
    assert_eq!(share()[3].load(Relaxed), 4);
    let mut seen = 0;
    region.for_each(|word| seen += word);
    assert_eq!(seen, 4);
    region.fill([1, 2]);
    assert_eq!([0, 1, 3].map(|index| region.read(index)), [1, 2, 0]);
}

#[test]
fn a_region_that_is_no_longer_taken_is_shared_without_what_was_left() {
    let region = map();
    let mut state = State::new();
    let left = dma();
    state.exchange();
    drop(state);
    find(region);
    assert_ne!(left.start().addr().get(), share().as_ptr().addr());
}

#[test]
fn a_symbol_leads_to_the_region_that_it_maps_and_to_no_other() {
    let region = leak(HostRegion::new(512));
    let mapping = Symbol::mapping("memory", region);
    let found = mapping.as_mapping("memory").expect("it maps a region");
    assert!(std::ptr::eq(found, region));
    assert!(mapping.as_mapping("other").is_none());
    static WORDS: [AtomicU64; 1] = [AtomicU64::new(0)];
    let shared = Symbol::region("memory", &WORDS);
    assert!(shared.as_mapping("memory").is_none());
    assert!(Symbol::word("memory", 1).as_mapping("memory").is_none());
}

#[test]
fn an_address_alone_gives_a_pointer() {
    let region = map();
    let pointer: NonNull<u64> = memory_region_symbol!(memory: *mut u64);
    assert_eq!(region.offset_bytes(pointer.addr().get() as u64), Some(0));
    assert_eq!(
        region.offset_bytes(pointer.addr().get() as u64 + 4096),
        Some(4096)
    );
    assert_eq!(
        region.offset_bytes(pointer.addr().get() as u64 + 4097),
        None
    );
    assert_eq!(region.offset_bytes(pointer.addr().get() as u64 - 1), None);
}

#[cfg(feature = "mmio")]
mod device {
    use std::thread;

    use safe_mmio::fields::ReadWrite;
    use sel4_microkit::{DeviceRegion, device_region, register};

    use super::*;

    #[repr(C)]
    pub(super) struct Registers {
        count: ReadWrite<u64>,
    }

    pub(super) fn take() -> DeviceRegion<Registers> {
        device_region!(memory, memory_size, Registers)
    }

    #[test]
    fn a_device_has_one_owner_at_whatever_place() {
        let region = map();
        let mut registers = take();
        assert_eq!(refused(take), "the region at memory has an owner already");
        let elsewhere = || device_region!(memory, memory_size, Registers);
        assert_eq!(
            refused(elsewhere),
            "the region at memory has an owner already"
        );
        let alias = || device_region!(alias, memory_size, Registers);
        assert_eq!(refused(alias), "the region at alias has an owner already");
        assert_eq!(refused(dma), "the region at memory has an owner already");
        assert_eq!(
            refused(share),
            "the region was taken for the registers of a device, and cannot be shared words too: use \
             `HostRegion::read` and `write` to be the device"
        );
        // The test acts as the device.
        region.write(0, 7);
        let mut count = register!(registers, Registers, count);
        assert_eq!(count.read(), 7);
        count.write(8);
        assert_eq!(region.read(0), 8);
    }

    #[test]
    fn registers_that_do_not_fit_do_not_take_the_region() {
        let region = leak(HostRegion::new(512));
        set_symbols(leak([
            Symbol::mapping("memory", region),
            Symbol::word("memory_size", 4),
        ]));
        assert!(refused(take).contains("has 4 bytes, the registers 8: map a larger one"));
        find(region);
        take();
    }

    #[test]
    fn a_later_incarnation_finds_the_registers_as_they_were() {
        let region = map();
        let mut state = State::new();
        state.exchange();
        find(region);
        let mut before = take();
        register!(before, Registers, count).write(5);
        state.exchange();
        assert!(refused(take).contains("has an owner"));
        drop(state);
        assert_eq!(region.read(0), 5);
        let mut after = take();
        assert_eq!(register!(after, Registers, count).read(), 5);
    }

    #[test]
    fn the_device_is_in_the_thread_of_its_driver() {
        let region = map();
        let _registers = take();
        let in_another = thread::spawn(|| {
            find(region);
            (refused(|| region.read(0)), refused(take))
        });
        let (read, taken) = in_another.join().unwrap();
        assert_eq!(
            read,
            "the region was taken for the registers of a device in another thread: only its owner \
             can use it"
        );
        assert_eq!(taken, "the region at memory has an owner already");
    }

    /// Asserts that each owner has its own memory. Miri checks the accesses for data races.
    #[test]
    fn another_thread_gets_other_memory() {
        let region = map();
        let mut state = State::new();
        let mut registers = take();
        state.exchange();
        drop(state);
        let other = thread::spawn(|| {
            find(region);
            let mut registers = take();
            register!(registers, Registers, count).write(2);
            region.write(0, region.read(0) + 1);
            register!(registers, Registers, count).read()
        });
        register!(registers, Registers, count).write(1);
        assert_eq!(other.join().unwrap(), 3);
        assert_eq!(register!(registers, Registers, count).read(), 1);
    }

    #[test]
    fn of_threads_that_want_a_region_one_gets_it() {
        let region = map();
        let barrier = std::sync::Barrier::new(3);
        let owners: usize = thread::scope(|scope| {
            let barrier = &barrier;
            let threads = [0, 1, 2].map(|_| {
                scope.spawn(move || {
                    find(region);
                    let taken = catch_unwind(take);
                    barrier.wait();
                    usize::from(taken.is_ok())
                })
            });
            threads.map(|thread| thread.join().unwrap()).iter().sum()
        });
        assert_eq!(owners, 1);
    }
}
