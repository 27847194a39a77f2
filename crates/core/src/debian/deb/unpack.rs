//! Reading a whole package.

use std::io::{self, Read};

use bstr::ByteSlice;

use super::ar::ArReader;
use super::codec::Codec;
use super::collect::Collector;
use super::control::Control;
use super::tar::{MemberError, Members};
use super::watch::Bounded;
use super::{ContainerError, ControlError, DebError, Limits, UnpackOptions, UnpackedDeb};
use crate::item::EntrySink;

/// Archives end in zeros up to a full record, which is 10 KiB unless somebody chose otherwise.
const MAX_TRAILER: u64 = 1 << 20;

/// Streams a package once, from `reader` into `sink`: the members of its `data.tar` in their order, directories that it
/// needs but does not have, then dpkg's info files.
///
/// The caller has verified the package's hash, or throws the segment away when it does not match at the end; what
/// follows `data.tar` is not read.
///
/// # Errors
/// [`DebError`] for a package that is damaged, hostile, or of a form that dpkg refuses too.
pub fn unpack(reader: impl Read, options: &UnpackOptions, sink: &mut dyn EntrySink) -> Result<UnpackedDeb, DebError> {
    let limits = &options.limits;
    let (mut ar, codec) = open(reader)?;
    let control = read_control(codec, &mut ar, limits)?;

    let codec = next_tar(&mut ar, "data.tar").map_err(DebError::Container)?;
    let (limit, installed_kib) = (limits.data(control.installed_kib), control.installed_kib.unwrap_or(0));
    let decoded =
        codec.decode(&mut ar, limits.codec_memory).map_err(|source| DebError::Read { member: "data.tar", source })?;
    let (bounded, exceeded) = Bounded::new(decoded, limit);
    let mut collector = Collector::new(sink, options, control);
    match read_data(bounded, &mut collector) {
        // Whatever failed, it failed because the budget was used up.
        Err(_) if exceeded.get() => {
            Err(DebError::TooLarge { package: collector.package().to_owned(), limit, installed_kib })
        }
        Err(error) => Err(error),
        Ok(()) => collector.finish(),
    }
}

/// The package's archive at the start of its `control.tar`, and how that is compressed.
pub(super) fn open<R: Read>(reader: R) -> Result<(ArReader<R>, Codec), DebError> {
    let mut ar = ArReader::new(reader).map_err(DebError::Container)?;
    read_version(&mut ar).map_err(DebError::Container)?;
    let codec = next_tar(&mut ar, "control.tar").map_err(DebError::Container)?;
    Ok((ar, codec))
}

fn read_version(ar: &mut ArReader<impl Read>) -> Result<(), ContainerError> {
    const NAME: &str = "debian-binary";
    let found = ar.next_member()?.ok_or(ContainerError::Missing(NAME))?;
    if found != NAME {
        return Err(ContainerError::Member { found, expected: NAME });
    }
    let mut version = Vec::new();
    ar.take(64).read_to_end(&mut version)?;
    let first = version.lines().next().unwrap_or_default();
    let minor = first.strip_prefix(b"2.").unwrap_or_default();
    let known = !minor.is_empty() && minor.iter().all(u8::is_ascii_digit);
    if known { Ok(()) } else { Err(ContainerError::Version(first.into())) }
}

/// Moves to the member `expected` with any known compression. Members whose names start with `_` are for others.
fn next_tar(ar: &mut ArReader<impl Read>, expected: &'static str) -> Result<Codec, ContainerError> {
    loop {
        let found = ar.next_member()?.ok_or(ContainerError::Missing(expected))?;
        if found.starts_with(b"_") {
            continue;
        }
        return Codec::of_member(&found, expected).unwrap_or(Err(ContainerError::Member { found, expected }));
    }
}

pub(super) fn read_control(codec: Codec, ar: &mut ArReader<impl Read>, limits: &Limits) -> Result<Control, DebError> {
    let decoded =
        codec.decode(ar, limits.codec_memory).map_err(|source| DebError::Read { member: "control.tar", source })?;
    let (bounded, exceeded) = Bounded::new(decoded, limits.control);
    Control::read(bounded, limits).map_err(|error| {
        let too_large = ControlError::TooLarge { limit: limits.control, unit: "bytes" };
        DebError::Control(if exceeded.get() { too_large } else { error })
    })
}

fn read_data(reader: impl Read, collector: &mut Collector<'_>) -> Result<(), DebError> {
    let damaged = |collector: &Collector<'_>, source| DebError::Data {
        package: collector.package().to_owned(),
        entries: collector.member_count(),
        source,
    };
    let mut archive = tar::Archive::new(reader);
    let mut members = Members::new(&mut archive).map_err(|source| damaged(collector, source))?;
    loop {
        match members.next_member() {
            Ok(Some((member, mut data))) => collector.add(member, &mut data)?,
            Ok(None) => break,
            Err(MemberError::Read(source)) => return Err(damaged(collector, source)),
            Err(MemberError::Member { path, problem }) => {
                return Err(DebError::Entry { package: collector.package().to_owned(), path, problem });
            }
        }
    }
    // To the end of the compressed stream, so that its checksum is checked.
    let mut rest = archive.into_inner().take(MAX_TRAILER);
    io::copy(&mut rest, &mut io::sink()).map(drop).map_err(|source| damaged(collector, source))
}
