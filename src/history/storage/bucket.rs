//! A dataset in a bucket of S3.

use std::fmt;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path as Key;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, RetryConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::credentials;
use crate::history::DatasetError;

/// How long a bucket may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one request may take that brings a file.
const REQUEST: Duration = Duration::from_secs(120);
/// How often what failed on the way is tried again.
const RETRIES: usize = 4;
/// How many files are asked for at the same time.
const AT_ONCE: usize = 32;
/// The largest file that is written: one request each.
const LARGEST: u64 = 256 << 20;

/// What is done where a request brings a file.
const WRITE: &str = "write";

/// What is in a file, or nothing if it is not there, and its path.
pub(super) type Content = (Option<Vec<u8>>, String);

/// A folder in a bucket.
pub(in crate::history) struct Bucket {
    /// `None` only when it is dropped.
    runtime: Option<Runtime>,
    store: Arc<AmazonS3>,
    prefix: Key,
    address: PathBuf,
}

impl Bucket {
    pub(super) fn of(place: &Path, address: &str) -> Result<Self, DatasetError> {
        let unusable = |problem: String| DatasetError::Bucket { address: place.to_owned(), problem };
        let (name, prefix) = address.split_once('/').unwrap_or((address, ""));
        let is_name = !name.is_empty() && name.chars().all(|sign| sign.is_ascii_alphanumeric() || ".-_".contains(sign));
        if !is_name || prefix.starts_with('/') || prefix.contains("//") || prefix.contains(['?', '#', '*']) {
            // What else is in it may be a secret.
            let problem = "give an address such as s3://BUCKET/FOLDER".to_owned();
            return Err(DatasetError::NotADataset { path: PathBuf::from("s3://…"), problem });
        }
        credentials::require_plain().map_err(unusable)?;
        let prefix = Key::parse(prefix).map_err(|error| unusable(error.to_string()))?;
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let builder = AmazonS3Builder::from_env()
            .with_bucket_name(name)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_retry(retry);
        let allow_http = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|allowed| allowed.eq_ignore_ascii_case("true"));
        let options = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(Duration::from_secs(5));
        let builder = builder.with_client_options(options.with_allow_http(allow_http));
        let builder = credentials::of_profile(builder).map_err(unusable)?;
        let store = builder.build().map_err(|error| unusable(told(&error)))?;
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| unusable(format!("no thread can be started ({error})")))?;
        Ok(Self { runtime: Some(runtime), store: Arc::new(store), prefix, address: place.to_owned() })
    }

    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.address.join(path)
    }

    /// The key of a file, spelled as it is listed.
    fn key(&self, path: &str) -> Result<Key, DatasetError> {
        let whole = if self.prefix.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        Key::parse(whole)
            .map_err(|error| DatasetError::Bucket { address: self.place(path), problem: error.to_string() })
    }

    pub(super) fn bytes(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, DatasetError> {
        let (store, key) = (Arc::clone(&self.store), self.key(path)?);
        let read = self.wait("read", path, async move { content(&store, &key, most).await })?;
        match read {
            Ok(bytes) => Ok(bytes),
            Err(problem) => Err(DatasetError::damaged(&self.place(path), problem)),
        }
    }

    pub(super) fn all_bytes(&self, paths: Vec<String>, most: u64) -> Result<Vec<Content>, DatasetError> {
        let mut all = Vec::new();
        for paths in paths.chunks(AT_ONCE) {
            let file = |path: &String| Ok((path.clone(), self.key(path)?));
            let files = paths.iter().map(file).collect::<Result<Vec<(String, Key)>, DatasetError>>()?;
            let store = Arc::clone(&self.store);
            let read = self.wait("read", paths.first().map_or("", String::as_str), async move {
                let one = |(path, key): (String, Key)| {
                    let store = Arc::clone(&store);
                    async move { Ok::<_, Error>((path, content(&store, &key, most).await?)) }
                };
                stream::iter(files).map(one).buffered(AT_ONCE).try_collect::<Vec<_>>().await
            })?;
            for (path, bytes) in read {
                let bytes = bytes.map_err(|problem| DatasetError::damaged(&self.place(&path), problem))?;
                all.push((bytes, path));
            }
        }
        Ok(all)
    }

    /// Fetches a file into one that has no name.
    pub(super) fn open(&self, path: &str, bytes: u64) -> Result<Option<File>, DatasetError> {
        let (store, key) = (Arc::clone(&self.store), self.key(path)?);
        let place = std::env::temp_dir();
        let failed = DatasetError::io("write", &place);
        let mut file = tempfile::tempfile().map_err(&failed)?;
        let mut copy = file.try_clone().map_err(&failed)?;
        let fetched = self.wait_for("read", path, async move {
            let found = match timeout(PATIENCE, store.get(&key)).await {
                Err(_) => return Ok(Err(Silent)),
                Ok(Err(Error::NotFound { .. })) => return Ok(Ok(Ok(None))),
                Ok(found) => found?,
            };
            let (mut chunks, mut left) = (found.into_stream(), bytes.saturating_add(1));
            loop {
                let Ok(chunk) = timeout(PATIENCE, chunks.next()).await else { return Ok(Err(Silent)) };
                let Some(chunk) = chunk.transpose()? else { return Ok(Ok(Ok(Some(())))) };
                // What is larger than it should be need not be whole.
                let part = &chunk[..chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
                if let Err(error) = copy.write_all(part) {
                    return Ok(Ok(Err(error)));
                }
                left -= part.len() as u64;
                if left == 0 {
                    return Ok(Ok(Ok(Some(()))));
                }
            }
        })?;
        let Some(()) = fetched.map_err(&failed)? else { return Ok(None) };
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Some(file))
    }

    pub(super) fn size(&self, path: &str) -> Result<Option<u64>, DatasetError> {
        let (store, key) = (Arc::clone(&self.store), self.key(path)?);
        self.wait("read", path, async move {
            match store.head(&key).await {
                Err(Error::NotFound { .. }) => Ok(None),
                found => found.map(|found| Some(found.size)),
            }
        })
    }

    pub(super) fn files(&self, below: &str) -> Result<Vec<String>, DatasetError> {
        let (store, prefix) = (Arc::clone(&self.store), self.key(below)?);
        let root = self.prefix.as_ref().len();
        let found = self.wait_for("list", below, async move {
            let mut found = store.list(Some(&prefix));
            let mut keys = Vec::new();
            loop {
                match timeout(PATIENCE, found.try_next()).await {
                    Err(_) => return Ok(Err(Silent)),
                    Ok(object) => match object? {
                        Some(object) => keys.push(object.location),
                        None => return Ok(Ok(keys)),
                    },
                }
            }
        })?;
        let path = |key: Key| key.as_ref().get(root..).map(|path| path.trim_start_matches('/').to_owned());
        Ok(found.into_iter().filter_map(path).collect())
    }

    pub(super) fn names(&self) -> Result<Vec<String>, DatasetError> {
        let (store, prefix) = (Arc::clone(&self.store), self.prefix.clone());
        let found = self.wait("list", "", async move { store.list_with_delimiter(Some(&prefix)).await })?;
        let keys = found.objects.into_iter().map(|object| object.location).chain(found.common_prefixes);
        Ok(keys.filter_map(|key| key.filename().map(str::to_owned)).collect())
    }

    /// Writes a file, unless there is one. Returns whether it is there.
    pub(super) fn place_new(&self, written: &Path, path: &str) -> Result<bool, DatasetError> {
        let failed = DatasetError::io("read", written);
        let size = fs::metadata(written).map_err(&failed)?.len();
        if size > LARGEST {
            let problem = format!("it has {size} bytes, and at most {LARGEST} are written in one request");
            return Err(DatasetError::Bucket { address: self.place(path), problem });
        }
        let bytes = fs::read(written).map_err(failed)?;
        let (store, key, payload) = (Arc::clone(&self.store), self.key(path)?, bytes.clone());
        let is_written = self.wait(WRITE, path, async move {
            match store.put_opts(&key, payload.into(), PutMode::Create.into()).await {
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
                written => written.map(|_| true),
            }
        })?;
        // A request that succeeded without an answer was repeated, and met its own file.
        Ok(is_written || self.bytes(path, LARGEST)?.is_some_and(|found| found == bytes))
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), DatasetError> {
        let (store, key) = (Arc::clone(&self.store), self.key(path)?);
        self.wait("remove", path, async move {
            match store.delete(&key).await {
                Err(Error::NotFound { .. }) => Ok(()),
                removed => removed,
            }
        })
    }

    /// Waits for an answer, or until the bucket was silent for too long.
    fn wait<T: Send + 'static>(
        &self,
        doing: &'static str,
        path: &str,
        asked: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, DatasetError> {
        let limit = if doing == WRITE { REQUEST } else { PATIENCE };
        self.wait_for(doing, path, async move {
            match timeout(limit, asked).await {
                Ok(answer) => answer.map(Ok),
                Err(_) => Ok(Err(Silent)),
            }
        })
    }

    /// Waits for an answer that says itself when the bucket is silent. The caller may be of any other runtime.
    fn wait_for<T: Send + 'static>(
        &self,
        doing: &'static str,
        path: &str,
        asked: impl Future<Output = Result<Result<T, Silent>, Error>> + Send + 'static,
    ) -> Result<T, DatasetError> {
        let failed = |problem: String| DatasetError::Bucket {
            address: self.place(path),
            problem: format!("can't {doing} it: {problem}"),
        };
        let (answers, answer) = mpsc::sync_channel(1);
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                let _ = answers.send(asked.await);
            });
        }
        match answer.recv() {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(Silent))) => Err(failed("it does not answer".to_owned())),
            Ok(Err(error)) => Err(failed(told(&error))),
            Err(_) => Err(failed("its answer is lost".to_owned())),
        }
    }
}

/// A bucket that does not answer.
struct Silent;

/// The content of an object; `None` if it is not there. Says what is wrong if it is too large.
async fn content(store: &AmazonS3, key: &Key, most: u64) -> Result<Result<Option<Vec<u8>>, String>, Error> {
    let found = match store.get(key).await {
        // Where there is no bucket, nothing can be missing in it.
        Err(Error::NotFound { source, .. }) if !source.to_string().contains("NoSuchBucket") => return Ok(Ok(None)),
        found => found?,
    };
    if found.meta.size > most {
        return Ok(Err(format!("it is not a file of at most {most} bytes")));
    }
    Ok(Ok(Some(found.bytes().await?.to_vec())))
}

/// What went wrong, in words of our own where there are some.
fn told(error: &Error) -> String {
    match error {
        Error::PermissionDenied { .. } => "access is denied: check what the credentials may do".to_owned(),
        Error::Unauthenticated { .. } => {
            "the credentials are not accepted: check AWS_ACCESS_KEY_ID and its secret".to_owned()
        }
        error => {
            let mut causes = vec![error.to_string()];
            let mut cause = std::error::Error::source(error);
            while let Some(next) = cause {
                causes.push(next.to_string());
                cause = next.source();
            }
            let told = causes.concat();
            // Servers answer in XML.
            let part = |name: &str| told.split_once(&format!("<{name}>"))?.1.split('<').next();
            let told = match (part("Code"), part("Message")) {
                (Some(code), Some(message)) => format!("{message} ({code})"),
                (Some(code), None) => code.to_owned(),
                _ => causes.last().cloned().unwrap_or_default(),
            };
            told.lines().next().unwrap_or_default().chars().take(SHOWN).collect()
        }
    }
}

/// The most characters of an error that are shown.
const SHOWN: usize = 300;

impl Drop for Bucket {
    fn drop(&mut self) {
        // Also within another runtime, where waiting is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("address", &self.address).finish_non_exhaustive()
    }
}
