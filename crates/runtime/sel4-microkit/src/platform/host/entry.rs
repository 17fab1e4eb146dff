//! The entry point of a program on a host, where it is not a PD.

/// Prints how to run the program, and returns 1.
#[doc(hidden)]
pub fn host_main(name: Option<&str>) -> core::ffi::c_int {
    let name = name.unwrap_or("this");
    std::eprintln!(
        "{name} is a protection domain, which runs in a Microkit system: name it in a system file \
         as program_image path=\"{name}.elf\", and start that with `cargo microkit run`"
    );
    1
}
