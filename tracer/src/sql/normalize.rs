//! Brings a statement to its normalised form, in one pass.
//!
//! Constants become `?`, bind parameters stay, comments go, white space and lists of equal items get one form. The
//! shown form keeps the writer's upper and lower case; the key, which decides about grouping, does not.
//!
//! Two statements that differ only in constants, comments, white space, letter case of unquoted words or the length
//! of a list have the same key. A constant never reaches the output.

use std::ops::Range;

use super::dialect::Dialect;
use super::hints;
use super::keywords::{self, After};
use super::lexer::{Kind, Lexer, Token};
use super::lists::{ListKind, Lists};
use super::operation::Operation;
use super::output::Output;
use super::secrets::Secrets;
use super::slots::Slots;

/// Words longer than this are no keywords.
const MAX_KEYWORD: usize = 16;

/// The token before, as far as it matters to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Start,
    Word(After),
    /// IN, ARRAY or VALUES: a list may begin.
    ListWord(ListKind),
    /// A value that is complete: quoted name, constant, parameter, `*` for all columns.
    Value,
    Quoted,
    Close,
    Open,
    Comma,
    Semicolon,
    /// `.` or `::`
    Joint,
    Colon,
    /// An operator between two values, or whatever belongs nowhere.
    Operator,
    /// An operator before its only value.
    Unary,
}

impl Before {
    /// Does a value come next, so that a sign is unary?
    fn wants_value(self) -> bool {
        match self {
            Self::Word(after) => after.value,
            Self::ListWord(kind) => kind != ListKind::Array,
            Self::Value | Self::Quoted | Self::Close => false,
            _ => true,
        }
    }

    /// Is this word, NULL, TRUE or FALSE in lower case, a constant here?
    fn wants_constant(self, word: &[u8]) -> bool {
        match self {
            Self::Word(after) => after.constant || (after.boolean && word != b"null"),
            Self::Open | Self::Comma | Self::Operator | Self::Unary => true,
            _ => false,
        }
    }
}

/// A sign before a value: it vanishes with the value if that is a constant.
#[derive(Clone, Copy, Debug)]
struct Sign {
    start: usize,
    before: Before,
    /// An odd number of them is minus.
    negative: bool,
}

/// Where the token that is read stands in the statement, should it be a value.
#[derive(Clone, Debug, Default)]
struct Here {
    place: Range<usize>,
    /// Its value is not to be known: it may be a password, or it is not there as a whole.
    unseen: bool,
}

/// Normalises statements into buffers that it keeps.
#[derive(Debug)]
pub(super) struct Normalizer {
    output: Output,
    lists: Lists,
    slots: Slots,
    secrets: Secrets,
    here: Here,
    before: Before,
    sign: Option<Sign>,
    after_hint: bool,
    /// A parenthesis after this name opens a list of columns: `INTO t (a, b)` reads better so.
    names_table: bool,
    depth: u32,
    /// Parameters `?` so far.
    markers: u64,
    dialect: Dialect,
    operation: Operation,
}

impl Normalizer {
    pub(super) fn new() -> Self {
        Self {
            output: Output::default(),
            lists: Lists::default(),
            slots: Slots::default(),
            secrets: Secrets::default(),
            here: Here::default(),
            before: Before::Start,
            sign: None,
            after_hint: false,
            names_table: false,
            depth: 0,
            markers: 0,
            dialect: Dialect::default(),
            operation: Operation::default(),
        }
    }

    /// Normalises one statement. `truncated`: `sql` is only its beginning; the last token is left out where it may
    /// be only a part, so that the result is a beginning of the whole statement's form.
    pub(super) fn run(&mut self, dialect: Dialect, sql: &[u8], truncated: bool) {
        self.output.clear();
        self.lists.clear();
        self.slots.clear();
        self.secrets = Secrets::new(dialect);
        self.dialect = dialect;
        self.operation.clear();
        (self.before, self.sign, self.after_hint) = (Before::Start, None, false);
        (self.depth, self.markers, self.names_table) = (0, 0, false);

        let mut lexer = Lexer::new(dialect, sql);
        while let Some(token) = lexer.next() {
            if token.is_blank() {
                continue;
            }
            if truncated && lexer.offset() >= sql.len() && !is_decided(&token) {
                break;
            }
            // The beginning of a `U&'...'`.
            if truncated && token.is_word("u") && sql.get(lexer.offset()..) == Some(b"&") {
                break;
            }
            if token.kind == Kind::Hint {
                self.hint(dialect, &token);
            } else if !self.token(&token, &mut lexer, truncated) {
                break;
            }
        }
        if truncated {
            if let (Before::Unary, Some(sign)) = (self.before, self.sign) {
                self.output.truncate(sign.start);
            }
            self.lists.cut(&mut self.output, &mut self.slots);
        }
        while self.output.key().ends_with(b";") {
            self.output.truncate(self.output.len() - 1);
        }
        self.slots.finish();
    }

    /// What stands at each position of the form.
    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The folded form: equal for all statements of a group.
    pub(super) fn key(&self) -> &[u8] {
        self.output.key()
    }

    /// The form to show.
    pub(super) fn shown(&self) -> std::borrow::Cow<'_, str> {
        self.output.shown()
    }

    /// First keyword in capitals, or the verb behind a WITH list.
    pub(super) fn operation(&self) -> String {
        self.operation.name()
    }

    /// Writes one token. False: the text was cut so that this token cannot be told.
    fn token<'a>(&mut self, token: &Token<'a>, lexer: &mut Lexer<'a>, truncated: bool) -> bool {
        let end = lexer.offset();
        let secret = self.secrets.pass(token);
        // A constant at the end of a cut text may go on.
        let unseen = secret || token.open || (truncated && lexer.is_at_end());
        self.here = Here { place: end - token.text.len()..end, unseen };
        match token.kind {
            Kind::Space | Kind::Comment | Kind::Hint => {}
            Kind::String { unicode } => {
                // Another escape character than the string itself tells.
                self.here.unseen |= unicode && skip_uescape(lexer);
                self.constant();
            }
            Kind::Number => self.constant(),
            Kind::Quoted if token.open => self.constant(),
            Kind::Quoted => self.name(token.text, false, Before::Quoted),
            Kind::Param if token.text == b"?" => self.marker(),
            Kind::Param => self.param(token.text),
            Kind::Word => self.word(token.text),
            Kind::Operator if token.text == b"?" && self.before.wants_value() => self.placeholder(),
            Kind::Operator if token.text == b"?" => match is_placeholder(lexer) {
                Some(true) => self.placeholder(),
                None if truncated => return false,
                None => self.placeholder(),
                Some(false) => self.operator(token.text),
            },
            Kind::Operator => self.operator(token.text),
            Kind::Punct => self.punct(token.text),
        }
        true
    }

    fn space(&mut self, wanted: bool) {
        if self.output.len() > 0 && (wanted || self.after_hint) {
            self.output.push(b" ");
        }
        self.after_hint = false;
    }

    /// A value or a name follows: space, or none?
    fn space_before_name(&mut self) {
        self.leave_rows();
        let tight = matches!(
            self.before,
            Before::Start | Before::Open | Before::Joint | Before::Colon | Before::Unary
        );
        self.space(!tight);
    }

    /// Anything but a row ends a VALUES list.
    fn leave_rows(&mut self) {
        if self.lists.at(self.depth) == Some(ListKind::Rows) {
            self.lists.close();
        }
    }

    /// A constant that was taken out before dbtap saw the text.
    fn placeholder(&mut self) {
        self.here.unseen = true;
        self.constant();
    }

    fn constant(&mut self) {
        let mut negative = false;
        self.operation.value();
        if let (Before::Unary, Some(sign)) = (self.before, self.sign.take()) {
            self.output.truncate(sign.start);
            self.before = sign.before;
            negative = sign.negative;
        }
        self.leave_rows();
        // A space behind an operator keeps the two apart: `@ ?` is not `@?`.
        let tight = matches!(self.before, Before::Start | Before::Open | Before::Joint | Before::Colon);
        self.space(!tight);
        self.slots.literal(self.output.len(), self.here.place.clone(), negative, self.here.unseen);
        self.output.push(b"?");
        self.before = Before::Value;
    }

    fn name(&mut self, text: &[u8], fold: bool, before: Before) {
        self.operation.value();
        self.space_before_name();
        self.output.push_foreign(text, fold);
        self.before = before;
    }

    fn param(&mut self, text: &[u8]) {
        self.operation.value();
        let digits = text.get(1..).unwrap_or_default();
        let n = digits.iter().fold(0u64, |n, d| n.saturating_mul(10).saturating_add(u64::from(d - b'0')));
        let shown = self.lists.param(n);
        self.space_before_name();
        self.slots.parameter(self.output.len(), shown, n, self.here.unseen);
        self.output.push_param(shown);
        self.before = Before::Value;
    }

    /// A parameter `?` looks as a constant does, so that it does not matter who puts the values in: the server or the
    /// driver.
    fn marker(&mut self) {
        self.operation.value();
        self.leave_rows();
        let tight = matches!(self.before, Before::Start | Before::Open | Before::Joint | Before::Colon);
        self.space(!tight);
        self.markers = self.markers.saturating_add(1);
        self.slots.marker(self.output.len(), self.markers, self.here.unseen);
        self.output.push(b"?");
        self.before = Before::Value;
    }

    fn word(&mut self, text: &[u8]) {
        let mut buffer = [0; MAX_KEYWORD];
        let lower = match buffer.get_mut(..text.len()) {
            Some(lower) => {
                lower.copy_from_slice(text);
                lower.make_ascii_lowercase();
                &*lower
            }
            None => &[],
        };
        self.operation.word(text, lower, self.depth);
        let qualified = self.before == Before::Joint;
        if keywords::is_constant(lower) && self.before.wants_constant(lower) {
            return self.constant();
        }
        if (keywords::is_verb(lower) || lower == b"with")
            && self.lists.at(self.depth) == Some(ListKind::In)
            && self.lists.is_fresh(self.output.len())
        {
            self.lists.close();
        }
        let before = match lower {
            _ if qualified => Before::Word(After::default()),
            b"in" => Before::ListWord(ListKind::In),
            b"array" => Before::ListWord(ListKind::Array),
            b"values" => Before::ListWord(ListKind::Rows),
            _ if self.dialect != Dialect::Postgresql => self.before_mysql(lower),
            _ => Before::Word(keywords::after(lower)),
        };
        self.names_table = match before {
            _ if matches!(lower, b"into" | b"table") => true,
            Before::Word(after) => self.names_table && !after.space,
            _ => false,
        };
        // The host of an account: 'user'@localhost.
        if text.first() == Some(&b'@') && matches!(self.before, Before::Value | Before::Quoted) {
            self.before = Before::Joint;
        }
        self.name(text, true, before);
    }

    /// What a word of MySQL is to the token behind it. VALUE is VALUES only where it cannot be a name.
    fn before_mysql(&self, lower: &[u8]) -> Before {
        match lower {
            b"value" if self.before == Before::Close => Before::ListWord(ListKind::Rows),
            _ => Before::Word(keywords::after_mysql(lower)),
        }
    }

    fn operator(&mut self, text: &[u8]) {
        self.leave_rows();
        let unary = self.before.wants_value();
        let all_columns = text == b"*" && unary && !matches!(self.before, Before::Operator | Before::Unary);
        let start = self.output.len();
        let before = self.before;
        self.space(!matches!(self.before, Before::Start | Before::Open | Before::Joint));
        self.output.push(text);
        self.before = match unary {
            _ if all_columns => Before::Value,
            true => Before::Unary,
            false => Before::Operator,
        };
        let is_sign = self.before == Before::Unary && matches!(text, b"-" | b"+");
        self.sign = match self.sign {
            // A further sign: all of them go with the constant.
            Some(sign) if is_sign && before == Before::Unary => {
                Some(Sign { negative: sign.negative ^ (text == b"-"), ..sign })
            }
            _ => is_sign.then_some(Sign { start, before, negative: text == b"-" }),
        };
    }

    fn punct(&mut self, text: &[u8]) {
        match text {
            b"(" | b"[" => self.open(text),
            b")" | b"]" => self.close(text),
            b"," => self.comma(),
            b";" if matches!(self.before, Before::Start | Before::Semicolon) => {}
            b";" => {
                self.leave_rows();
                self.output.push(text);
                self.before = Before::Semicolon;
            }
            b"." | b"::" => self.joint(text, Before::Joint),
            b":" => self.joint(text, Before::Colon),
            b"@" | b"@@" => self.at_sign(text),
            _ => {
                self.leave_rows();
                self.space(self.before != Before::Start);
                self.output.push_foreign(text, false);
                self.before = Before::Operator;
            }
        }
    }

    /// Before a name in quotes: of a variable, or of a host behind that of an account.
    fn at_sign(&mut self, text: &[u8]) {
        if !matches!(self.before, Before::Value | Before::Quoted) {
            self.space_before_name();
        }
        self.output.push(text);
        self.before = Before::Joint;
    }

    fn joint(&mut self, text: &[u8], before: Before) {
        self.leave_rows();
        self.space(self.before == Before::Colon || (self.before == Before::Joint && text != b"."));
        self.output.push(text);
        self.before = before;
    }

    fn open(&mut self, text: &[u8]) {
        let start = self.output.len();
        let round = text == b"(";
        let names_table = std::mem::take(&mut self.names_table);
        let tight = match self.before {
            Before::Word(_) | Before::Quoted if round && names_table => false,
            Before::Start | Before::Open | Before::Joint | Before::Colon | Before::Unary | Before::Quoted => {
                true
            }
            Before::Word(after) => !round || !after.space,
            Before::ListWord(kind) => !round && kind == ListKind::Array,
            Before::Value | Before::Close => !round,
            _ => false,
        };
        let within = self.lists.at(self.depth);
        if within == Some(ListKind::Rows) && !(round && self.before == Before::Comma) {
            self.lists.close();
        }
        if round && self.before == Before::ListWord(ListKind::Rows) {
            self.lists.open(ListKind::Rows, self.depth, start);
        }
        self.space(!tight);
        self.output.push(text);
        self.depth = self.depth.saturating_add(1);
        let len = self.output.len();
        match self.before {
            Before::ListWord(ListKind::In) if round => self.lists.open(ListKind::In, self.depth, len),
            Before::ListWord(ListKind::Array) if !round => self.lists.open(ListKind::Array, self.depth, len),
            Before::Open | Before::Comma if !round && within == Some(ListKind::Array) => {
                self.lists.open(ListKind::Array, self.depth, len);
            }
            _ => {}
        }
        self.before = Before::Open;
    }

    fn close(&mut self, text: &[u8]) {
        self.leave_rows();
        if self.lists.at(self.depth).is_some() {
            self.lists.end_item(&mut self.output, &mut self.slots);
            self.lists.close();
        }
        self.space(false);
        self.output.push(text);
        self.depth = self.depth.saturating_sub(1);
        self.before = Before::Close;
        if self.lists.at(self.depth) == Some(ListKind::Rows) {
            self.lists.end_item(&mut self.output, &mut self.slots);
        }
    }

    fn comma(&mut self) {
        let list = self.lists.at(self.depth);
        if list == Some(ListKind::Rows) && self.before != Before::Close {
            self.lists.close();
        } else if list.is_some_and(|kind| kind != ListKind::Rows) {
            self.lists.end_item(&mut self.output, &mut self.slots);
        }
        self.space(false);
        self.output.push(b",");
        self.before = Before::Comma;
        if self.lists.at(self.depth).is_some() {
            self.lists.start_item(self.output.len());
        }
    }

    /// A hint stands where it stood.
    fn hint(&mut self, dialect: Dialect, token: &Token<'_>) {
        if token.open {
            return;
        }
        self.space(self.before != Before::Start);
        hints::write(dialect, token, &mut self.output);
        self.after_hint = true;
    }
}

/// Is the last token of a cut text known for what it is? A constant is one from its first byte on; a word may go on.
fn is_decided(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::String { .. } | Kind::Number => true,
        Kind::Param => token.text == b"?",
        Kind::Punct => matches!(token.text, b"(" | b")" | b"[" | b"]" | b"," | b";"),
        _ => false,
    }
}

/// A `?` behind a value: the operator of jsonb, or, in text that was normalised before, a constant? None: cut.
fn is_placeholder(lexer: &Lexer<'_>) -> Option<bool> {
    let next = lexer.clone().next_solid()?;
    Some(match next.kind {
        Kind::Operator => next.text != b"?",
        Kind::Punct => !matches!(next.text, b"(" | b"["),
        Kind::Word => keywords::after(&next.text.to_ascii_lowercase()).space,
        _ => false,
    })
}

/// `UESCAPE 'c'` belongs to the constant before it. True: it is there.
fn skip_uescape(lexer: &mut Lexer<'_>) -> bool {
    let mut ahead = lexer.clone();
    if !ahead.next_solid().is_some_and(|t| t.is_word("uescape")) {
        return false;
    }
    *lexer = ahead.clone();
    if ahead.next_solid().is_some_and(|t| matches!(t.kind, Kind::String { .. })) {
        *lexer = ahead;
    }
    true
}
