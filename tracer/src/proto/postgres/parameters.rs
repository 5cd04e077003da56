//! stub until merged

use crate::time::Nanos;
use crate::value::{Extractor, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeClass {
    Unknown,
}

pub(super) fn parse_types(_body: &[u8], _out: &mut Vec<TypeClass>) {
    let _ = TypeClass::Unknown;
}
pub(super) fn described_types(_body: &[u8], _out: &mut Vec<TypeClass>) {}
pub(super) fn bind_values(
    _body: &[u8],
    _types: &[TypeClass],
    _e: &mut Extractor,
    _at: Nanos,
    _out: &mut Vec<Value>,
) {
}
