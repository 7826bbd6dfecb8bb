//! Every input of the committed corpora, and every one that once found something, through its target.

use std::path::Path;

use darkrift_fuzz_bodies::TARGETS;

#[test]
fn no_input_of_the_corpora_finds_anything() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, body) in TARGETS {
        let mut count = 0;
        for file in std::fs::read_dir(corpus.join(name)).expect("every target has a corpus") {
            let path = file.expect("a directory can be listed").path();
            let data = std::fs::read(&path).expect("a file can be read");
            println!("{}", path.display());
            body(&data);
            count += 1;
        }
        assert!(count > 0, "the corpus of {name} is empty");
    }
}

#[test]
fn every_target_takes_input_of_any_length() {
    for (_, body) in TARGETS {
        for length in 0..200 {
            body(&vec![0; length]);
            body(&(0..length as u8).map(|byte| byte.wrapping_mul(151)).collect::<Vec<_>>());
            body(&vec![255; length]);
        }
    }
}
