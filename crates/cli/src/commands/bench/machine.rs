//! What a benchmark ran on.

use std::fs;
use std::num::NonZero;

use serde_json::{Value, json};

use super::place::Place;
use crate::show::amount;

/// This machine, as far as it tells.
pub struct Machine {
    cpu: Option<String>,
    cores: usize,
    memory_bytes: Option<u64>,
    kernel: Option<String>,
    /// Of the folder that is worked in.
    file_system: Option<String>,
}

impl Machine {
    pub fn look(place: &Place) -> Machine {
        let read = |path: &str| fs::read_to_string(path).ok();
        let cpu = read("/proc/cpuinfo").and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        let memory_bytes = read("/proc/meminfo").and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
            let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kib * 1024)
        });
        let kernel =
            read("/proc/sys/kernel/osrelease").map(|text| format!("Linux {}", text.trim()));
        let file_system = read("/proc/mounts").and_then(|text| file_system(&text, place));
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Machine { cpu, cores, memory_bytes, kernel, file_system }
    }

    /// What makes the figures say less than they seem to.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if cfg!(debug_assertions) {
            warnings.push("a debug build: the figures say nothing".to_owned());
        }
        if matches!(self.file_system.as_deref(), Some("tmpfs" | "ramfs")) {
            warnings.push(
                "the folder is in memory, where nothing is durable and a sync costs nothing: name one \
                 on a disk with --dir"
                    .to_owned(),
            );
        }
        warnings
    }

    pub fn json(&self) -> Value {
        json!({
            "cpu": self.cpu, "cores": self.cores, "memory_bytes": self.memory_bytes,
            "kernel": self.kernel.as_deref().unwrap_or(std::env::consts::OS),
            "file_system": self.file_system,
        })
    }

    /// In a line.
    pub fn said(&self) -> String {
        let cpu = self.cpu.as_deref().unwrap_or(std::env::consts::ARCH);
        let mut parts = vec![cpu.to_owned(), format!("{} cores", self.cores)];
        parts.extend(self.memory_bytes.map(amount::bytes));
        parts.push(self.kernel.clone().unwrap_or_else(|| std::env::consts::OS.to_owned()));
        parts.extend(self.file_system.clone());
        parts.join(", ")
    }
}

/// The type of the file system that holds a folder: the mount of the longest path above it.
fn file_system(mounts: &str, place: &Place) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let above = mounts.filter(|(path, _)| place.dir().starts_with(path));
    above.max_by_key(|(path, _)| path.len()).map(|(_, kind)| kind.to_owned())
}
