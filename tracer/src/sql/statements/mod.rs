//! Cuts the text of a simple query into its statements.

mod mysql;

use super::dialect::Dialect;
use super::lexer::{Lexer, Token};

/// The statements of a simple query, split at top-level semicolons; pieces with nothing but white space and comments
/// are left out, as the server gives no CommandComplete for them.
///
/// A semicolon inside a string, a comment, the body of an SQL-standard routine (`BEGIN ATOMIC ... END`) or the
/// parentheses of `CREATE RULE ... DO (...; ...)` splits nothing, nor, by MySQL's rules, one inside the body of a stored
/// program. Other parentheses do not hide a semicolon: such a text is a syntax error to the server.
pub fn statements(dialect: Dialect, sql: &[u8]) -> impl Iterator<Item = &[u8]> {
    Statements { sql, dialect, lexer: Lexer::new(dialect, sql) }
}

struct Statements<'a> {
    sql: &'a [u8],
    dialect: Dialect,
    lexer: Lexer<'a>,
}

impl<'a> Iterator for Statements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let start = self.lexer.offset();
            let mut nesting = Nesting::new(self.dialect);
            let mut end = self.sql.len();
            loop {
                match self.lexer.next_solid() {
                    None => break,
                    Some(token) if token.is_punct(";") && !nesting.is_inside() => {
                        end = self.lexer.offset() - 1;
                        break;
                    }
                    Some(token) => nesting.take(&token),
                }
            }
            if nesting.tokens > 0 {
                return self.sql.get(start..end).map(<[u8]>::trim_ascii);
            }
            if self.lexer.offset() >= self.sql.len() {
                return None;
            }
        }
    }
}

/// Where in a statement the reader is, as far as semicolons are concerned.
#[derive(Default)]
struct Nesting {
    /// Tokens so far.
    tokens: u64,
    /// The statement creates a routine or a rule, as far as its first words tell.
    creates: Creates,
    /// The token before was BEGIN.
    after_begin: bool,
    /// Open `BEGIN ATOMIC` and `CASE` in it.
    blocks: u32,
    /// Open parentheses.
    parentheses: u32,
    mysql: Option<mysql::Nesting>,
}

#[derive(Default, PartialEq)]
enum Creates {
    #[default]
    Unknown,
    Maybe,
    Routine,
    Rule,
    Nothing,
}

impl Nesting {
    fn new(dialect: Dialect) -> Self {
        let mysql = (dialect != Dialect::Postgresql).then(mysql::Nesting::default);
        Self { mysql, ..Self::default() }
    }

    fn is_inside(&self) -> bool {
        if let Some(mysql) = &self.mysql {
            return mysql.is_inside();
        }
        self.blocks > 0 || (self.creates == Creates::Rule && self.parentheses > 0)
    }

    fn take(&mut self, token: &Token<'_>) {
        self.tokens = self.tokens.saturating_add(1);
        if let Some(mysql) = &mut self.mysql {
            return mysql.take(token);
        }
        match self.creates {
            Creates::Unknown if token.is_word("create") => self.creates = Creates::Maybe,
            Creates::Maybe if token.is_word("or") || token.is_word("replace") => {}
            Creates::Maybe if token.is_word("function") || token.is_word("procedure") => {
                self.creates = Creates::Routine;
            }
            Creates::Maybe if token.is_word("rule") => self.creates = Creates::Rule,
            Creates::Unknown | Creates::Maybe => self.creates = Creates::Nothing,
            Creates::Routine => self.routine(token),
            Creates::Rule if token.is_punct("(") => self.parentheses = self.parentheses.saturating_add(1),
            Creates::Rule if token.is_punct(")") => self.parentheses = self.parentheses.saturating_sub(1),
            Creates::Rule | Creates::Nothing => {}
        }
    }

    fn routine(&mut self, token: &Token<'_>) {
        let opens = if self.blocks == 0 {
            self.after_begin && token.is_word("atomic")
        } else {
            token.is_word("case")
        };
        if opens {
            self.blocks = self.blocks.saturating_add(1);
        } else if token.is_word("end") {
            self.blocks = self.blocks.saturating_sub(1);
        }
        self.after_begin = token.is_word("begin");
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, statements};

    /// Pieces are joined by ` | `.
    fn check(input: &str, expected: &str) {
        let pieces: Vec<_> =
            statements(Dialect::Postgresql, input.as_bytes()).map(|s| String::from_utf8_lossy(s)).collect();
        assert_eq!(pieces.join(" | "), expected, "of {input:?}");
    }

    /// Case 11.
    #[test]
    fn splits_at_top_level_semicolons() {
        check("", "");
        check(" ;; -- x\n; /* ; */ ;", "");
        check("select 1", "select 1");
        check("select 1;", "select 1");
        check("select 1; select 2 ;\n", "select 1 | select 2");
        check("select 1;;select 2", "select 1 | select 2");
        check("/* a */ select 1; /* b */", "/* a */ select 1");
        check("select (1; select 2", "select (1 | select 2");
        check("begin; insert into t values (1); commit", "begin | insert into t values (1) | commit");
    }

    #[test]
    fn semicolons_inside_other_things_split_nothing() {
        check("select ';'; select 2", "select ';' | select 2");
        check("select 'a'';'; select 2", "select 'a'';' | select 2");
        check(r"select E'\';'; select 2", r"select E'\';' | select 2");
        check(r"select '\'; select 2", r"select '\' | select 2");
        check("select $$;$$; select $a$;$$;$a$", "select $$;$$ | select $a$;$$;$a$");
        check("select \";\" ; select 2", "select \";\" | select 2");
        check("select 1 -- ; no\n; select 2", "select 1 -- ; no | select 2");
        check("select 1 /* ; /* ; */ ; */; select 2", "select 1 /* ; /* ; */ ; */ | select 2");
        check("/*+ a; */ select 1; select 2", "/*+ a; */ select 1 | select 2");
        check("select 'a;", "select 'a;");
        check("select $x$ a;", "select $x$ a;");
        check("select 1 /* ;", "select 1 /* ;");
    }

    #[test]
    fn bodies_of_routines_and_rules_stay_whole() {
        let body =
            "create function f() returns int begin atomic select 1; select case when true then 1 end; end";
        check(&format!("{body}; select 2"), &format!("{body} | select 2"));
        let body = "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC delete from t; delete from u; END";
        check(&format!("{body};"), body);
        check(
            "create function f() as $$ a; b $$ language sql; select 2",
            "create function f() as $$ a; b $$ language sql | select 2",
        );
        let rule = "create rule r as on insert to t do (delete from u; delete from v)";
        check(&format!("{rule}; select 2"), &format!("{rule} | select 2"));
        check("create table t (a int; select 2", "create table t (a int | select 2");
        check("begin; select atomic; end; select 1", "begin | select atomic | end | select 1");
    }
}
