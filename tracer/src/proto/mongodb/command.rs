//! What a request asks for: its statement with values, and what of it decides how its answers are read.
//!
//! Of commands that may carry secrets nothing but the name is read; of SCRAM's first message only the user.

use super::bson::{Element, Elements, kind};
use super::message::{self, Section, Sections, flag};
use super::names;
use super::shape::Shape;
use super::verbs::{How, Part, Verb, verb};

/// Of a command, so many fields can be shown.
const MOST_PARTS: usize = 8;
/// A longer name is no command.
const LONGEST_COMMAND_BYTES: usize = 48;
/// Shown of a namespace. Servers allow 255 bytes.
const MOST_NAMESPACE_BYTES: usize = 255;

/// What was read of a command beside its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// The length of the operation's name at the beginning of the text; 0: there is no statement.
    pub operation_bytes: usize,
    /// The database stands in the text, or none does.
    pub knows_database: bool,
    /// `hello`, under any of its names.
    pub hello: bool,
    /// The server answers when something changes, or after the time that the client allows.
    pub awaits: bool,
    /// A hello of the application itself: what watches a server has no session.
    pub in_session: bool,
    /// The hello of a handshake: tells who the client is, or begins an authentication.
    pub handshake: bool,
    /// The server waits for new documents.
    pub waits_by_design: bool,
    /// The answer's `n` is the result itself, no number of documents.
    pub counts: bool,
    /// The user that it authenticates.
    pub user: Option<String>,
    /// Its message holds a secret.
    pub secret: bool,
}

/// Where a field's value is.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Element(Element<'a>),
    Sequence { documents: &'a [u8], cut: bool },
}

/// The fields of a command that matter.
#[derive(Default)]
struct Fields<'a> {
    parts: [Option<Source<'a>>; MOST_PARTS],
    database: &'a [u8],
    collection: &'a [u8],
}

/// Reads the body of OP_MSG.
pub(super) fn read_message(body: &[u8], body_bytes: u64, shape: &mut Shape<'_>) -> Command {
    let sections = Sections::new(body, body_bytes);
    let Some(document) = sections.clone().find_map(|section| match section {
        Section::Body(document) => Some(document),
        Section::Sequence { .. } => None,
    }) else {
        return Command::default();
    };
    read(document, Some(sections), b"", shape)
}

/// Reads the body of OP_QUERY on a `$cmd` collection. None: it is a query on another one.
pub(super) fn read_query(body: &[u8], shape: &mut Shape<'_>) -> Option<Command> {
    let (namespace, document) = message::query(body)?;
    let database = namespace.strip_suffix(b".$cmd")?;
    Some(read(document, None, database, shape))
}

/// No answer will come.
pub(super) fn is_unanswered(body: &[u8]) -> bool {
    message::flags(body) & flag::MORE_TO_COME != 0
}

fn read(document: &[u8], sections: Option<Sections<'_>>, database: &[u8], shape: &mut Shape<'_>) -> Command {
    let mut command = Command::default();
    let mut elements = Elements::new(document);
    // Old drivers wrap a command to send a read preference with it.
    let first = match elements.next() {
        Some(element) if element.name == b"$query" && element.kind == kind::DOCUMENT => {
            elements = Elements::new(element.value);
            elements.next()
        }
        first => first,
    };
    let Some(first) = first.filter(|first| is_command(first.name)) else { return command };
    let verb = verb(first.name);
    let parts = match verb {
        Verb::Collection(parts) | Verb::GetMore(parts) => parts,
        _ => &[],
    };
    let mut fields = Fields { database, ..Fields::default() };
    if matches!(verb, Verb::Collection(_)) {
        fields.collection = first.text().unwrap_or_default();
    }
    command.hello = verb == Verb::Hello;
    command.counts = first.name == b"count";
    command.secret = verb == Verb::SaslStart || verb == Verb::Other;
    let (mut knows_topology, mut waits, mut scram) = (false, false, false);
    for element in elements.by_ref() {
        match element.name {
            b"$db" => fields.database = element.text().unwrap_or_default(),
            b"collection" if matches!(verb, Verb::GetMore(_)) => {
                fields.collection = element.text().unwrap_or_default();
            }
            b"topologyVersion" if command.hello => knows_topology = true,
            b"maxAwaitTimeMS" if command.hello => waits = true,
            b"lsid" if command.hello => command.in_session = true,
            b"client" if command.hello => command.handshake = true,
            b"speculativeAuthenticate" if command.hello => {
                command.handshake = true;
                command.secret = true;
                command.user = speculative_user(&element);
            }
            b"mechanism" if verb == Verb::SaslStart => scram = is_scram(&element),
            b"payload" if verb == Verb::SaslStart && scram => command.user = scram_user(&element),
            name => {
                if let Some(n) = parts.iter().position(|part| part.field == name)
                    && let Some(place) = fields.parts.get_mut(n)
                {
                    *place = Some(Source::Element(element));
                }
            }
        }
    }
    let elements_cut = elements.is_cut();
    shape.cut |= elements_cut && !parts.is_empty();
    command.waits_by_design = matches!(verb, Verb::GetMore(_)) && fields.parts[0].is_some();
    command.awaits = knows_topology && waits;
    if let Some(mut sections) = sections.filter(|_| !parts.is_empty()) {
        for section in sections.by_ref() {
            if let Section::Sequence { name, documents, cut } = section
                && let Some(n) = parts.iter().position(|part| part.field == name)
                && let Some(place) = fields.parts.get_mut(n)
            {
                *place = Some(Source::Sequence { documents, cut });
            }
        }
        let missing = fields.parts.iter().zip(parts).any(|(found, part)| found.is_none() && part.is_array());
        shape.cut |= sections.is_cut() && missing;
    }
    command.knows_database = !fields.database.is_empty() || !elements_cut;
    shape.push(first.name);
    command.operation_bytes = first.name.len();
    if verb == Verb::Explain && first.kind == kind::DOCUMENT {
        shape.push(b" ");
        // Once: an explained explain shows no more than its name.
        explained(first.value, fields.database, shape);
        return command;
    }
    if !command.hello && verb != Verb::SaslStart {
        namespace(&fields, shape);
    }
    for (part, source) in parts.iter().zip(&fields.parts) {
        if let Some(source) = source {
            show(part, source, shape);
        }
    }
    command
}

/// A command inside another one: its fields are elements only.
fn explained(document: &[u8], database: &[u8], shape: &mut Shape<'_>) {
    let is_explain = Elements::new(document).next().is_some_and(|first| first.name == b"explain");
    if !is_explain {
        read(document, None, database, shape);
    }
}

impl Part {
    /// Drivers send it as a section of its own.
    fn is_array(&self) -> bool {
        matches!(self.how, How::First(_) | How::Number)
    }
}

/// ` database.collection`, as far as known. `admin` says nothing.
fn namespace(fields: &Fields<'_>, shape: &mut Shape<'_>) {
    let (database, collection) = (fields.database, fields.collection);
    if collection.is_empty() && (database.is_empty() || database == b"admin") {
        return;
    }
    shape.push(b" ");
    shape.push(database.get(..MOST_NAMESPACE_BYTES).unwrap_or(database));
    if !database.is_empty() && !collection.is_empty() {
        shape.push(b".");
    }
    shape.push(collection.get(..MOST_NAMESPACE_BYTES).unwrap_or(collection));
}

fn show(part: &Part, source: &Source<'_>, shape: &mut Shape<'_>) {
    match (part.how, source) {
        (How::Shape, Source::Element(element)) => {
            shape.push(b" ");
            shape.push(part.label);
            shape.value(element, false, 0);
        }
        (How::Name, Source::Element(element)) => {
            shape.push(b" ");
            shape.name(element.text().unwrap_or_default());
        }
        (How::Flag, Source::Element(element)) => {
            if element.is_true() {
                shape.push(b" ");
                shape.push(part.label);
            }
        }
        (How::First(parts), source) => {
            shape.push(b" {");
            match source {
                Source::Sequence { documents, .. } => first(parts, documents, shape),
                Source::Element(array) => match Elements::new(array.value).next() {
                    Some(element) => first(parts, element.value, shape),
                    None => shape.cut |= array.cut,
                },
            }
            shape.push(b"}");
        }
        (How::Number, source) => {
            let documents = number_of_documents(source);
            shape.push(b" [");
            shape.place(|extractor, _| match documents {
                Some(count) => extractor.array(count, &count.to_le_bytes()),
                None => crate::value::Value::UNSEEN,
            });
            shape.push(b"]");
        }
        (_, Source::Sequence { .. }) => {}
    }
}

/// Parts of one document, in the order of the parts.
fn first(parts: &[Part], document: &[u8], shape: &mut Shape<'_>) {
    let mut found = [None; MOST_PARTS];
    let mut elements = Elements::new(document);
    for element in elements.by_ref() {
        if let Some(n) = parts.iter().position(|part| part.field == element.name)
            && let Some(place) = found.get_mut(n)
        {
            *place = Some(element);
        }
    }
    shape.cut |= elements.is_cut();
    let mut separator: &[u8] = b"";
    for (part, element) in parts.iter().zip(found) {
        let Some(element) = element else { continue };
        match part.how {
            How::Flag if element.is_true() => {
                shape.push(separator);
                shape.push(part.label);
            }
            How::Flag => continue,
            _ => {
                shape.push(separator);
                shape.push(part.label);
                shape.value(&element, false, 1);
            }
        }
        separator = b", ";
    }
}

/// None: not all of them are known.
fn number_of_documents(source: &Source<'_>) -> Option<usize> {
    match source {
        Source::Element(array) => {
            let mut elements = Elements::new(array.value);
            let count = elements.by_ref().count();
            (!elements.is_cut()).then_some(count)
        }
        Source::Sequence { documents, cut: false } => {
            let (mut rest, mut count) = (*documents, 0);
            while let Some(len) = message::length(rest, 0).filter(|len| *len >= 5) {
                rest = rest.get(len..)?;
                count += 1;
            }
            rest.is_empty().then_some(count)
        }
        Source::Sequence { .. } => None,
    }
}

fn is_command(name: &[u8]) -> bool {
    (1..=LONGEST_COMMAND_BYTES).contains(&name.len())
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && name.iter().filter(|byte| byte.is_ascii_digit()).count() < 4
        && !names::is_secret(name)
}

fn is_scram(mechanism: &Element<'_>) -> bool {
    mechanism.text().is_some_and(|name| name.starts_with(b"SCRAM-"))
}

/// The user of `speculativeAuthenticate`, which is a saslStart inside a hello.
fn speculative_user(document: &Element<'_>) -> Option<String> {
    let mut scram = false;
    for element in Elements::new(document.value) {
        match element.name {
            b"mechanism" => scram = is_scram(&element),
            b"payload" if scram => return scram_user(&element),
            _ => {}
        }
    }
    None
}

/// The user of SCRAM's first message: `n,,n=USER,r=NONCE` (RFC 5802, section 7). It holds no secret.
fn scram_user(payload: &Element<'_>) -> Option<String> {
    if payload.kind != kind::BINARY || payload.cut {
        return None;
    }
    let message = payload.value.get(5..)?.strip_prefix(b"n,,n=")?;
    let name = message.split(|byte| *byte == b',').next()?;
    let name = std::str::from_utf8(name.get(..MOST_NAMESPACE_BYTES).unwrap_or(name)).ok()?;
    Some(name.replace("=2C", ",").replace("=3D", "="))
}
