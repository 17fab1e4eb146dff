//! Reads the threads of the model kernel. The kernel writes a snapshot of its threads when the
//! machine's power button is pressed ([`boot_spec::snapshot`] describes the format).

use std::thread::sleep;
use std::time::{Duration, Instant};

use boot_spec::snapshot::{HEADER_WORDS, Phase, WORDS};

use super::thread::Thread;
use crate::qemu::Monitor;

/// The time limit for the kernel's snapshot, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(1);

/// The interval of checks for a complete snapshot.
const GLANCE: Duration = Duration::from_millis(5);

/// Reads the phase of the kernel from the snapshot at `address`.
pub(super) fn phase(monitor: &Monitor, address: u64) -> Option<Phase> {
    let word = monitor.read(address, size_of::<u64>())?;
    Phase::from_word(u64::from_le_bytes(word.try_into().ok()?))
}

/// Reads the threads of all PDs, in the order of the boot spec.
pub(super) fn threads(monitor: &Monitor, address: u64) -> Option<Vec<Thread>> {
    monitor.press_power_button()?;
    let end = Instant::now() + PATIENCE;
    loop {
        match phase(monitor, address)? {
            Phase::Taken => break,
            Phase::Halted => return None,
            Phase::Runs | Phase::Idle => {}
        }
        if Instant::now() > end {
            return None;
        }
        sleep(GLANCE);
    }
    let bytes = monitor.read(address, WORDS * size_of::<u64>())?;
    let words = bytes.chunks_exact(size_of::<u64>());
    let words: Option<Vec<_>> = words
        .map(|word| Some(u64::from_le_bytes(word.try_into().ok()?)))
        .collect();
    from_words(&words?)
}

fn from_words(words: &[u64]) -> Option<Vec<Thread>> {
    let count = usize::try_from(*words.get(HEADER_WORDS - 1)?).ok()?;
    let threads = words.get(HEADER_WORDS..)?.chunks_exact(Thread::WORDS);
    let threads = threads
        .take(count)
        .map(|words| Thread::from_words(words.try_into().ok()?));
    let threads: Option<Vec<_>> = threads.collect();
    threads.filter(|threads| threads.len() == count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_snapshot_has_no_threads() {
        let thread = [4, 0x1000, 1, 2, 3, 4, 5];
        let check = |count: u64, threads: &[[u64; Thread::WORDS]], expect: Option<usize>| {
            let mut words = vec![Phase::Taken.word(), count];
            words.extend(threads.iter().flatten());
            let found = from_words(&words).map(|threads| threads.len());
            assert_eq!(found, expect, "{count}");
        };
        check(0, &[thread], Some(0));
        check(2, &[thread, thread], Some(2));
        check(2, &[thread], None);
        check(u64::MAX, &[thread], None);
        check(1, &[[99, 0, 0, 0, 0, 0, 0]], None);
    }
}
