use sel4_sys::host::Program;

fn runs(program: &mut Program) {
    let buffer = program.buffer();
    program.resume();
    drop(buffer);
}

fn main() {}
