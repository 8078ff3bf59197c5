//! As much of the test protocol as nextest needs, for tests whose program is its own child and so has a `main` of its own.

use std::process::ExitCode;

/// A test and its name.
pub(crate) type Test = (&'static str, fn());

/// Lists or runs the tests, as the arguments ask.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        // `--list --ignored` asks for those left out; there are none.
        for (name, _) in tests.iter().filter(|_| !has("--ignored")) {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let fits = |name: &str| {
        wanted.is_empty()
            || wanted.iter().any(|w| if has("--exact") { name == *w } else { name.contains(*w) })
    };
    let mut run = 0;
    for (name, test) in tests.iter().filter(|(name, _)| fits(name)) {
        println!("test {name}");
        // A failed assertion ends the program with its message.
        test();
        run += 1;
    }
    println!("test result: ok. {run} passed");
    ExitCode::SUCCESS
}
