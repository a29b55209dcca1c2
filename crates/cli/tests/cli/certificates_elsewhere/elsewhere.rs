//! A conversation with `docs/check_certificate.py`: one process for many certificates.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::binary::root;

pub struct Elsewhere {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Elsewhere {
    /// `None`, loudly, where there is no Python.
    pub fn start(key: &str, auditor: &str) -> Option<Elsewhere> {
        let mut command = Command::new("python3");
        command.arg("-B").arg(root().join("docs/check_certificate.py")).arg("-");
        command.args(["--key", key, "--auditor", auditor, "--any-known-at"]);
        match command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() {
            Ok(mut child) => {
                let stdin = child.stdin.take();
                let stdout = BufReader::new(child.stdout.take().expect("piped"));
                Some(Elsewhere { child, stdin, stdout })
            }
            Err(e) => {
                println!("SKIPPED: python3 cannot be run ({e}), so nothing was held against it");
                None
            }
        }
    }

    /// Asks about a file; the answer can be fetched later.
    pub fn ask(&mut self, file: &Path) {
        let stdin = self.stdin.as_mut().expect("it is open");
        writeln!(stdin, "{}", file.display()).expect("it reads");
    }

    pub fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.stdin = None;
        let ended = self.child.wait();
        if !std::thread::panicking() {
            ended.expect("it ends");
        }
    }
}
