//! A process that is run to its end: how long it took, and the most memory that it had.

use std::fs;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use wait4::{ResUse, Wait4};

use super::measure::Sample;
use crate::failure::Failure;

/// This process, where the system tells of processes so (Linux).
const OWN_STATUS: &str = "/proc/self/status";

/// Runs a process: its time on the wall, and the most memory that it had.
///
/// The system says that at its end, so nothing is missed. But on Linux a process is born with the memory of the one
/// that began it, and that is counted: where no more is said than this one had, it is only a bound, and what the process
/// itself said last is taken, which was asked every `watch`; and of one that is over so soon that it said nothing, the bound.
pub fn run(command: &mut Command, name: &str, watch: Duration) -> Result<Sample, Failure> {
    let failed = |reason: String| Failure::Usage(format!("{name}: {reason}"));
    let born_with = peak_of(OWN_STATUS).unwrap_or(0);
    let begun = Instant::now();
    let child = command.spawn().map_err(|e| failed(e.to_string()))?;
    let status_file = format!("/proc/{}/status", child.id());
    let (ended, end) = channel::<()>();
    let (waited, time, seen) = std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut peak = None;
            loop {
                peak = peak_of(&status_file).max(peak);
                match end.recv_timeout(watch) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return peak,
                }
            }
        });
        let waited = child.wait4();
        let time = begun.elapsed();
        drop(ended);
        (waited, time, watcher.join().expect("the watcher does not panic"))
    });
    match waited {
        Ok(ResUse { status, rusage }) if status.success() => {
            let told = Some(rusage.maxrss).filter(|bytes| *bytes > 0);
            // Of one that is over so soon only its birth was seen.
            let seen = seen.filter(|_| time > 3 * watch);
            let peak_bytes = if told > Some(born_with) { told } else { seen.or(told) };
            Ok(Sample { peak_bytes, ..Sample::of(time) })
        }
        Ok(ResUse { status, .. }) => Err(failed(status.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Whether a process can be asked for the most memory that it had.
pub fn tells_memory() -> bool {
    peak_of(OWN_STATUS).is_some()
}

/// Bytes that this process has read of files so far, as far as the system tells.
pub fn bytes_read() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/io").ok()?;
    text.lines().find_map(|line| line.strip_prefix("rchar:"))?.trim().parse().ok()
}

fn peak_of(status_file: &str) -> Option<u64> {
    let text = fs::read_to_string(status_file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However seldom it is asked, and however soon it ends.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_memory_of_a_process_is_told() {
        let ran = |script: &str, watch: Duration| {
            let mut command = Command::new("sh");
            let sample = run(command.args(["-c", script]), "sh", watch).expect("it runs");
            sample.peak_bytes.expect("it is told")
        };
        let never = Duration::from_secs(3600);
        assert!(ran("exit 0", never) > 0);
        // A text of 64 MiB, in a shell that this test is smaller than.
        let large = ran("x=$(head -c 67108864 /dev/zero | tr '\\0' x); exit 0", never);
        assert!(large >= 64 << 20, "{large}");
        let failed = run(Command::new("sh").args(["-c", "exit 3"]), "sh", never);
        assert!(
            failed.expect_err("it fails").message().is_some_and(|m| m.contains("exit status: 3"))
        );
    }
}
