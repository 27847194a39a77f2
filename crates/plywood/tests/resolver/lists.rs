//! The file of package lists that are compared with apt.

/// One list.
pub(crate) struct PackageList {
    pub(crate) suite: String,
    pub(crate) architecture: String,
    pub(crate) recommends: bool,
    pub(crate) packages: Vec<String>,
    /// The differences that are known, as the comparison reports them.
    pub(crate) explained: Vec<String>,
}

/// Reads lines of `suite architecture [+recommends]: package …`; lines of `!` after one are its explained differences,
/// lines of `#` are comments.
pub(crate) fn parse(text: &str) -> Vec<PackageList> {
    let mut lists: Vec<PackageList> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(difference) = line.strip_prefix('!') {
            let list = lists.last_mut().expect("a difference follows a list");
            list.explained.push(difference.trim().to_owned());
            continue;
        }
        let (head, packages) = line.split_once(':').expect("a list has a colon");
        let mut words = head.split_whitespace().map(str::to_owned);
        lists.push(PackageList {
            suite: words.next().expect("a list names a suite"),
            architecture: words.next().expect("a list names an architecture"),
            recommends: words.next().is_some_and(|word| word == "+recommends"),
            packages: packages.split_whitespace().map(str::to_owned).collect(),
            explained: Vec::new(),
        });
    }
    lists
}
