//! Names of the error numbers of MySQL and MariaDB.

/// The symbol of a code `number/SQLSTATE` (MySQL 8.4 "Server Error Message Reference"; MariaDB knowledge base,
/// "MariaDB Error Codes").
pub(super) fn name(code: &str) -> Option<&'static str> {
    let number = code.split('/').next()?.parse().ok()?;
    let at = SYMBOLS.binary_search_by_key(&number, |(number, _)| *number).ok()?;
    SYMBOLS.get(at).map(|(_, symbol)| *symbol)
}

const SYMBOLS: &[(u16, &str)] = &[
    (1022, "ER_DUP_KEY"),
    (1040, "ER_CON_COUNT_ERROR"),
    (1044, "ER_DBACCESS_DENIED_ERROR"),
    (1045, "ER_ACCESS_DENIED_ERROR"),
    (1046, "ER_NO_DB_ERROR"),
    (1048, "ER_BAD_NULL_ERROR"),
    (1049, "ER_BAD_DB_ERROR"),
    (1050, "ER_TABLE_EXISTS_ERROR"),
    (1051, "ER_BAD_TABLE_ERROR"),
    (1053, "ER_SERVER_SHUTDOWN"),
    (1054, "ER_BAD_FIELD_ERROR"),
    (1062, "ER_DUP_ENTRY"),
    (1064, "ER_PARSE_ERROR"),
    (1065, "ER_EMPTY_QUERY"),
    (1094, "ER_NO_SUCH_THREAD"),
    (1105, "ER_UNKNOWN_ERROR"),
    (1114, "ER_RECORD_FILE_FULL"),
    (1129, "ER_HOST_IS_BLOCKED"),
    (1136, "ER_WRONG_VALUE_COUNT_ON_ROW"),
    (1142, "ER_TABLEACCESS_DENIED_ERROR"),
    (1143, "ER_COLUMNACCESS_DENIED_ERROR"),
    (1146, "ER_NO_SUCH_TABLE"),
    (1153, "ER_NET_PACKET_TOO_LARGE"),
    (1158, "ER_NET_READ_ERROR"),
    (1159, "ER_NET_READ_INTERRUPTED"),
    (1160, "ER_NET_ERROR_ON_WRITE"),
    (1161, "ER_NET_WRITE_INTERRUPTED"),
    (1192, "ER_LOCK_OR_ACTIVE_TRANSACTION"),
    (1203, "ER_TOO_MANY_USER_CONNECTIONS"),
    (1205, "ER_LOCK_WAIT_TIMEOUT"),
    (1206, "ER_LOCK_TABLE_FULL"),
    (1213, "ER_LOCK_DEADLOCK"),
    (1216, "ER_NO_REFERENCED_ROW"),
    (1217, "ER_ROW_IS_REFERENCED"),
    (1226, "ER_USER_LIMIT_REACHED"),
    (1227, "ER_SPECIFIC_ACCESS_DENIED_ERROR"),
    (1243, "ER_UNKNOWN_STMT_HANDLER"),
    (1264, "ER_WARN_DATA_OUT_OF_RANGE"),
    (1265, "WARN_DATA_TRUNCATED"),
    (1290, "ER_OPTION_PREVENTS_STATEMENT"),
    (1292, "ER_TRUNCATED_WRONG_VALUE"),
    (1305, "ER_SP_DOES_NOT_EXIST"),
    (1317, "ER_QUERY_INTERRUPTED"),
    (1364, "ER_NO_DEFAULT_FOR_FIELD"),
    (1365, "ER_DIVISION_BY_ZERO"),
    (1366, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD"),
    (1390, "ER_PS_MANY_PARAM"),
    (1406, "ER_DATA_TOO_LONG"),
    (1451, "ER_ROW_IS_REFERENCED_2"),
    (1452, "ER_NO_REFERENCED_ROW_2"),
    (1461, "ER_MAX_PREPARED_STMT_COUNT_REACHED"),
    (1615, "ER_NEED_REPREPARE"),
    (1644, "ER_SIGNAL_EXCEPTION"),
    (1690, "ER_DATA_OUT_OF_RANGE"),
    (1792, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"),
    (1836, "ER_READ_ONLY_MODE"),
    (1927, "ER_CONNECTION_KILLED"),
    (1969, "ER_STATEMENT_TIMEOUT"),
    (3024, "ER_QUERY_TIMEOUT"),
    (3572, "ER_LOCK_NOWAIT"),
    (4031, "ER_CLIENT_INTERACTION_TIMEOUT"),
];

#[cfg(test)]
mod tests {
    use super::{SYMBOLS, name};

    #[test]
    fn numbers_have_symbols() {
        for (code, expected) in [
            ("1062/23000", Some("ER_DUP_ENTRY")),
            ("1205", Some("ER_LOCK_WAIT_TIMEOUT")),
            ("9999/HY000", None),
            ("99999999", None),
            ("", None),
        ] {
            assert_eq!(name(code), expected, "{code}");
        }
    }

    #[test]
    fn numbers_are_in_order() {
        assert!(SYMBOLS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
