//! The table of texts: what is equal after normalising is one entry.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::dialect::Dialect;
use super::id::text_id;
use super::layout::{LayoutId, Layouts};
use super::normalize::Normalizer;
use super::output::printable;
use super::read::{Reader, Sent};
use super::recent::Recent;
use super::slots::Position;
use crate::time::Nanos;
use crate::value::{Extractor, Value};

/// How many known texts with the same beginning are looked at for a cut text.
const MAX_CANDIDATES: usize = 64;
/// A name of a prepared statement is shown up to this length, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// A normalised statement text, interned in [`Texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub u32);

/// A text, and where its values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interned {
    /// The text.
    pub text: TextId,
    /// Its positions, for [`Texts::assemble`].
    pub layout: LayoutId,
}

/// How a text came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// Normalised from text that was seen.
    Seen,
    /// `(prepared before capture) NAME`: only the name is known.
    PreparedBefore,
    /// No text by nature, for instance a function call or `(other)`.
    Label,
}

/// One interned text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Normalised text, or a label in parentheses. Safe for a terminal. Ends with `…` when `truncated`.
    pub text: String,
    /// First keyword in capitals: `SELECT`, `INSERT`, ... (OpenTelemetry `db.operation.name`). Behind a WITH list the
    /// main verb. Empty where there is none.
    pub operation: String,
    /// How it came to be.
    pub kind: TextKind,
    /// The original was cut, so `text` may lack its end.
    pub truncated: bool,
    /// The request waits by design, until something happens (Redis' BLPOP): its latency says nothing of the server's speed.
    pub waits_by_design: bool,
    /// Stable identity: the same for the same normalised text on every host; letter case of unquoted words does not
    /// matter. 64-bit FNV-1a of `text` with unquoted words in lower case. Reports print it as 16 hex digits.
    pub id: u64,
    /// What stands where: the first 256 positions, a parameter once, where it first stands. Empty where the text is not
    /// known: position n is then parameter n + 1.
    pub positions: Box<[Position]>,
}

/// A request in a language without literals of its own, brought to its pattern by its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Its name in capitals (OpenTelemetry `db.operation.name`).
    pub operation: &'a str,
    /// The whole text with values removed, any bytes. The values that go with it are by position: the n-th one is that of
    /// the n-th place where the text lost one.
    pub text: &'a [u8],
    /// As [`Text::waits_by_design`].
    pub waits_by_design: bool,
}

/// All distinct texts of a capture, bounded: past the limit every new text becomes [`Texts::OTHER`].
#[derive(Debug)]
pub struct Texts {
    texts: Vec<Text>,
    /// Whole statements by their folded form.
    whole: BTreeMap<Box<[u8]>, TextId>,
    /// Cut statements by the folded form of what is left.
    cut: BTreeMap<Box<[u8]>, TextId>,
    /// Commands by their text.
    commands: HashMap<Box<[u8]>, TextId, foldhash::quality::RandomState>,
    /// Commands that were cut and are known as whole ones.
    cut_commands: HashMap<Box<[u8]>, TextId, foldhash::quality::RandomState>,
    /// Everything that is no statement.
    labels: HashMap<(TextKind, String), TextId>,
    recent: Recent,
    normalizer: Normalizer,
    reader: Reader,
    layouts: Layouts,
    extractor: Extractor,
    literals: Vec<Value>,
    passes_over_values: bool,
    limit: usize,
    overflowed: u64,
}

impl Texts {
    /// The text that stands for all texts past the limit: `(other)`.
    pub const OTHER: TextId = TextId(0);

    /// Keeps at most `limit` distinct texts. Features of literals get a random key.
    pub fn new(limit: usize) -> Self {
        Self::with_extractor(limit, Extractor::default())
    }

    /// Keeps at most `limit` distinct texts; `extractor` makes the features of their literals.
    pub fn with_extractor(limit: usize, extractor: Extractor) -> Self {
        let mut texts = Self {
            texts: Vec::new(),
            whole: BTreeMap::new(),
            cut: BTreeMap::new(),
            commands: HashMap::default(),
            cut_commands: HashMap::default(),
            labels: HashMap::new(),
            recent: Recent::default(),
            normalizer: Normalizer::new(),
            reader: Reader::default(),
            layouts: Layouts::default(),
            extractor,
            literals: Vec::new(),
            passes_over_values: false,
            limit: limit.max(1),
            overflowed: 0,
        };
        texts.label("(other)");
        texts
    }

    /// No features are made of values from now on: every statement has none.
    pub fn pass_over_values(&mut self) {
        self.passes_over_values = true;
    }

    /// Whether features are made of values.
    pub fn passes_over_values(&self) -> bool {
        self.passes_over_values
    }

    /// As [`Texts::intern`], where the values do not matter.
    pub fn intern_sql(&mut self, sql: &[u8], truncated: bool) -> TextId {
        self.intern(Dialect::Postgresql, sql, truncated, Nanos::default()).text
    }

    /// Interns one SQL statement, literals removed; [`Texts::literals`] has their features. `truncated`: `sql` is only
    /// the beginning of it. `at`: when it was sent.
    ///
    /// A cut statement gets the id of the only known whole statement that begins with what is left of it. Otherwise it
    /// joins a cut statement: the only one that continues it, or the longest one that it continues. (Where the limit
    /// cuts depends on the length of the literals before, which must not decide about the group.) Else it is a text of
    /// its own, and stays one when the whole statement is seen later. A statement without any token is `(empty)`.
    ///
    /// The positions of a cut statement are those that are left of it: fewer than its text has, or more where that is
    /// the text of one that was cut earlier. A value that may be a password, that the cut may
    /// have shortened, or whose list was cut is [`Value::UNSEEN`].
    pub fn intern(&mut self, dialect: Dialect, sql: &[u8], truncated: bool, at: Nanos) -> Interned {
        self.literals.clear();
        let raw = self.recent.raw(dialect, sql, truncated);
        if let Some((interned, literals)) = self.recent.get(raw) {
            self.literals.extend_from_slice(literals);
            return interned;
        }
        self.normalizer.run(dialect, sql, truncated);
        let text = match (truncated, self.normalizer.key().is_empty()) {
            (false, true) => self.intern_label(TextKind::Label, "(empty)".to_owned()),
            (false, false) => self.intern_whole(),
            (true, _) => self.intern_cut(),
        };
        // Texts past the limit stay countable, and their values have nothing in common.
        if text == Self::OTHER {
            return Interned { text, layout: LayoutId::NOTHING };
        }
        let layout = if self.passes_over_values {
            LayoutId::NOTHING
        } else {
            self.reader.read(self.normalizer.slots(), Sent { dialect, sql, at }, &mut self.extractor);
            self.literals.extend_from_slice(self.reader.literals());
            self.layouts.intern(self.reader.parts(), !truncated)
        };
        let interned = Interned { text, layout };
        self.recent.insert(raw, interned, &self.literals);
        interned
    }

    /// Interns a command. Its values are those of its positions, in order ([`LayoutId::PARAMETERS`]).
    pub fn intern_command(&mut self, command: Command<'_>) -> TextId {
        if let Some(id) = self.commands.get(command.text) {
            return *id;
        }
        let id = self.add(Text {
            text: printable(command.text),
            operation: command.operation.to_owned(),
            kind: TextKind::Seen,
            truncated: false,
            waits_by_design: command.waits_by_design,
            id: text_id(command.text),
            positions: Box::default(),
        });
        if let Some(id) = id {
            self.commands.insert(command.text.into(), id);
        }
        id.unwrap_or(Self::OTHER)
    }

    /// The text id of a command that was cut: that of the only known whole text that `fits` says may be its own, else one of
    /// its own. Once decided it stays.
    pub fn intern_cut_command(&mut self, command: Command<'_>, fits: impl Fn(&[u8]) -> bool) -> TextId {
        if let Some(id) = self.commands.get(command.text).or_else(|| self.cut_commands.get(command.text)) {
            return *id;
        }
        let is_whole = |text: &[u8]| !text.ends_with("…".as_bytes());
        let mut whole = self.commands.iter().filter(|(text, _)| is_whole(text) && fits(text));
        let only = whole.next().map(|(_, id)| *id).filter(|_| whole.next().is_none());
        match only {
            Some(id) => {
                if self.cut_commands.len() < self.limit {
                    self.cut_commands.insert(command.text.into(), id);
                }
                id
            }
            None => self.intern_command(command),
        }
    }

    /// The literals of the text that was interned last, for [`Texts::assemble`]: one for each position of a literal, in
    /// their order. The literals of a list are one; only those in a list together with parameters are one by one.
    pub fn literals(&self) -> &[Value] {
        &self.literals
    }

    /// Appends the values of an execution, one for each position: `parameters` are those of the execution in their
    /// order, `literals` those that [`Texts::literals`] gave with the layout.
    ///
    /// Where several parameters or literals stand at one position, [`Extractor::list`] makes a value of them; those
    /// behind the 65,535th are left out. A parameter that is missing is [`Value::UNSEEN`]. With
    /// [`LayoutId::PARAMETERS`], the parameters come as they are. There are never more than 256 values.
    pub fn assemble(
        &mut self,
        layout: LayoutId,
        parameters: &[Value],
        literals: &[Value],
        out: &mut Vec<Value>,
    ) {
        self.layouts.assemble(layout, parameters, literals, &mut self.extractor, out);
    }

    /// How often a statement's layout was new and found their table full, so that it became [`LayoutId::NOTHING`].
    pub fn layouts_overflowed(&self) -> u64 {
        self.layouts.overflowed()
    }

    /// What makes features of values.
    pub fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    /// As [`Texts::extractor`], to make them.
    pub fn extractor_mut(&mut self) -> &mut Extractor {
        &mut self.extractor
    }

    /// Interns `(prepared before capture) NAME`; an empty name is the unnamed statement.
    pub fn intern_prepared_before(&mut self, name: &[u8]) -> TextId {
        let mut shown = printable(name.get(..MAX_NAME_BYTES).unwrap_or(name));
        if name.len() > MAX_NAME_BYTES {
            shown.push('…');
        }
        let text = format!("(prepared before capture) {shown}");
        self.intern_label(TextKind::PreparedBefore, text.trim_end().to_owned())
    }

    /// Interns a label for a request without text, in parentheses.
    pub fn label(&mut self, label: &'static str) -> TextId {
        self.intern_label(TextKind::Label, label.to_owned())
    }

    /// The text of an id. Ids of another table give [`Texts::OTHER`]'s text.
    pub fn get(&self, id: TextId) -> &Text {
        let index = usize::try_from(id.0).unwrap_or(0);
        self.texts.get(index).unwrap_or(&self.texts[0])
    }

    /// How often a new text found the table full and became [`Texts::OTHER`].
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    fn intern_label(&mut self, kind: TextKind, text: String) -> TextId {
        let key = (kind, text);
        if let Some(id) = self.labels.get(&key) {
            return *id;
        }
        let text = key.1.clone();
        let id = text_id(text.as_bytes());
        let id = self.add(Text {
            text,
            operation: String::new(),
            kind,
            truncated: false,
            waits_by_design: false,
            id,
            positions: Box::default(),
        });
        if let Some(id) = id {
            self.labels.insert(key, id);
        }
        id.unwrap_or(Self::OTHER)
    }

    fn intern_whole(&mut self) -> TextId {
        let key = self.normalizer.key();
        if let Some(id) = self.whole.get(key) {
            return *id;
        }
        let key: Box<[u8]> = key.into();
        let text = self.normalizer.shown().into_owned();
        let id = self.add_seen(text, &key, false);
        if let Some(id) = id {
            self.whole.insert(key, id);
        }
        id.unwrap_or(Self::OTHER)
    }

    fn intern_cut(&mut self) -> TextId {
        let key = self.normalizer.key();
        let known = self.cut.get(key).copied();
        if let Some(id) = known.or_else(|| only_continuation(&self.whole, key)) {
            return id;
        }
        if let Some(id) = only_continuation(&self.cut, key).or_else(|| longest_beginning(&self.cut, key)) {
            return id;
        }
        let key: Box<[u8]> = key.into();
        let mut text = self.normalizer.shown().into_owned();
        let mut folded = key.to_vec();
        let end = if text.is_empty() || text.ends_with(['(', '[', '.']) { "…" } else { " …" };
        text.push_str(end);
        folded.extend_from_slice(end.as_bytes());
        let id = self.add_seen(text, &folded, true);
        if let Some(id) = id {
            self.cut.insert(key, id);
        }
        id.unwrap_or(Self::OTHER)
    }

    fn add_seen(&mut self, text: String, folded: &[u8], truncated: bool) -> Option<TextId> {
        let operation = self.normalizer.operation();
        self.add(Text {
            text,
            operation,
            kind: TextKind::Seen,
            truncated,
            waits_by_design: false,
            id: text_id(folded),
            positions: self.normalizer.slots().positions(),
        })
    }

    /// None: the table is full, which is counted.
    fn add(&mut self, text: Text) -> Option<TextId> {
        let next = u32::try_from(self.texts.len()).ok().filter(|_| self.texts.len() < self.limit);
        match next {
            Some(_) => self.texts.push(text),
            None => self.overflowed = self.overflowed.saturating_add(1),
        }
        next.map(TextId)
    }
}

/// The only entry whose key begins with `key`.
fn only_continuation(entries: &BTreeMap<Box<[u8]>, TextId>, key: &[u8]) -> Option<TextId> {
    if key.is_empty() {
        return None;
    }
    let from = (Bound::Included(key), Bound::Unbounded);
    let mut found = None;
    for (n, (other, id)) in entries.range::<[u8], _>(from).enumerate() {
        if !other.starts_with(key) {
            break;
        }
        if n >= MAX_CANDIDATES {
            return None;
        }
        if continues(key, other) && found.replace(*id).is_some() {
            return None;
        }
    }
    found
}

/// The longest entry that `key` begins with, and that is at least half of it: less would say little.
fn longest_beginning(entries: &BTreeMap<Box<[u8]>, TextId>, key: &[u8]) -> Option<TextId> {
    // A range from nothing to nothing with both ends left out panics.
    if key.is_empty() {
        return None;
    }
    let until = (Bound::Excluded(&[][..]), Bound::Excluded(key));
    // Sorted order: beginnings of `key` come before it, longest last, with others between.
    let mut before = entries.range::<[u8], _>(until).rev().take(MAX_CANDIDATES);
    let alike =
        |other: &[u8]| other.len() * 2 >= key.len() && key.starts_with(other) && continues(other, key);
    before.find(|(other, _)| alike(other)).map(|(_, id)| *id)
}

/// `whole` begins with `part`: does `part` end at the edge of a token?
fn continues(part: &[u8], whole: &[u8]) -> bool {
    let in_word =
        |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80 || b"_$\\\"".contains(b));
    !(in_word(part.last()) && in_word(whole.get(part.len())))
}
