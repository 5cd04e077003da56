/* libmariadb's prepared statements as a client of the end-to-end tests: cursors, long data, rows in bulk, results of
 * procedures, statements prepared before a capture. Only C reaches all of it.
 *
 * Usage: mariadb_statements MODE, with the server and the session in DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME. */

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MYSQL *connection;

static void need(int done, const char *what)
{
    if (!done) {
        fprintf(stderr, "%s: %s\n", what, mysql_error(connection));
        exit(1);
    }
}

static void need_statement(MYSQL_STMT *statement, int done, const char *what)
{
    if (!done) {
        fprintf(stderr, "%s: %s\n", what, mysql_stmt_error(statement));
        exit(1);
    }
}

static MYSQL_STMT *prepare(const char *sql)
{
    MYSQL_STMT *statement = mysql_stmt_init(connection);
    need(statement != NULL, "mysql_stmt_init");
    need_statement(statement, mysql_stmt_prepare(statement, sql, strlen(sql)) == 0, sql);
    return statement;
}

static MYSQL_BIND of_int(int *value)
{
    MYSQL_BIND bind;
    memset(&bind, 0, sizeof bind);
    bind.buffer_type = MYSQL_TYPE_LONG;
    bind.buffer = value;
    return bind;
}

static MYSQL_BIND of_text(char *value, unsigned long *length)
{
    MYSQL_BIND bind;
    memset(&bind, 0, sizeof bind);
    bind.buffer_type = MYSQL_TYPE_STRING;
    bind.buffer = value;
    bind.length = length;
    return bind;
}

static void execute(MYSQL_STMT *statement)
{
    need_statement(statement, mysql_stmt_execute(statement) == 0, "mysql_stmt_execute");
}

/* Reads so many rows, or all there are, of the current result; -1: all. */
static int fetch(MYSQL_STMT *statement, int most)
{
    int rows = 0;
    while (most < 0 || rows < most) {
        int got = mysql_stmt_fetch(statement);
        if (got == MYSQL_NO_DATA)
            break;
        need_statement(statement, got == 0 || got == MYSQL_DATA_TRUNCATED, "mysql_stmt_fetch");
        rows++;
    }
    return rows;
}

static int run(MYSQL_STMT *statement)
{
    int rows = 0;
    execute(statement);
    if (mysql_stmt_field_count(statement) > 0)
        rows = fetch(statement, -1);
    mysql_stmt_free_result(statement);
    return rows;
}

static void bind(MYSQL_STMT *statement, MYSQL_BIND *binds)
{
    need_statement(statement, mysql_stmt_bind_param(statement, binds) == 0, "mysql_stmt_bind_param");
}

/* One statement, executed again and again with the same binding: only the first execution sends the types. */
static int many(MYSQL_STMT *statement, int from, int to)
{
    int value, rows = 0;
    MYSQL_BIND binds[1] = {of_int(&value)};
    bind(statement, binds);
    for (value = from; value < to; value++)
        rows += run(statement);
    return rows;
}

static void cursors(void)
{
    unsigned long type = CURSOR_TYPE_READ_ONLY, prefetched = 7;
    int most = 500;
    MYSQL_BIND binds[1] = {of_int(&most)};
    MYSQL_STMT *statement = prepare("SELECT a, b, c, d FROM t WHERE a <= ?");
    mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type);
    mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &prefetched);
    bind(statement, binds);
    execute(statement);
    printf("cursor: %d rows\n", fetch(statement, -1));
    mysql_stmt_free_result(statement);
    execute(statement);
    printf("cursor, closed early: %d rows\n", fetch(statement, 14));
    mysql_stmt_free_result(statement);
    mysql_stmt_close(statement);
}

static void long_data(void)
{
    char piece[10000];
    int key;
    unsigned long length = 0;
    MYSQL_BIND binds[2] = {of_text(piece, &length), of_int(&key)};
    MYSQL_STMT *statement = prepare("UPDATE t SET b = ? WHERE a = ?");
    binds[0].buffer_type = MYSQL_TYPE_LONG_BLOB;
    memset(piece, 'x', sizeof piece);
    bind(statement, binds);
    for (key = 1; key <= 3; key++) {
        for (int part = 0; part < 10 * key; part++)
            need_statement(statement, mysql_stmt_send_long_data(statement, 0, piece, sizeof piece) == 0, "long data");
        execute(statement);
    }
    mysql_stmt_close(statement);
}

static void bulk(void)
{
    enum { ROWS = 50 };
    unsigned int rows = ROWS;
    int keys[ROWS];
    char texts[ROWS][16], *addresses[ROWS];
    unsigned long lengths[ROWS];
    MYSQL_BIND binds[2];
    MYSQL_STMT *statement = prepare("INSERT INTO t (a, b) VALUES (?, ?)");
    for (int row = 0; row < ROWS; row++) {
        keys[row] = 2001 + row;
        lengths[row] = snprintf(texts[row], sizeof texts[row], "bulk %d", row);
        addresses[row] = texts[row];
    }
    binds[0] = of_int(keys);
    binds[1] = of_text((char *)addresses, lengths);
    mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows);
    bind(statement, binds);
    execute(statement);
    printf("bulk: %d rows\n", (int)mysql_stmt_affected_rows(statement));
    mysql_stmt_close(statement);
}

static void procedure(void)
{
    int most = 10, rows = 0;
    MYSQL_BIND binds[1] = {of_int(&most)};
    MYSQL_STMT *statement = prepare("CALL several(?)");
    bind(statement, binds);
    execute(statement);
    do {
        if (mysql_stmt_field_count(statement) > 0)
            rows += fetch(statement, -1);
    } while (mysql_stmt_next_result(statement) == 0);
    printf("procedure: %d rows\n", rows);
    mysql_stmt_close(statement);
}

static void names(void)
{
    for (int turn = 0; turn < 20; turn++) {
        MYSQL_STMT *statement = prepare(turn % 2 == 0 ? "SELECT ? + 1" : "SELECT CONCAT(?, 'x')");
        many(statement, 0, 2);
        mysql_stmt_close(statement);
    }
}

static void failures(void)
{
    int one = 1;
    MYSQL_BIND binds[1] = {of_int(&one)};
    MYSQL_STMT *statement = prepare("INSERT INTO t (a) VALUES (?)");
    bind(statement, binds);
    need_statement(statement, mysql_stmt_execute(statement) != 0, "a duplicate key was taken");
    mysql_stmt_close(statement);
    statement = mysql_stmt_init(connection);
    const char *sql = "SELECT * FROM no_such_table WHERE a = ?";
    need(mysql_stmt_prepare(statement, sql, strlen(sql)) != 0, "a table that is not there was found");
    mysql_stmt_close(statement);
}

static void nulls(void)
{
    MYSQL_BIND binds[2];
    MYSQL_STMT *statement = prepare("SELECT a FROM t WHERE b = ? AND a = ?");
    memset(binds, 0, sizeof binds);
    binds[0].buffer_type = binds[1].buffer_type = MYSQL_TYPE_NULL;
    bind(statement, binds);
    run(statement);
    run(statement);
    mysql_stmt_close(statement);
}

static void all(void)
{
    MYSQL_STMT *statement = prepare("SELECT a, b FROM t WHERE a = ?");
    printf("many: %d rows\n", many(statement, 101, 201));
    cursors();
    long_data();
    names();
    bulk();
    procedure();
    failures();
    nulls();
    mysql_stmt_close(statement);
    need(mysql_ping(connection) == 0, "mysql_ping");
    need(mysql_reset_connection(connection) == 0, "mysql_reset_connection");
    need(mysql_ping(connection) == 0, "mysql_ping");
    need(mysql_change_user(connection, getenv("DB_USER"), getenv("DB_PASSWORD"), getenv("DB_NAME")) == 0, "mysql_change_user");
    need(mysql_ping(connection) == 0, "mysql_ping");
}

static void hear(void)
{
    char line[100];
    if (fgets(line, sizeof line, stdin) == NULL)
        exit(0);
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

/* Prepared before, executed later. */
static void pooled(void)
{
    MYSQL_STMT *statement = prepare("SELECT a, b FROM t WHERE a = ?");
    many(statement, 1, 11);
    say("ready");
    hear();
    many(statement, 1, 501);
    say("done");
    hear();
    mysql_stmt_close(statement);
}

static void short_lived(void)
{
    for (int turn = 0; turn < 300; turn++) {
        MYSQL_STMT *first = prepare("SELECT a FROM t WHERE a = ?");
        MYSQL_STMT *second = prepare("SELECT b FROM t WHERE a = ?");
        many(second, turn + 1, turn + 2);
        mysql_stmt_close(second);
        many(first, turn + 1, turn + 2);
        mysql_stmt_close(first);
    }
}

int main(int count, char **arguments)
{
    if (count != 2)
        return 2;
    connection = mysql_init(NULL);
    need(mysql_real_connect(connection, getenv("DB_HOST"), getenv("DB_USER"), getenv("DB_PASSWORD"), getenv("DB_NAME"),
                            (unsigned int)atoi(getenv("DB_PORT")), NULL, CLIENT_MULTI_RESULTS) != NULL,
         "mysql_real_connect");
    if (strcmp(arguments[1], "all") == 0)
        all();
    else if (strcmp(arguments[1], "pooled") == 0)
        pooled();
    else if (strcmp(arguments[1], "short") == 0)
        short_lived();
    else
        return 2;
    mysql_close(connection);
    return 0;
}
