#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| beekeepr_fuzz::identity(data));
