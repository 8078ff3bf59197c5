//! Everything the command says goes through here: results to stdout, words to stderr, one JSON
//! envelope instead of both with `--json`.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    args::OutputArgs,
    failure::{Exit, Failure, Result},
};

/// Version of the JSON envelope.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// A warning as the envelope has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Notice {
    /// Stable code.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
    /// The file it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
}

/// How the command ended.
pub(crate) struct Outcome {
    /// What `--json` prints as `result`.
    pub(crate) result: Value,
    /// What went wrong, with a result or without.
    pub(crate) failure: Option<Failure>,
}

impl Outcome {
    /// All went well.
    pub(crate) fn ok(result: Value) -> Self {
        Self { result, failure: None }
    }
}

/// The one mouth of the program.
pub(crate) struct Ui {
    json: bool,
    quiet: bool,
    terminal: bool,
    colour: bool,
    command: &'static str,
    announced: AtomicBool,
    warnings: Mutex<Vec<Notice>>,
    bar: Mutex<Option<ProgressBar>>,
}

impl Ui {
    /// Talks as `output` asks and as stderr allows; `NO_COLOR` is honoured.
    pub(crate) fn new(output: OutputArgs, command: &'static str) -> Self {
        let terminal = io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json: output.json,
            quiet: output.quiet,
            terminal,
            colour: terminal && !no_color,
            command,
            announced: AtomicBool::new(false),
            warnings: Mutex::default(),
            bar: Mutex::default(),
        }
    }

    /// One envelope is all that is said.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Only errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Words on stderr may have colours.
    pub(crate) fn has_colour(&self) -> bool {
        self.colour
    }

    /// Messages and progress are wanted.
    pub(crate) fn is_chatty(&self) -> bool {
        !self.json && !self.quiet
    }

    /// Says something on stderr.
    pub(crate) fn say(&self, text: &str) {
        if self.is_chatty() {
            self.line(&clean(text));
        }
    }

    /// Warns on stderr, and in the envelope.
    pub(crate) fn warn(&self, code: &str, message: &str, file: Option<&Path>) {
        let file = file.map(|path| path.display().to_string());
        let place = file.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
        if self.is_chatty() {
            self.line(&format!("{} {}", self.paint("33", "warning:"), clean(&format!("{message}{place}"))));
        }
        locked(&self.warnings).push(Notice { code: code.to_owned(), message: message.to_owned(), file });
    }

    /// Prints an error, whatever was asked for but `--json`, which has it in the envelope.
    pub(crate) fn fail(&self, failure: &Failure) {
        if !self.json || self.announced.load(Ordering::SeqCst) {
            self.line(&format!(
                "{} {}\n  {} {}\n  {} {}",
                self.paint("31;1", "error:"),
                clean(&failure.to_string()),
                self.paint("36", "help:"),
                clean(&failure.remedy),
                self.paint("2", "code:"),
                failure.code,
            ));
        }
    }

    /// Writes a result to stdout: text or a whole file.
    pub(crate) fn result(&self, bytes: &[u8]) -> Result<()> {
        self.clear_bar();
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            // The reader has seen enough (`autorig … | head`): nothing is wrong.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::io("write the result", Path::new("stdout"), &error)),
        }
    }

    /// Says the last word and gives the exit code.
    pub(crate) fn finish(&self, outcome: Result<Outcome>) -> Exit {
        self.clear_bar();
        let (result, failure) = match outcome {
            Ok(outcome) => (outcome.result, outcome.failure),
            Err(failure) => (Value::Null, Some(failure)),
        };
        let exit = failure.as_ref().map_or(Exit::Ok, |failure| failure.exit);
        if self.json && !self.announced.load(Ordering::SeqCst) {
            if let Err(failure) = self.envelope(&result, failure.as_ref()) {
                return failure.exit;
            }
        } else if let Some(failure) = &failure {
            self.fail(failure);
        }
        exit
    }

    /// Gives the result of a command that goes on after it: the envelope is complete, what follows is words.
    pub(crate) fn announce(&self, result: &Value) -> Result<()> {
        if self.json {
            self.envelope(result, None)?;
            self.announced.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn envelope(&self, result: &Value, failure: Option<&Failure>) -> Result<()> {
        let envelope = json!({
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "ok": failure.is_none(),
            "result": result,
            "error": failure,
            "warnings": *locked(&self.warnings),
        });
        self.result(format!("{envelope:#}\n").as_bytes())
    }

    /// Starts to show the progress of one piece of work.
    pub(crate) fn start_bar(&self, name: &str) {
        if !self.terminal || !self.is_chatty() {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
        let template = if self.colour {
            "{prefix} {bar:24.green/dim} {percent:>3} % {msg}"
        } else {
            "{prefix} {bar:24} {percent:>3} % {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━─"));
        }
        bar.set_prefix(clean(name));
        bar.enable_steady_tick(Duration::from_millis(100));
        *locked(&self.bar) = Some(bar);
    }

    /// Shows progress: moves the bar, or writes a line when a stage begins.
    pub(crate) fn progress(&self, name: &str, stage: &str, fraction: f32, new_stage: bool) {
        if let Some(bar) = &*locked(&self.bar) {
            let position = (f64::from(fraction.clamp(0.0, 1.0)) * 1000.0).round();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
            bar.set_position(position as u64);
            if new_stage {
                bar.set_message(stage.to_owned());
            }
            return;
        }
        if new_stage {
            self.say(&format!("{name}: {stage} ({:.0} %)", fraction * 100.0));
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear_bar(&self) {
        let bar = locked(&self.bar).take();
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &*locked(&self.bar) {
            Some(bar) => bar.suspend(|| write_stderr(text)),
            None => write_stderr(text),
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// What a panic elsewhere has left is still good enough to be said.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing can be done about a stderr that cannot be written to.
fn write_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Text that comes from a file or a path, made safe for a terminal: no control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_files_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
