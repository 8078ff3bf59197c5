//! The same bytes for the same input, whatever the machine does (`spec.md` §2).

use std::fs;

use crate::shell::{arg, autorig, code, folder_with_hero, stderr};

/// Hides the vector extensions from the C library's choice of routines, as far as it lets us.
const MASKED: &str = "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-AVX512F,-SSE4_2";

#[test]
fn a_rig_is_the_same_twice_with_any_threads_and_without_vector_extensions() {
    let (folder, hero) = folder_with_hero();
    let ways: [(&str, &[&str], &str); 5] = [
        ("first", &[], ""),
        ("second", &[], ""),
        ("one", &["--threads", "1"], ""),
        ("two", &["--threads", "2"], ""),
        ("masked", &["--threads", "2"], MASKED),
    ];
    let mut made = Vec::new();
    for (name, more, tunables) in ways {
        let out = folder.path().join(name);
        let folder_argument = format!("{}/", arg(&out));
        let arguments = [&["rig", arg(&hero), "-o", &folder_argument], more].concat();
        let output = autorig(&arguments).env("GLIBC_TUNABLES", tunables).output().unwrap();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let read = |file: &str| fs::read(out.join(file)).unwrap();
        made.push((
            name,
            [read("hero_rigged.glb"), read("hero_model_prepared.glb"), read("hero_report.json")],
        ));
    }
    for (name, files) in &made[1..] {
        for (file, (this, first)) in ["rigged", "prepared", "report"].iter().zip(files.iter().zip(&made[0].1))
        {
            assert!(this == first, "{file} of {name} differs from the first");
        }
    }
}

#[test]
fn a_sample_is_the_same_twice() {
    let sample = |tunables: &str| {
        let arguments = ["sample", "human", "-o", "-", "--triangles", "4000"];
        autorig(&arguments).env("GLIBC_TUNABLES", tunables).output().unwrap().stdout
    };
    let first = sample("");
    assert!(first.starts_with(b"glTF") && first == sample("") && first == sample(MASKED));
}
