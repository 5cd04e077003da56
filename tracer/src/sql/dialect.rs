//! Whose lexical rules a text follows. Only the lexer and the words that it hands out depend on it.

/// An SQL dialect, as far as it decides where a token ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL (manual, section 4.1 "Lexical Structure").
    #[default]
    Postgresql,
    /// MySQL and MariaDB with a backslash as escape in strings, as by default (MySQL 8.4 manual, section 11.1.1).
    Mysql,
    /// MySQL and MariaDB with `NO_BACKSLASH_ESCAPES` in `sql_mode`, which the status flags of their answers tell.
    MysqlNoBackslashEscapes,
}
