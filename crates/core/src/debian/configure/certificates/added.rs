//! Certificate authorities that an administrator adds (update-ca-certificates(8), `/usr/local/share/ca-certificates`).

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::ByteSlice as _;
use data_encoding::BASE64;

use super::{certificates, subject_hash};
use crate::tree::{ParseTreePathError, TreePath};

/// Where `update-ca-certificates` looks for them.
const FOLDER: &str = "usr/local/share/ca-certificates";
/// The length of a line of base64 (RFC 7468, section 2).
const LINE: usize = 64;

/// A file holds no certificates that can be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddedCertificateError {
    /// It is in another form, or something else.
    #[error("it holds no certificate in PEM form")]
    NoPem,
    /// One of them is cut or changed.
    #[error("certificate {0} in it is damaged")]
    Damaged(usize),
    /// Its name makes no file name.
    #[error("its name cannot be that of a file in the image")]
    Name(#[from] ParseTreePathError),
}

impl AddedCertificateError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let convert = "`openssl x509 -inform der -in FILE -out FILE.pem` turns the binary form into PEM";
        matches!(self, Self::NoPem).then(|| convert.to_owned())
    }
}

/// The files to add for a PEM text called `name`: each certificate in one of its own, `NAME.crt` or `NAME-1.crt` and on,
/// as hash links and Java's store need them; what else is in the text is left out.
///
/// # Errors
/// When there is no certificate in it, or a damaged one.
pub fn added_certificates(name: &str, pem: &[u8]) -> Result<BTreeMap<TreePath, Arc<[u8]>>, AddedCertificateError> {
    let begun = pem.find_iter(b"-----BEGIN CERTIFICATE-----").count();
    let found = certificates(pem);
    let is_sound = |der: &Vec<u8>| subject_hash(der).is_some();
    let damaged = found.iter().position(|der| !is_sound(der)).or((found.len() < begun).then_some(found.len()));
    match damaged {
        _ if begun == 0 => return Err(AddedCertificateError::NoPem),
        Some(at) => return Err(AddedCertificateError::Damaged(at + 1)),
        None => {}
    }
    let file = |(at, der): (usize, &Vec<u8>)| {
        let number = if found.len() == 1 { String::new() } else { format!("-{}", at + 1) };
        Ok((TreePath::parse(format!("{FOLDER}/{name}{number}.crt"))?, pem_of(der)))
    };
    found.iter().enumerate().map(file).collect()
}

/// A certificate as RFC 7468 writes it.
fn pem_of(der: &[u8]) -> Arc<[u8]> {
    let mut text = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    for line in BASE64.encode(der).as_bytes().chunks(LINE) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(b"-----END CERTIFICATE-----\n");
    text.into()
}

#[cfg(test)]
mod tests {
    use plywood_testkit::AUTHORITY_PEM as PEM;
    use proptest::prelude::*;

    use super::*;

    fn names(pem: &str) -> Result<Vec<String>, AddedCertificateError> {
        let files = added_certificates("company", pem.as_bytes())?;
        Ok(files.keys().map(ToString::to_string).collect())
    }

    #[test]
    fn one_certificate_is_one_file() {
        assert_eq!(names(PEM), Ok(vec!["/usr/local/share/ca-certificates/company.crt".to_owned()]));
        let files = added_certificates("company", format!("Issuer: x\n{PEM}").as_bytes()).expect("certificates");
        assert_eq!(files.into_values().next().expect("a file").as_bstr(), PEM);
    }

    #[test]
    fn a_bundle_is_taken_apart() {
        let paths = names(&format!("{PEM}{PEM}")).expect("certificates");
        let expect = ["company-1", "company-2"].map(|name| format!("/usr/local/share/ca-certificates/{name}.crt"));
        assert_eq!(paths, expect);
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        assert_eq!(names("hello"), Err(AddedCertificateError::NoPem));
        let cut: String = PEM.lines().take(4).map(|line| format!("{line}\n")).collect();
        assert_eq!(names(&format!("{PEM}{cut}")), Err(AddedCertificateError::Damaged(2)));
        assert_eq!(names(&format!("{cut}-----END CERTIFICATE-----\n")), Err(AddedCertificateError::Damaged(1)));
    }

    proptest! {
        #[test]
        fn anything_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..PEM.len()) {
            drop(added_certificates("x", &bytes));
            let mut damaged = PEM.as_bytes().to_vec();
            damaged.splice(at..at, bytes);
            drop(added_certificates("x", &damaged));
        }
    }
}
