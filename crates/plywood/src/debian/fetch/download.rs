//! Downloads: from mirror to mirror, with pauses, resuming, until size and hash are right.

use std::ops::ControlFlow;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use futures_util::{StreamExt as _, stream};
use plywood_core::digest::FileHash;

use super::cache::Cache;
use super::error::{Attempts, Failure, FetchError, GoneDeb};
use super::partial::Partial;
use super::sources::{self, Source};
use super::{Archive, DebRef, Wanted};
use crate::events::{Event, Progress, Task, Unit};
use crate::http::{Ask, Reply, TransferFailure};

/// Between two looks at a file that another process downloads.
const POLL: Duration = Duration::from_millis(100);

/// An attempt that brought this many bytes further was worth it: the count of attempts starts anew.
const HEADWAY: u64 = 256 << 10;

/// What ends an attempt: the mirror's fault or ours.
enum Trouble {
    Mirror(Failure),
    Ours(FetchError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Mirror(failure)
    }
}

impl From<TransferFailure> for Trouble {
    fn from(failure: TransferFailure) -> Self {
        Trouble::Mirror(failure.into())
    }
}

impl Archive<'_> {
    pub(super) async fn fetch_debs(
        &self,
        debs: &[DebRef],
        mut ready: impl FnMut(usize, &Utf8Path) -> ControlFlow<()>,
    ) -> Result<Vec<Utf8PathBuf>, FetchError> {
        let mut hand_over = |index: usize, path: &Utf8Path| match ready(index, path) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(FetchError::Stopped),
        };
        let mut missing = Vec::new();
        for (index, deb) in debs.iter().enumerate() {
            let path = self.cache.deb(deb.hash);
            if Cache::holds(&path, deb.size, deb.hash)? {
                hand_over(index, &path)?;
            } else {
                missing.push(index);
            }
        }
        if !missing.is_empty() {
            self.fetch_missing(debs, missing, &mut hand_over).await?;
        }
        Ok(debs.iter().map(|deb| self.cache.deb(deb.hash)).collect())
    }

    async fn fetch_missing(
        &self,
        debs: &[DebRef],
        mut missing: Vec<usize>,
        hand_over: &mut impl FnMut(usize, &Utf8Path) -> Result<(), FetchError>,
    ) -> Result<(), FetchError> {
        let of = |index: usize| debs.get(index).map(|deb| (index, deb));
        // Large ones first: they take longest, here and to whoever unpacks them.
        missing.sort_by_key(|&index| (std::cmp::Reverse(of(index).map(|(_, deb)| deb.size)), index));
        let total = missing.iter().filter_map(|&index| of(index)).map(|(_, deb)| deb.size).sum();
        let task = Task::start(self.events, "Downloading packages", Some(total), Unit::Bytes);
        let transfers = missing.into_iter().filter_map(of).map(|(index, deb)| {
            let task = &task;
            async move { (index, deb, self.fetch_deb(deb, task).await) }
        });
        let mut transfers = stream::iter(transfers).buffer_unordered(self.config.patience.parallel.max(1));
        let mut gone = Vec::new();
        while let Some((index, deb, result)) = transfers.next().await {
            match result {
                Ok(path) => hand_over(index, &path)?,
                Err(FetchError::Unavailable { attempts, .. }) if attempts.show_it_is_gone() => {
                    gone.push(GoneDeb { index, name: deb.name.clone(), path: deb.path.clone() });
                }
                Err(error) => return Err(error),
            }
        }
        gone.sort_by_key(|deb| deb.index);
        if gone.is_empty() { Ok(()) } else { Err(FetchError::Gone(gone)) }
    }

    async fn fetch_deb(&self, deb: &DebRef, task: &Task<'_>) -> Result<Utf8PathBuf, FetchError> {
        let mut attempts = Attempts::default();
        let mut files = Vec::new();
        for base in sources::of_deb(&self.config, deb)? {
            match base.file(&deb.path) {
                Ok(source) => files.push(source),
                Err(failure) => attempts.push(base.url.to_string(), failure, base.last_resort),
            }
        }
        let target = self.cache.deb(deb.hash);
        let wanted = Wanted { what: deb.name.clone(), size: deb.size, hash: deb.hash, target, sources: files };
        self.fetch(&wanted, attempts, &mut Progress::new(task)).await?;
        Ok(wanted.target)
    }

    /// Brings a file into the cache, whoever has it.
    pub(super) async fn fetch(
        &self,
        wanted: &Wanted,
        mut attempts: Attempts,
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), FetchError> {
        Cache::make_folder_of(&wanted.target)?;
        let Some(mut partial) = self.claim(wanted).await? else {
            progress.reached(wanted.size);
            return Ok(());
        };
        progress.reached(partial.written().min(wanted.size));
        for source in &wanted.sources {
            match self.fetch_from(source, wanted, &mut partial, progress).await {
                Ok(()) => {
                    return partial.finish(&wanted.target).map_err(|error| FetchError::cache(&wanted.target, error));
                }
                Err(Trouble::Ours(error)) => return Err(error),
                Err(Trouble::Mirror(failure)) => {
                    self.events.emit(Event::Detail(format!("{}: {failure}", source.shown())));
                    attempts.push(source.shown(), failure, source.last_resort);
                }
            }
        }
        Err(FetchError::Unavailable { what: wanted.what.clone(), attempts })
    }

    /// Takes the file in hand; `None` when another process has brought it meanwhile.
    async fn claim(&self, wanted: &Wanted) -> Result<Option<Partial>, FetchError> {
        let target = &wanted.target;
        let mut told = false;
        loop {
            let opened = Partial::open(target).map_err(|error| FetchError::cache(target, error))?;
            if let Some(partial) = opened {
                if !Cache::holds(target, wanted.size, wanted.hash)? {
                    return Ok(Some(partial));
                }
                partial.discard().map_err(|error| FetchError::cache(target, error))?;
                return Ok(None);
            }
            if !std::mem::replace(&mut told, true) {
                let note = format!("waiting for another plywood that downloads {}", wanted.what);
                self.events.emit(Event::Detail(note));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Tries one place as often as is sensible.
    async fn fetch_from(
        &self,
        source: &Source,
        wanted: &Wanted,
        partial: &mut Partial,
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), Trouble> {
        let mut pauses = self.config.patience.pauses();
        loop {
            let before = partial.written();
            let failure = match self.attempt(source, wanted, partial, progress).await {
                Ok(()) => return Ok(()),
                // What was there before may have been wrong: this place gets a chance to give all of it.
                Err(Trouble::Mirror(Failure::WrongHash { .. })) if before > 0 => continue,
                Err(Trouble::Mirror(Failure::Transfer(failure))) if failure.may_pass() => failure,
                Err(other) => return Err(other),
            };
            if partial.written() >= before + HEADWAY {
                pauses = self.config.patience.pauses();
            }
            match pauses.next() {
                Some(pause) => self.config.patience.pause(pause, &failure).await,
                None => return Err(Trouble::Mirror(self.give_up(source, failure.into()))),
            }
        }
    }

    /// Remembers who cannot be reached.
    pub(super) fn give_up(&self, source: &Source, failure: Failure) -> Failure {
        if matches!(failure, Failure::Transfer(TransferFailure::Unreachable(_))) {
            self.unreachable.mark_down(&source.url);
        }
        failure
    }

    /// One transfer of what is missing.
    async fn attempt(
        &self,
        source: &Source,
        wanted: &Wanted,
        partial: &mut Partial,
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), Trouble> {
        if self.unreachable.are_down(&source.url) {
            return Err(TransferFailure::Skipped.into());
        }
        if partial.written() >= wanted.size && wanted.size > 0 {
            return check(wanted, partial);
        }
        let ask = Ask {
            url: &source.url,
            authorization: source.authorization.as_ref(),
            from: partial.written(),
            validators: None,
        };
        let mut body = match self.transport.open(ask).await {
            Ok(Reply::Body(body)) => body,
            Ok(Reply::NotModified) => return Err(TransferFailure::Status { status: 304, retry_after: None }.into()),
            // The part is of no use to this server (HTTP 416).
            Err(TransferFailure::Status { status: 416, .. }) if ask.from > 0 => {
                restart(partial)?;
                return Err(TransferFailure::Truncated { got: 0, expect: wanted.size }.into());
            }
            Err(failure) => return Err(failure.into()),
        };
        if let Some(found) = body.total.filter(|&total| total != wanted.size) {
            return Err(Failure::WrongSize { found, expect: wanted.size }.into());
        }
        if body.start != partial.written() {
            restart(partial)?;
        }
        while let Some(chunk) = body.chunk().await? {
            if partial.written() + chunk.len() as u64 > wanted.size {
                restart(partial)?;
                return Err(TransferFailure::TooLarge(wanted.size).into());
            }
            partial.write(&chunk).map_err(|error| ours(partial.path(), error))?;
            progress.reached(partial.written());
        }
        check(wanted, partial)
    }
}

/// Judges a transfer that came to its end.
fn check(wanted: &Wanted, partial: &mut Partial) -> Result<(), Trouble> {
    if partial.written() < wanted.size {
        return Err(TransferFailure::Truncated { got: partial.written(), expect: wanted.size }.into());
    }
    let found: FileHash = partial.hash();
    if partial.written() == wanted.size && found == wanted.hash {
        return Ok(());
    }
    restart(partial)?;
    Err(Failure::WrongHash { found: found.to_hex(), expect: wanted.hash.to_hex() }.into())
}

fn restart(partial: &mut Partial) -> Result<(), Trouble> {
    partial.restart().map_err(|error| ours(partial.path(), error))
}

fn ours(path: &Utf8Path, error: std::io::Error) -> Trouble {
    Trouble::Ours(FetchError::cache(path, error))
}
