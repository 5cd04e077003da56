//! Statements of MySQL whose answers its protocol must know beforehand.

use super::dialect::Dialect;
use super::lexer::{Kind, Lexer};

/// The connection that `KILL [HARD | SOFT] [CONNECTION | QUERY] n` names (MySQL 8.4 manual, section 15.7.8.4 "KILL
/// Statement"; MariaDB documentation, "KILL").
///
/// None for everything else: an expression as the number, `KILL USER`, and MariaDB's `KILL QUERY ID n`, whose number is
/// that of a query.
pub fn kill_target(sql: &[u8]) -> Option<u64> {
    let mut lexer = Lexer::new(Dialect::Mysql, sql);
    lexer.next_solid().filter(|token| token.is_word("kill"))?;
    let mut token = lexer.next_solid()?;
    for words in [["hard", "soft"], ["connection", "query"]] {
        if words.iter().any(|word| token.is_word(word)) {
            token = lexer.next_solid()?;
        }
    }
    let number = std::str::from_utf8(token.text).ok().filter(|_| token.kind == Kind::Number)?;
    let number = number.parse().ok()?;
    lexer.all(|token| token.is_blank() || token.is_punct(";")).then_some(number)
}

/// The statement is `CALL ...`: its last result is a status without rows, behind those of the procedure.
pub fn is_call(sql: &[u8]) -> bool {
    Lexer::new(Dialect::Mysql, sql).next_solid().is_some_and(|token| token.is_word("call"))
}

#[cfg(test)]
mod tests {
    use super::{is_call, kill_target};

    fn check(sql: &str, expected: Option<u64>) {
        assert_eq!(kill_target(sql.as_bytes()), expected, "of {sql:?}");
    }

    /// Case 34.
    #[test]
    fn kill_names_a_connection() {
        check("KILL 5", Some(5));
        check("kill query 17;", Some(17));
        check("Kill Connection 18446744073709551615", Some(u64::MAX));
        check("/* a */ kill /*!50110 hard */ query 3 -- bye", Some(3));
        check("KILL SOFT CONNECTION 9 ; ", Some(9));
        check("KILL HARD 9", Some(9));
        check("KILL 18446744073709551616", None);
        check("KILL QUERY ID 12", None);
        check("KILL USER bob", None);
        check("KILL", None);
        check("KILL QUERY", None);
        check("KILL 5 + 1", None);
        check("KILL -5", None);
        check("KILL 5.0", None);
        check("KILL 0x5", None);
        check("KILL '5'", None);
        check("KILL @id", None);
        check("KILL CONNECTION_ID()", None);
        check("KILL QUERY SOFT 5", None);
        check("SELECT 'KILL 5'", None);
        check("KILLED 5", None);
        check("", None);
    }

    #[test]
    fn call_is_the_first_word() {
        for sql in ["CALL p()", "call p", " # a\n/* b */ Call d.p(1)", "/*!50001 call p() */"] {
            assert!(is_call(sql.as_bytes()), "{sql}");
        }
        for sql in ["", "SELECT 'call'", "CALLED", "`call`", "'call'", "-- call p()"] {
            assert!(!is_call(sql.as_bytes()), "{sql}");
        }
    }
}
