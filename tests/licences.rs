//! Every crate that is linked may be: only permissive licences and MPL-2.0.

use std::process::Command;

use serde_json::Value;

/// Licences we link. A crate may offer others beside one of these (`OR`).
const ALLOWED: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MPL-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "Unicode-3.0",
];

/// Whether a licence expression lets us link: each part of an `AND` must, any part of an `OR`.
fn allows(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|one| ALLOWED.contains(&one.trim())))
}

#[test]
fn an_expression_is_judged_by_its_parts() {
    assert!(allows("MIT/Apache-2.0"));
    assert!(allows("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(allows("MIT OR GPL-3.0-only"));
    assert!(!allows("GPL-3.0-only"));
    assert!(!allows("MIT AND GPL-2.0"));
}

#[test]
fn every_dependency_has_a_licence_that_lets_us_link_it() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, it started this test");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    assert!(packages.len() > 20, "the list of packages is not the whole one");
    let refused: Vec<_> = packages
        .iter()
        .filter(|package| !allows(package["license"].as_str().unwrap_or("none given")))
        .map(|package| format!("{} {}", package["name"], package["license"]))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}
