#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| darkrift_fuzz_bodies::connection(data));
