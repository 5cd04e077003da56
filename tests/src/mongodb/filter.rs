//! Which documents a filter takes, and what an update makes of one: the operators that the tests use.

use bson::{Bson, Document};

/// Whether a document fits a filter. `None`: an operator that is not known here, by name.
pub(super) fn fits(filter: &Document, document: &Document) -> Result<bool, String> {
    for (name, wanted) in filter {
        let fits = match name.as_str() {
            "$or" => any_of(wanted, document)?,
            name if name.starts_with('$') => return Err(format!("unknown top level operator: {name}")),
            name => fits_field(wanted, document.get(name))?,
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any_of(filters: &Bson, document: &Document) -> Result<bool, String> {
    for filter in filters.as_array().into_iter().flatten().filter_map(Bson::as_document) {
        if fits(filter, document)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fits_field(wanted: &Bson, found: Option<&Bson>) -> Result<bool, String> {
    let Some(operators) = wanted.as_document().filter(|d| d.keys().any(|name| name.starts_with('$'))) else {
        return Ok(found.unwrap_or(&Bson::Null) == wanted || is_equal_number(wanted, found));
    };
    for (name, wanted) in operators {
        let fits = match name.as_str() {
            "$eq" => fits_field(wanted, found)?,
            "$gt" => compare(found, wanted).is_some_and(|order| order > 0.0),
            "$gte" => compare(found, wanted).is_some_and(|order| order >= 0.0),
            "$lt" => compare(found, wanted).is_some_and(|order| order < 0.0),
            "$lte" => compare(found, wanted).is_some_and(|order| order <= 0.0),
            "$in" => wanted.as_array().into_iter().flatten().any(|one| found == Some(one)),
            "$exists" => found.is_some() == wanted.as_bool().unwrap_or(true),
            name => return Err(format!("unknown operator: {name}")),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Any number as a double.
pub(super) fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Int32(number) => Some(f64::from(*number)),
        #[expect(clippy::cast_precision_loss, reason = "test data has small numbers")]
        Bson::Int64(number) => Some(*number as f64),
        Bson::Double(number) => Some(*number),
        _ => None,
    }
}

fn is_equal_number(wanted: &Bson, found: Option<&Bson>) -> bool {
    matches!((number(wanted), found.and_then(number)), (Some(a), Some(b)) if a == b)
}

fn compare(found: Option<&Bson>, wanted: &Bson) -> Option<f64> {
    Some(number(found?)? - number(wanted)?)
}

/// Changes a document: `$set`, `$inc`, `$unset`, or a whole new one. False: it was so before.
pub(super) fn update(document: &mut Document, change: &Document) -> Result<bool, String> {
    let before = document.clone();
    if !change.keys().any(|name| name.starts_with('$')) {
        let id = document.get("_id").cloned();
        *document = change.clone();
        if let Some(id) = id {
            document.insert("_id", id);
        }
        return Ok(*document != before);
    }
    for (operator, fields) in change {
        for (name, value) in fields.as_document().into_iter().flatten() {
            match operator.as_str() {
                "$set" => {
                    document.insert(name, value.clone());
                }
                "$inc" => {
                    let sum =
                        document.get(name).and_then(number).unwrap_or(0.0) + number(value).unwrap_or(0.0);
                    document.insert(name, sum);
                }
                "$unset" => {
                    document.remove(name);
                }
                other => return Err(format!("Unknown modifier: {other}")),
            }
        }
    }
    Ok(*document != before)
}
