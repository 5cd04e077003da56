//! A statement text of any bytes: normalised, cut into statements, and asked for its effect.

use tracer::sql::{Texts, effect, statements};

/// The first byte says whether the text was cut.
pub(super) fn run(data: &[u8]) {
    let Some((first, sql)) = data.split_first() else { return };
    let truncated = first & 1 == 1;
    let mut texts = Texts::new(4);
    let id = texts.intern_sql(sql, truncated);
    let text = texts.get(id);
    assert!(!text.text.is_empty(), "no text is empty");
    assert!(!text.text.chars().any(char::is_control), "a control character passed through: {:?}", text.text);
    let once = text.text.clone();
    assert_eq!(texts.intern_sql(sql, truncated), id, "the same text, another entry");

    let mut bytes = 0;
    for statement in statements(sql) {
        bytes += statement.len();
        texts.intern_sql(statement, truncated);
    }
    assert!(bytes <= sql.len(), "more statements than text");
    let _ = effect(sql);

    // What is shown is harmless as input again, and settles: no form grows for ever. (Once is not always enough: in text
    // that is no SQL, a `?` may be an operator as well as a constant's place.)
    let mut settled = Texts::new(64);
    let mut again = |form: &str| {
        let id = settled.intern_sql(form.as_bytes(), false);
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
