//! debconf as its noninteractive frontend works: questions are never asked, defaults and `config` scripts answer.

mod template;

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString, ByteSlice as _};

pub use template::{Template, parse_templates};

/// The answers debconf's commands give (debconf-devel(7), "THE DEBCONF PROTOCOL").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// The question, or what it should be, does not exist.
    BadParameters = 10,
    /// The command is unknown or wrongly called.
    Syntax = 20,
    /// The question was not asked.
    Skipped = 30,
}

/// A question: an instance of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Which template it is of.
    pub template: BString,
    /// The answer; the template's default while there is none.
    pub value: Option<BString>,
    /// Flags that are `true`, such as `seen`.
    pub flags: BTreeSet<BString>,
    /// What `SUBST` put in.
    pub variables: BTreeMap<BString, BString>,
    /// The packages it belongs to.
    pub owners: BTreeSet<BString>,
}

/// All templates and questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debconf {
    templates: BTreeMap<BString, Template>,
    questions: BTreeMap<BString, Question>,
    /// Packages whose templates are loaded.
    loaded: BTreeSet<BString>,
}

impl Debconf {
    /// Loads a package's templates; each becomes a question of the same name. `false` when they are loaded already.
    pub fn load(&mut self, package: &[u8], templates: &[u8]) -> bool {
        if !self.loaded.insert(package.into()) {
            return false;
        }
        for template in parse_templates(templates) {
            let question = self.questions.entry(template.name.clone()).or_default();
            question.template = template.name.clone();
            question.owners.insert(package.into());
            self.templates.insert(template.name.clone(), template);
        }
        true
    }

    /// The question of this name.
    pub fn question(&self, name: &[u8]) -> Option<&Question> {
        self.questions.get(name.as_bstr())
    }

    /// The question's answer, or its template's default, or nothing.
    pub fn value(&self, name: &[u8]) -> Option<BString> {
        let question = self.question(name)?;
        let default = || self.templates.get(&question.template).and_then(Template::default_value).map(BString::from);
        Some(question.value.clone().or_else(default).unwrap_or_default())
    }

    /// Runs one command of the protocol for `package`: the code and the text that follows it.
    pub fn command(&mut self, package: &[u8], command: &[u8], args: &[BString]) -> (Code, BString) {
        let done = (Code::Ok, BString::default());
        let name = args.first().map(|name| name.as_bstr()).unwrap_or_default();
        let unknown = || (Code::BadParameters, BString::from(format!("{name} doesn't exist")));
        match command {
            b"VERSION" => (Code::Ok, "2.1".into()),
            b"CAPB" => (Code::Ok, "multiselect".into()),
            b"TITLE" | b"SETTITLE" | b"INFO" | b"BEGINBLOCK" | b"ENDBLOCK" | b"STOP" | b"PROGRESS" | b"DATA" => done,
            b"GO" => (Code::Ok, "ok".into()),
            // The noninteractive frontend asks nothing.
            b"INPUT" => match args.get(1).filter(|name| self.question(name).is_some()) {
                Some(name) => {
                    self.accept_default(name);
                    (Code::Skipped, "question skipped".into())
                }
                None => (Code::BadParameters, "the question doesn't exist".into()),
            },
            b"GET" => self.value(name).map_or_else(unknown, |value| (Code::Ok, value)),
            b"METAGET" => self.metaget(name, args.get(1)),
            b"FGET" => match (self.question(name), args.get(1)) {
                (Some(question), Some(flag)) => (Code::Ok, question.flags.contains(flag).to_string().into()),
                _ => unknown(),
            },
            b"REGISTER" => self.register(package, args),
            b"UNREGISTER" => {
                self.questions.remove(name);
                done
            }
            b"PURGE" => {
                self.purge(package);
                done
            }
            b"SET" | b"FSET" | b"SUBST" | b"RESET" => match self.change(command, args) {
                true => done,
                false => unknown(),
            },
            _ => (Code::Syntax, "unknown command".into()),
        }
    }

    /// A question that would be asked takes its default for an answer; texts and notes have none.
    fn accept_default(&mut self, name: &BString) {
        let Some(question) = self.questions.get_mut(name).filter(|question| question.value.is_none()) else { return };
        let Some(template) = self.templates.get(&question.template) else { return };
        let shows_only =
            ["text", "note", "error", "title"].iter().any(|kind| template.field("Type") == Some((*kind).into()));
        if !shows_only {
            question.value = template.default_value().map(BString::from);
        }
    }

    fn change(&mut self, command: &[u8], args: &[BString]) -> bool {
        let Some(question) = args.first().and_then(|name| self.questions.get_mut(name)) else { return false };
        let rest = |from: usize| BString::from(bstr::join(" ", args.get(from..).unwrap_or_default()));
        match command {
            b"SET" => question.value = Some(rest(1)),
            b"RESET" => {
                question.value = None;
                question.flags.remove(b"seen".as_bstr());
            }
            b"FSET" => {
                let flag = args.get(1).cloned().unwrap_or_default();
                if args.get(2).is_some_and(|value| value == "true") {
                    question.flags.insert(flag);
                } else {
                    question.flags.remove(&flag);
                }
            }
            _ => {
                question.variables.insert(args.get(1).cloned().unwrap_or_default(), rest(2));
            }
        }
        true
    }

    fn register(&mut self, package: &[u8], args: &[BString]) -> (Code, BString) {
        let [template, name] = args else { return (Code::Syntax, "two arguments are needed".into()) };
        if !self.templates.contains_key(template) {
            return (Code::BadParameters, "no such template".into());
        }
        let question = self.questions.entry(name.clone()).or_default();
        question.template = template.clone();
        question.owners.insert(package.into());
        (Code::Ok, BString::default())
    }

    fn purge(&mut self, package: &[u8]) {
        self.questions.retain(|_, question| {
            question.owners.remove(package.as_bstr());
            !question.owners.is_empty()
        });
        self.loaded.remove(package.as_bstr());
    }

    /// A field of the question's template; `choices-c` is `Choices` in the language C.
    fn metaget(&self, name: &BStr, field: Option<&BString>) -> (Code, BString) {
        let Some(question) = self.question(name) else {
            return (Code::BadParameters, format!("{name} doesn't exist").into());
        };
        let Some(template) = self.templates.get(&question.template) else {
            return (Code::BadParameters, format!("{name} has no template").into());
        };
        let field = field.map(ToString::to_string).unwrap_or_default().to_lowercase();
        let plain = field.strip_suffix("-c").unwrap_or(&field);
        let value = match plain {
            "extended_description" => template.field("Description").map(|text| after_first_line(text).into()),
            "description" => template.field("Description").map(|text| text.lines().next().unwrap_or_default().into()),
            other => template.field(other).map(BString::from),
        };
        match value {
            Some(value) => (Code::Ok, self.substituted(value, question)),
            None => (Code::BadParameters, format!("{field} does not exist").into()),
        }
    }

    fn substituted(&self, text: BString, question: &Question) -> BString {
        question
            .variables
            .iter()
            .fold(text, |text, (name, value)| text.replace([b"${", name.as_slice(), b"}"].concat(), value).into())
    }

    /// Whether any template was loaded.
    pub fn is_used(&self) -> bool {
        !self.templates.is_empty()
    }

    /// debconf's database of templates (`/var/cache/debconf/templates.dat`): fields by name, each on one line.
    pub fn templates_dat(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, template) in &self.templates {
            out.extend(format!("Name: {name}\n").bytes());
            for (field, value) in template.stored_fields() {
                out.extend(format!("{field}: {}\n", escape(&value)).bytes());
            }
            let owners = self.questions.iter().filter(|(_, question)| question.template == *name);
            let owners: Vec<String> = owners.map(|(name, _)| name.to_string()).collect();
            out.extend(format!("Owners: {}\n\n", owners.join(", ")).bytes());
        }
        out
    }

    /// debconf's database of answers, as its Rfc822 format writes it (`/var/cache/debconf/config.dat`).
    pub fn config_dat(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, question) in &self.questions {
            out.extend(format!("Name: {name}\nTemplate: {}\n", question.template).bytes());
            if let Some(value) = &question.value {
                out.extend(format!("Value: {}\n", escape(value)).bytes());
            }
            let owners: Vec<String> = question.owners.iter().map(ToString::to_string).collect();
            out.extend(format!("Owners: {}\n", owners.join(", ")).bytes());
            let flags: Vec<String> = question.flags.iter().map(ToString::to_string).collect();
            if !flags.is_empty() {
                out.extend(format!("Flags: {}\n", flags.join(" ")).bytes());
            }
            if !question.variables.is_empty() {
                out.extend_from_slice(b"Variables:\n");
                question
                    .variables
                    .iter()
                    .for_each(|(name, value)| out.extend(format!(" {name} = {}\n", escape(value)).bytes()));
            }
            out.push(b'\n');
        }
        out
    }
}

fn after_first_line(text: &[u8]) -> &[u8] {
    text.split_once_str("\n").map_or(b"", |(_, rest)| rest)
}

fn escape(text: &[u8]) -> BString {
    text.replace("\\", "\\\\").replace("\n", "\\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(debconf: &mut Debconf, line: &str) -> (Code, String) {
        let words: Vec<BString> = line.split(' ').map(BString::from).collect();
        let (code, text) = debconf.command(b"pkg", &words[0], &words[1..]);
        (code, text.to_string())
    }

    #[test]
    fn defaults_answer_until_something_is_set() {
        let mut debconf = Debconf::default();
        assert!(debconf.load(b"pkg", b"Template: pkg/q\nType: string\nDefault: d\nDescription: Ask ${who}\n Long\n"));
        let check = |debconf: &mut Debconf, line: &str, code, text: &str| {
            assert_eq!(run(debconf, line), (code, text.to_owned()), "{line}");
        };
        check(&mut debconf, "GET pkg/q", Code::Ok, "d");
        check(&mut debconf, "INPUT high pkg/q", Code::Skipped, "question skipped");
        check(&mut debconf, "GO", Code::Ok, "ok");
        check(&mut debconf, "SET pkg/q two words", Code::Ok, "");
        check(&mut debconf, "GET pkg/q", Code::Ok, "two words");
        check(&mut debconf, "FSET pkg/q seen true", Code::Ok, "");
        check(&mut debconf, "FGET pkg/q seen", Code::Ok, "true");
        check(&mut debconf, "SUBST pkg/q who me", Code::Ok, "");
        check(&mut debconf, "METAGET pkg/q description", Code::Ok, "Ask me");
        check(&mut debconf, "RESET pkg/q", Code::Ok, "");
        check(&mut debconf, "GET pkg/q", Code::Ok, "d");
        check(&mut debconf, "GET pkg/none", Code::BadParameters, "pkg/none doesn't exist");
        check(&mut debconf, "PURGE", Code::Ok, "");
        check(&mut debconf, "GET pkg/q", Code::BadParameters, "pkg/q doesn't exist");
    }
}
