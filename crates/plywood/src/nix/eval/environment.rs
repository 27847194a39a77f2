//! The exported environment of a shell, as its derivation writes it.

use std::collections::BTreeMap;

use plywood_core::manifest::EnvName;

use super::EvalError;

/// Reads the variables.
///
/// # Errors
/// When it is no JSON object of texts: a variable that is no UTF-8 makes it so.
pub(crate) fn parse(shell: &str, json: &[u8]) -> Result<BTreeMap<String, String>, EvalError> {
    let variables: BTreeMap<String, String> =
        serde_json::from_slice(json).map_err(|source| EvalError::Environment { shell: shell.to_owned(), source })?;
    // An image's configuration ends a variable at its first NUL, which bash cannot export anyway.
    let usable = |(name, value): &(String, String)| name.parse::<EnvName>().is_ok() && !value.contains('\0');
    Ok(variables.into_iter().filter(usable).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_texts() {
        let variables = parse("a", br#"{"A":"it's \"x\"\n","BASH_FUNC_x%%":"()"}"#).expect("variables");
        assert_eq!(variables, BTreeMap::from([("A".to_owned(), "it's \"x\"\n".to_owned())]));
        assert!(parse("a", b"{\"A\":\"\xff\"}").is_err());
        assert!(parse("a", b"{\"A\":1}").is_err());
        assert!(parse("a", b"").is_err());
    }
}
