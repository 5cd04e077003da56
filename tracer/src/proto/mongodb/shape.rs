//! The shape of a document: its field names in their order, with `?` in place of every value.
//!
//! Each `?` of the text has its value at the same position among the values, where values are wanted. Equal items of an array
//! that stand side by side are shown as one; their values are one list. Never puts a value into the text.

use super::bson::{Element, Elements, kind};
use super::names;
use crate::time::Nanos;
use crate::value::{Extractor, Value};

/// Documents deeper than this are shown as `{…}`.
const MOST_DEPTH: u8 = 12;
/// Fields shown of one document; more are `…`.
const MOST_FIELDS: usize = 64;
/// A text that has grown over this ends there.
const MOST_TEXT_BYTES: usize = 2048;

/// A text under construction, with its values.
pub(super) struct Shape<'t> {
    pub text: &'t mut Vec<u8>,
    pub values: &'t mut Vec<Value>,
    /// None: values are not wanted.
    pub extractor: Option<&'t mut Extractor>,
    /// When it was sent.
    pub at: Nanos,
    /// Something of it is missing.
    pub cut: bool,
}

/// Items of an array that have been shown as one.
struct Run {
    /// Where its text stands.
    from: usize,
    to: usize,
    /// Where its values stand, and how many an item has.
    values: usize,
    width: usize,
    items: usize,
}

impl Shape<'_> {
    pub fn push(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// A place for a value, and the value.
    pub fn place(&mut self, value: impl FnOnce(&mut Extractor, Nanos) -> Value) {
        self.text.push(b'?');
        if let Some(extractor) = self.extractor.as_deref_mut() {
            self.values.push(value(extractor, self.at));
        }
    }

    /// A field's name.
    pub fn name(&mut self, name: &[u8]) {
        names::push(name, self.at, self.text, self.values, self.extractor.as_deref_mut());
    }

    fn is_full(&self) -> bool {
        self.text.len() >= MOST_TEXT_BYTES
    }

    /// Any value: a document's or an array's shape, or a place. `hidden`: it is a secret.
    pub fn value(&mut self, element: &Element<'_>, hidden: bool, depth: u8) {
        match element.kind {
            kind::DOCUMENT => self.document(element.value, hidden, depth),
            kind::ARRAY => self.array(element.value, hidden, depth),
            _ if hidden => self.place(|_, _| Value::UNSEEN),
            _ => self.place(|extractor, at| element.value(at, extractor)),
        }
        self.cut |= element.cut;
    }

    /// The document that begins with these bytes.
    pub fn document(&mut self, bytes: &[u8], hidden: bool, depth: u8) {
        if depth >= MOST_DEPTH {
            return self.push("{…}".as_bytes());
        }
        self.push(b"{");
        let mut elements = Elements::new(bytes);
        for (fields, element) in elements.by_ref().enumerate() {
            if fields > 0 {
                self.push(b", ");
            }
            if fields >= MOST_FIELDS || self.is_full() {
                self.push("…".as_bytes());
                return self.push(b"}");
            }
            self.name(element.name);
            self.push(b": ");
            self.value(&element, hidden || names::is_secret(element.name), depth + 1);
        }
        self.cut |= elements.is_cut();
        self.push(b"}");
    }

    /// The array that begins with these bytes.
    pub fn array(&mut self, bytes: &[u8], hidden: bool, depth: u8) {
        if depth >= MOST_DEPTH {
            return self.push("[…]".as_bytes());
        }
        self.push(b"[");
        let mut elements = Elements::new(bytes);
        let mut run: Option<Run> = None;
        for element in elements.by_ref() {
            let separator = self.text.len();
            if run.is_some() {
                self.push(b", ");
            }
            if self.is_full() {
                self.push("…".as_bytes());
                break;
            }
            let (from, values) = (self.text.len(), self.values.len());
            self.value(&element, hidden, depth + 1);
            let width = self.values.len() - values;
            if let Some(run) = &mut run
                && run.width == width
                && self.text.get(run.from..run.to) == self.text.get(from..)
            {
                run.items += 1;
                self.text.truncate(separator);
                continue;
            }
            let new = Run { from, to: self.text.len(), values, width, items: 1 };
            if let Some(old) = run.replace(new) {
                let gone = self.join(&old);
                if let Some(new) = &mut run {
                    new.values -= gone;
                }
            }
        }
        if let Some(run) = run {
            self.join(&run);
        }
        self.cut |= elements.is_cut();
        self.push(b"]");
    }

    /// Makes one item of the values of a run: each of its places has the list of what stands there. How many values fewer
    /// there are then.
    fn join(&mut self, run: &Run) -> usize {
        let (Some(extractor), true) = (self.extractor.as_deref_mut(), run.items > 1 && run.width > 0) else {
            return 0;
        };
        let end = run.values + run.width * run.items;
        let mut column = Vec::with_capacity(run.items);
        for place in run.values..run.values + run.width {
            let Some(all) = self.values.get(place..end) else { return 0 };
            column.clear();
            column.extend(all.iter().step_by(run.width));
            let list = extractor.list(&column);
            if let Some(value) = self.values.get_mut(place) {
                *value = list;
            }
        }
        self.values.drain(run.values + run.width..end);
        end - run.values - run.width
    }
}
