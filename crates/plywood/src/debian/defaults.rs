//! The hosts plywood speaks to when neither the manifest nor the machine names others: they stand here and nowhere else.

/// Debian's own archive.
pub const ARCHIVE: &str = "http://ftp.debian.org/debian";

/// Debian's own archive of security updates.
pub const SECURITY: &str = "http://security.debian.org/debian-security";

/// The archive of everything that ever was in Debian: below it come `debian/` and `debian-security/`, then a timestamp.
pub const SNAPSHOT: &str = "http://snapshot.debian.org/archive";

/// Ubuntu's archive of amd64.
pub const UBUNTU_ARCHIVE: &str = "http://archive.ubuntu.com/ubuntu";

/// Ubuntu's security archive of amd64.
pub const UBUNTU_SECURITY: &str = "http://security.ubuntu.com/ubuntu";

/// Ubuntu's archive of all other architectures, security included.
pub const UBUNTU_PORTS: &str = "http://ports.ubuntu.com/ubuntu-ports";
