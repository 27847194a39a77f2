//! `[[images.NAME.tests]]`: what must hold in a container of the image.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;
use toml::de::DeValue;

use crate::manifest::read::{FromToml, Problems, integer_value, read_table, wrong_type};
use crate::manifest::spanned::Spanned;
use crate::manifest::values::text_value;
use crate::manifest::{Problem, Seconds, UserName};

/// A test of an image: a command and what it must give, or an HTTP request to what the image starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Test", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["command"] }, { "required": ["http"] }]))]
#[schemars(extend("dependentRequired" = {
    "stdout": ["command"], "stdout-contains": ["command"], "stderr-contains": ["command"], "exit": ["command"],
}))]
pub struct Check {
    /// What the test shows. Default: the command or the request.
    pub name: Option<String>,
    /// What runs in a new container, in place of the image's own command.
    pub command: Option<Spanned<Command>>,
    /// A request to a new container, which runs the image's own command.
    pub http: Option<Spanned<HttpRequest>>,
    /// All that the command prints on its standard output.
    pub stdout: Option<Spanned<String>>,
    /// What its standard output must contain.
    pub stdout_contains: Option<Spanned<OneOrMore>>,
    /// What its standard error must contain.
    pub stderr_contains: Option<Spanned<OneOrMore>>,
    /// The status that it exits with. Default: 0.
    pub exit: Option<Spanned<ExitStatus>>,
    /// The user that it runs as. Default: the image's.
    pub user: Option<UserName>,
    /// How long the test may take. Default: `1m`.
    pub timeout: Option<Seconds>,
}

read_table!(Check {
    name = "name",
    command = "command",
    http = "http",
    stdout = "stdout",
    stdout_contains = "stdout-contains",
    stderr_contains = "stderr-contains",
    exit = "exit",
    user = "user",
    timeout = "timeout",
} then check);

impl Check {
    /// How long a test may take when it does not say.
    pub const DEFAULT_TIMEOUT: Seconds = Seconds(60);

    /// The test's name, or what it does.
    pub fn title(&self) -> String {
        match (&self.name, &self.command, &self.http) {
            (Some(name), ..) => name.clone(),
            (None, Some(command), _) => command.to_string(),
            (None, None, Some(http)) => format!("GET :{}{}", http.port, http.path()),
            (None, None, None) => String::new(),
        }
    }

    fn check(&self, span: Range<usize>, problems: &mut Problems) {
        match (&self.command, &self.http) {
            (None, None) => problems.add(span, Problem::Missing("command".to_owned())),
            (Some(_), Some(http)) => problems.add(http.span.clone(), Problem::Exclusive("command", "http")),
            _ => {}
        }
        let expectations = [
            ("stdout", self.stdout.as_ref().map(|value| &value.span)),
            ("stdout-contains", self.stdout_contains.as_ref().map(|value| &value.span)),
            ("stderr-contains", self.stderr_contains.as_ref().map(|value| &value.span)),
            ("exit", self.exit.as_ref().map(|value| &value.span)),
        ];
        for (key, span) in expectations {
            if let (None, Some(span)) = (&self.command, span) {
                problems.add(span.clone(), Problem::Needs { key, needs: "command" });
            }
        }
    }
}

/// A GET request over HTTP to a container, repeated until it is answered or the test's time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct HttpRequest {
    /// The port in the container.
    pub port: PortNumber,
    /// The path and query. Default: `/`.
    pub path: Option<RequestPath>,
    /// The status of the answer. Default: 200.
    pub status: Option<HttpStatus>,
    /// What the answer's body must contain.
    pub body_contains: Option<OneOrMore>,
}

read_table!(HttpRequest { port = "port", path = "path", status = "status", body_contains = "body-contains" });

impl HttpRequest {
    /// The path and query to ask for.
    pub fn path(&self) -> &str {
        self.path.as_ref().map_or("/", RequestPath::as_str)
    }

    /// The status that the answer must have.
    pub fn status(&self) -> u16 {
        self.status.map_or(200, |HttpStatus(status)| status)
    }
}

text_value! {
    /// The path and query of an HTTP request (RFC 9112, "origin-form").
    RequestPath,
    kind: "the path of a request",
    pattern: r"^/[!-~]*$",
    examples: ["/healthz"],
    check: |text| match text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err("it starts with `/` and has printable ASCII without spaces"),
    }
}

integer_value! {
    /// A TCP port.
    PortNumber(u16), 1..=65535;
    /// The status that a command exits with.
    ExitStatus(u8), 0..=255;
    /// A status code of HTTP (RFC 9110, section 15).
    HttpStatus(u16), 100..=599;
}

/// A command: its arguments, or a line for `/bin/sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Command {
    /// The program and its arguments.
    Arguments(#[schemars(length(min = 1))] Vec<String>),
    /// A line for `/bin/sh -c`.
    Shell(#[schemars(length(min = 1))] String),
}

impl Command {
    /// The arguments to execute.
    pub fn to_arguments(&self) -> Vec<String> {
        match self {
            Command::Arguments(arguments) => arguments.clone(),
            Command::Shell(line) => vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()],
        }
    }
}

impl std::fmt::Display for Command {
    /// For people: arguments with blanks are quoted.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Command::Arguments(arguments) = self else { return f.write_str(self.line()) };
        for (index, argument) in arguments.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            match argument.is_empty() || argument.contains(char::is_whitespace) {
                true => write!(f, "{blank}'{argument}'")?,
                false => write!(f, "{blank}{argument}")?,
            }
        }
        Ok(())
    }
}

impl Command {
    fn line(&self) -> &str {
        match self {
            Command::Shell(line) => line,
            Command::Arguments(_) => "",
        }
    }
}

impl FromToml for Command {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        let command = match value.get_ref() {
            DeValue::String(_) => String::from_toml(value, problems).map(Command::Shell)?,
            DeValue::Array(_) => Vec::from_toml(value, problems).map(Command::Arguments)?,
            _ => return wrong_type(value, "a string or an array of strings", problems),
        };
        if matches!(value.get_ref(), DeValue::Array(array) if array.is_empty())
            || matches!(&command, Command::Shell(line) if line.is_empty())
        {
            problems.add(value.span(), Problem::Empty("command"));
        }
        Some(command)
    }
}

/// One text, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One text.
    One(String),
    /// Several, each of which counts.
    More(Vec<String>),
}

impl OneOrMore {
    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            OneOrMore::One(text) => std::slice::from_ref(text),
            OneOrMore::More(texts) => texts.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

impl FromToml for OneOrMore {
    fn from_toml(value: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => String::from_toml(value, problems).map(OneOrMore::One),
            DeValue::Array(_) => Vec::from_toml(value, problems).map(OneOrMore::More),
            _ => wrong_type(value, "a string or an array of strings", problems),
        }
    }
}
