//! The entry point of a PD's program that is started directly on a host.

/// Prints instructions for running the program, and returns 1.
#[doc(hidden)]
pub fn host_main(name: Option<&str>) -> core::ffi::c_int {
    let name = name.unwrap_or("this");
    std::eprintln!(
        "{name} is a protection domain, which runs in a Microkit system: name it in a system file \
         as program_image path=\"{name}.elf\", and start that with `cargo microkit run`"
    );
    1
}
