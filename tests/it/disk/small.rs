//! A small disk: a tmpfs if one can be mounted, else a limit on the size of files.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::files_below;

/// Enough room for any test, in KiB.
const AMPLE: u64 = 64 * 1024;
/// The disk allocates files in blocks of this many bytes.
const BLOCK: u64 = 4096;
/// `ulimit -f` counts in units of 512 bytes.
const UNITS_PER_KIB: u64 = 2;

/// A disk that can be filled or made read-only.
pub(super) struct SmallDisk {
    outer: TempDir,
    is_mounted: bool,
    /// The largest allowed file in KiB, if the disk is not mounted.
    limit: Cell<Option<u64>>,
}

impl SmallDisk {
    /// A separate file system; a folder with a file-size limit if none can be mounted.
    pub(super) fn new() -> Self {
        let mut disk = Self::limited();
        disk.is_mounted = run("mount", &["-t", "tmpfs", "-o", &size(AMPLE), "tieout-test"], &disk.folder());
        disk
    }

    /// A folder with a file-size limit.
    pub(super) fn limited() -> Self {
        let outer = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(outer.path().join("disk")).expect("writable");
        Self { outer, is_mounted: false, limit: Cell::new(None) }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.outer.path().join("disk")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Leaves this much room, in KiB.
    pub(super) fn leave(&self, kib: u64) {
        if self.is_mounted {
            let blocks = |path: PathBuf| fs::metadata(path).expect("a file").len().div_ceil(BLOCK);
            let used: u64 = files_below(&self.folder()).into_iter().map(blocks).sum();
            self.remount(&size(used * BLOCK / 1024 + kib));
        } else {
            self.limit.set(Some(kib));
        }
    }

    pub(super) fn make_room(&self) {
        if self.is_mounted { self.remount(&size(AMPLE)) } else { self.limit.set(None) }
    }

    /// The messages of a job that this disk stops; it prints one of them.
    pub(super) fn causes(&self) -> &'static [&'static str] {
        if self.is_mounted {
            &["is full", "No space left on device"]
        } else {
            &["disk I/O error", "File too large", "is full"]
        }
    }

    /// The command, run under this disk's limit.
    pub(super) fn bound(&self, command: Command) -> Command {
        let Some(kib) = self.limit.get() else { return command };
        // Writing past the limit fails with an error, because the signal that would kill is ignored.
        let script = r#"trap "" XFSZ; ulimit -f "$0" || exit 99; exec "$@""#;
        let mut bound = Command::new("sh");
        bound.env_clear().arg("-c").arg(script).arg((kib * UNITS_PER_KIB).to_string());
        bound.arg(command.get_program()).args(command.get_args());
        bound.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        bound
    }

    /// Makes the disk read-only; without a mount, hides its files as well.
    pub(super) fn forbid(&self) {
        if self.is_mounted {
            self.remount("ro");
        } else {
            fs::rename(self.folder(), self.outer.path().join("aside")).expect("writable");
            fs::write(self.folder(), "no folder").expect("writable");
        }
    }

    pub(super) fn allow(&self) {
        if self.is_mounted {
            self.remount("rw");
        } else {
            fs::remove_file(self.folder()).expect("writable");
            fs::rename(self.outer.path().join("aside"), self.folder()).expect("writable");
        }
    }

    /// Whether the disk is a file system. If so, only files on it can find it full, and they can be read while it is
    /// read-only.
    pub(super) fn is_mounted(&self) -> bool {
        self.is_mounted
    }

    fn remount(&self, option: &str) {
        assert!(run("mount", &["-o", &format!("remount,{option}")], &self.folder()), "remount with {option}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            unmount(&self.folder());
        }
    }
}

/// A folder that shows the content of another folder and can vanish while in use.
pub(super) struct VanishingFolder {
    outer: TempDir,
    is_mounted: Cell<bool>,
}

impl VanishingFolder {
    pub(super) fn open() -> Self {
        let outer = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(outer.path().join("kept")).expect("writable");
        let vanishing = Self { outer, is_mounted: Cell::new(false) };
        vanishing.come_back();
        vanishing
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.outer.path().join("seen")
    }

    /// Makes it vanish: open files stay open, but its path leads to an empty folder.
    pub(super) fn vanish(&self) {
        if self.is_mounted.take() {
            unmount(&self.folder());
        } else {
            fs::rename(self.folder(), self.outer.path().join("kept")).expect("writable");
            fs::create_dir(self.folder()).expect("writable");
        }
    }

    /// Brings it back, in place of whatever is there now.
    pub(super) fn come_back(&self) {
        if self.folder().exists() {
            fs::remove_dir_all(self.folder()).expect("writable");
        }
        fs::create_dir(self.folder()).expect("writable");
        let kept = self.outer.path().join("kept");
        let is_mounted = run("mount", &["--bind", &kept.to_string_lossy()], &self.folder());
        self.is_mounted.set(is_mounted);
        if !is_mounted {
            fs::remove_dir(self.folder()).expect("it is empty");
            fs::rename(kept, self.folder()).expect("writable");
        }
    }
}

impl Drop for VanishingFolder {
    fn drop(&mut self) {
        if self.is_mounted.get() {
            unmount(&self.folder());
        }
    }
}

fn size(kib: u64) -> String {
    format!("size={kib}k")
}

/// Unmounts lazily, which works even while files are open.
fn unmount(folder: &Path) {
    run("umount", &["-l"], folder);
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> bool {
    let output = Command::new(program).args(arguments).arg(OsStr::new(folder)).output();
    output.is_ok_and(|output| output.status.success())
}
