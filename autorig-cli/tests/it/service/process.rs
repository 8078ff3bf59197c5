//! The binary as a running process: heard line by line, signalled, and never left behind.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use crate::shell::{AUTORIG, arg};

/// What the end of a process may take on a busy machine.
const END: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// A running command.
pub(super) struct Running {
    child: RefCell<Child>,
    stderr: RefCell<BufReader<ChildStderr>>,
    said: RefCell<String>,
}

impl Running {
    /// Starts it with closed stdin.
    pub(super) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Starts it with closed stdin and some settings.
    pub(super) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(AUTORIG)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child: RefCell::new(child), stderr: RefCell::new(stderr), said: RefCell::default() }
    }

    /// Reads stderr up to a line with `text` in it.
    pub(super) fn until(&self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.stderr.borrow_mut().read_line(&mut line).unwrap();
            self.said.borrow_mut().push_str(&line);
            assert!(count > 0, "it ended before saying {text:?}: {}", self.said.borrow());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal to it alone.
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.borrow()), signal).unwrap();
    }

    /// Its end, and all it has said.
    pub(super) fn wait(self) -> (ExitStatus, String) {
        let mut line = String::new();
        while self.stderr.borrow_mut().read_line(&mut line).unwrap() > 0 {
            self.said.borrow_mut().push_str(&line);
            line.clear();
        }
        let status = self.child.borrow_mut().wait().unwrap();
        (status, self.said.take())
    }

    /// The processes it has started.
    pub(super) fn children(&self) -> Vec<Other> {
        let own = self.child.borrow().id();
        let mut children = Vec::new();
        for thread in std::fs::read_dir(format!("/proc/{own}/task")).unwrap() {
            let list = thread.unwrap().path().join("children");
            // A thread may end while we look.
            let list = std::fs::read_to_string(list).unwrap_or_default();
            children.extend(list.split_whitespace().map(|id| Other::open(id.parse().unwrap())));
        }
        children
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A process that is not our child, held so that its number cannot be taken by another.
pub(super) struct Other(OwnedFd);

impl Other {
    fn open(id: i32) -> Self {
        Self(pidfd_open(Pid::from_raw(id).unwrap(), PidfdFlags::empty()).unwrap())
    }

    /// Waits for its end.
    pub(super) fn assert_ends(&self) {
        let ended = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&END)).unwrap();
        assert_eq!(ended, 1, "the process goes on without its parent");
    }
}

/// A running server.
pub(crate) struct Service {
    running: Running,
    url: String,
}

impl Service {
    /// Starts one on a free port and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// Starts one with some settings.
    pub(crate) fn start_with(data: &Path, environment: &[(&str, &str)]) -> Self {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--data", arg(data)];
        let running = Running::start_with(&serve, environment);
        let line = running.until("AutoRig is listening on ");
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { running, url }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The link that a new site prints, for somebody at this machine.
    pub(crate) fn admin_link(&self) -> String {
        let line = self.running.until("(on this machine)");
        line.split_whitespace().next().unwrap().to_owned()
    }

    /// The rigs it has started.
    pub(super) fn children(&self) -> Vec<Other> {
        self.running.children()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }

    /// Its end, and all it has said.
    pub(crate) fn wait(self) -> (ExitStatus, String) {
        self.running.wait()
    }
}
