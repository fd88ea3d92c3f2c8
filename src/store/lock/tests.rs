//! Locks against other processes, other users and hostile neighbours.

use std::error::Error;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

type Tested = Result<(), Box<dyn Error>>;

fn now() -> Timestamp {
    Timestamp::from_second(1_795_399_200).expect("a time")
}

fn held(result: Result<Lock, LockError>) -> Option<Holder> {
    match result {
        Err(LockError::Held { holder, .. }) => holder,
        other => panic!("{other:?}"),
    }
}

/// Takes a lock that is free. A process that another test is just starting may briefly hold a copy of its file.
fn taken(take: impl Fn() -> Result<Lock, LockError>) -> Result<Lock, LockError> {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        match take() {
            Err(LockError::Held { .. }) if Instant::now() < patience => std::thread::sleep(Duration::from_millis(5)),
            ended => return ended,
        }
    }
}

/// Starts another process that locks the file, and waits until it holds the lock.
fn other_process(path: &Path) -> Child {
    let child = Command::new("flock").arg("--exclusive").arg(path).args(["sleep", "60"]).stdout(Stdio::null()).spawn();
    let child = child.expect("flock(1) is installed");
    let patience = Instant::now() + Duration::from_secs(20);
    while File::open(path).is_ok_and(|file| file.try_lock_shared().is_ok()) {
        assert!(Instant::now() < patience, "it never took the lock");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn who_only_looks_is_not_in_the_way() -> Tested {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state.sqlite");
    drop(taken(|| Lock::on_state(&state, now()))?);
    let looking = File::open(beside(&state))?;
    looking.lock_shared()?;
    let look = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        drop(looking);
    });
    Lock::on_state(&state, now())?;
    look.join().map_err(|_| "panicked")?;
    Ok(())
}

#[test]
fn the_second_job_learns_who_holds_the_lock_and_gets_it_afterwards() -> Tested {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state.sqlite");
    let first = Lock::on_state(&state, now())?;
    let holder = Holder { pid: std::process::id(), since: now() };
    let second = Lock::on_state(&state, now());
    let text = second.as_ref().expect_err("held").to_string();
    assert_eq!(held(second), Some(holder));
    assert!(
        text.contains(&format!("pid {}, since 2026-11-23T", holder.pid)) && text.contains("state.sqlite"),
        "{text}"
    );
    assert_eq!(is_locked(&state), Some(holder));
    drop(first);
    drop(taken(|| Lock::on_state(&state, now()))?);
    Ok(())
}

#[test]
fn a_killed_holder_leaves_no_lock() -> Tested {
    let folder = tempfile::tempdir()?;
    let state = folder.path().join("state.sqlite");
    drop(Lock::on_state(&state, now())?);
    let path = folder.path().join("state.sqlite.lock");
    // `--no-fork` keeps it to one process: a child would survive the kill and keep the lock.
    let mut child =
        Command::new("flock").args(["--no-fork", "--exclusive"]).arg(&path).args(["sleep", "60"]).spawn()?;
    let patience = Instant::now() + Duration::from_secs(20);
    while Lock::on_state(&state, now()).is_ok() {
        assert!(Instant::now() < patience, "it never took the lock");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    taken(|| Lock::on_state(&state, now()))?;
    Ok(())
}

#[test]
fn a_key_is_locked_by_its_fingerprint_in_a_folder_of_this_user_alone() -> Tested {
    let folder = tempfile::tempdir()?;
    let lock = |fingerprint: &str| Lock::on_key_in(&[folder.path()], fingerprint, now());
    let first = lock("00112233445566aa")?;
    assert!(held(lock("00112233445566aa")).is_some());
    lock("00112233445566ab")?;
    let own = folder.path().join(format!("tieout-{}", fs::metadata(folder.path())?.uid()));
    assert_eq!(fs::metadata(&own)?.mode() & 0o777, 0o700, "no other user can reach the locks");
    assert_eq!(fs::metadata(own.join("00112233445566aa.lock"))?.mode() & 0o777, 0o600);
    drop(first);
    taken(|| lock("00112233445566aa"))?;
    Ok(())
}

/// Another user may have created the folder first, and could hold locks in it to keep all our jobs waiting.
#[test]
fn a_folder_of_locks_that_others_may_write_to_is_passed_over() -> Tested {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let name = format!("tieout-{}", fs::metadata(first.path())?.uid());
    let (theirs, ours) = (first.path().join(&name), second.path().join(&name));
    fs::create_dir(&theirs)?;
    fs::set_permissions(&theirs, Permissions::from_mode(0o777))?;
    let alone = Lock::on_key_in(&[first.path()], "00112233445566aa", now());
    assert!(matches!(alone, Err(LockError::Unusable { .. })), "{alone:?}");
    Lock::on_key_in(&[first.path(), second.path()], "00112233445566aa", now())?;
    assert_eq!((fs::read_dir(&theirs)?.count(), fs::read_dir(&ours)?.count()), (0, 1));

    fs::remove_dir(&theirs)?;
    symlink(&ours, &theirs)?;
    let linked = Lock::on_key_in(&[first.path()], "00112233445566aa", now());
    assert!(matches!(linked, Err(LockError::Unusable { .. })), "{linked:?}");
    Ok(())
}

#[test]
fn a_lock_file_that_is_not_ours_is_neither_followed_nor_waited_for_nor_shown() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(format!("{name}.lock"));
    let precious = folder.path().join("precious");
    fs::write(&precious, "keep me")?;
    symlink(&precious, path("link"))?;
    fs::create_dir(path("folder"))?;
    assert!(Command::new("mkfifo").arg(path("pipe")).status()?.success());
    for name in ["link", "folder", "pipe"] {
        let ended = Lock::on_state(&folder.path().join(name), now());
        assert!(matches!(ended, Err(LockError::Unusable { .. })), "{name}: {ended:?}");
    }
    assert_eq!(fs::read_to_string(&precious)?, "keep me");

    let notes: [&[u8]; 4] = [b"\xff\x00", b"{\"pid\":-1}", b"", &[b'x'; 10_000_000]];
    for note in notes {
        fs::write(path("other"), note)?;
        let mut child = other_process(&path("other"));
        assert_eq!(held(Lock::on_state(&folder.path().join("other"), now())), None);
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        fs::remove_file(path("other"))?;
    }
    Ok(())
}
