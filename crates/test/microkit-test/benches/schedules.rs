//! How many schedules of the examples' systems run in a second, on one core.

#[path = "../tests/examples/mod.rs"]
#[allow(dead_code, unused_imports)] // The tests use more of it.
mod examples;

use std::time::{Duration, Instant};

use microkit_test::Explorer;

fn main() {
    // `cargo test --benches` runs it too, to see that it works.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let time = Duration::from_millis(if is_measured { 2000 } else { 1 });
    for name in [
        "ping-pong",
        "ping-pong-call",
        "ping-pong-passive",
        "ping-pong-memory",
    ] {
        let system = examples::open(name);
        let explorer = Explorer::new(&system);
        let start = Instant::now();
        let (mut runs, mut steps) = (0_u64, 0_u64);
        while start.elapsed() < time {
            steps += explorer.sample(runs).steps();
            runs += 1;
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{name}: {:.0} random schedules a second, of {} steps each; a step takes {:.0} ns",
            runs as f64 / seconds,
            steps / runs,
            seconds * 1e9 / steps as f64,
        );
        let start = Instant::now();
        let explored = explorer.check(|_| ());
        println!(
            "{name}: {explored}, in {:.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
}
