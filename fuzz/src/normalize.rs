//! A statement text of any bytes: normalised, cut into statements, and asked for its effect.

use tracer::sql::{Dialect, LayoutId, Texts, effect, is_call, kill_target, statements};
use tracer::time::Nanos;

/// The first byte says whether the text was cut. All dialects read it.
pub(super) fn run(data: &[u8]) {
    let Some((first, sql)) = data.split_first() else { return };
    for dialect in [Dialect::Postgresql, Dialect::Mysql, Dialect::MysqlNoBackslashEscapes] {
        in_dialect(dialect, sql, first & 1 == 1);
    }
    let _ = effect(sql);
    let _ = (kill_target(sql), is_call(sql));
}

fn in_dialect(dialect: Dialect, sql: &[u8], truncated: bool) {
    let mut texts = Texts::new(4);
    let interned = texts.intern(dialect, sql, truncated, Nanos::default());
    let (id, literals) = (interned.text, texts.literals().to_vec());
    let text = texts.get(id);
    let positions = text.positions.len();
    assert!(!text.text.is_empty(), "no text is empty");
    assert!(!text.text.chars().any(char::is_control), "a control character passed through: {:?}", text.text);
    let once = text.text.clone();
    assert_eq!(
        texts.intern(dialect, sql, truncated, Nanos::default()),
        interned,
        "the same text, another entry"
    );
    assert_eq!(texts.literals(), literals, "the same text, other literals");
    let mut values = Vec::new();
    texts.assemble(interned.layout, &[], &literals, &mut values);
    let expected = if interned.layout == LayoutId::PARAMETERS { 0 } else { positions };
    assert_eq!(values.len(), expected, "a value for every position");

    let mut bytes = 0;
    for statement in statements(dialect, sql) {
        bytes += statement.len();
        texts.intern(dialect, statement, truncated, Nanos::default());
    }
    assert!(bytes <= sql.len(), "more statements than text");

    // What is shown is harmless as input again, and settles: no form grows for ever. (Once is not always enough: in text
    // that is no SQL, a `?` may be an operator as well as a constant's place.)
    let mut settled = Texts::new(64);
    let mut again = |form: &str| {
        let id = settled.intern(dialect, form.as_bytes(), false, Nanos::default()).text;
        settled.get(id).text.clone()
    };
    let mut form = once;
    for _ in 0..8 {
        let next = again(&form);
        if next == form {
            return;
        }
        form = next;
    }
    assert_eq!(again(&form), form, "normalising does not settle");
}
