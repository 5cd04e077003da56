"""psycopg 3 as a client of the end-to-end tests.

Usage: psycopg_client.py MODE, with the connection string in CONNINFO. Modes that a test talks to read lines of stdin:
one line starts each step, and each step ends with a line on stdout. The others run to their end.
"""

import json
import os
import socket
import sys
import time

import psycopg

CONNINFO = os.environ["CONNINFO"]


def connect(**options):
    return psycopg.connect(CONNINFO, **options)


def wait():
    if not sys.stdin.readline():
        sys.exit(0)


def say(text):
    print(text, flush=True)


def normal():
    with connect() as connection:
        for number in range(20):
            connection.execute("SELECT a, b FROM t WHERE a = %s", (number,)).fetchall()
        connection.execute("INSERT INTO t VALUES (%s, %s)", (1001, "new"))
        connection.commit()
        connection.execute("SELECT 1; SELECT 2")
        try:
            connection.execute("SELECT 1 / %s", (0,))
        except psycopg.errors.DivisionByZero:
            connection.rollback()
        cursor = connection.cursor()
        cursor.executemany("UPDATE t SET b = %s WHERE a = %s", [("x", n) for n in range(30)])
        with cursor.copy("COPY t FROM STDIN") as copy:
            for number in range(2000, 2100):
                copy.write_row((number, "copied"))
        with cursor.copy("COPY (SELECT a FROM t WHERE a > 2000) TO STDOUT") as copy:
            assert len(list(copy)) == 99


def threshold():
    """Prepared by the driver from the third execution on, and evicted when there are too many."""
    with connect(autocommit=True) as connection:
        connection.prepare_threshold = 2
        connection.prepared_max = 3
        for number in range(60):
            connection.execute("SELECT a FROM t WHERE a = %s", (number,)).fetchall()
            if number % 6 == 0:
                for columns in range(1, 6):
                    sql = "SELECT " + ", ".join(["b"] * columns) + " FROM t WHERE a = %s"
                    for _ in range(3):
                        connection.execute(sql, (number,)).fetchall()


def pipeline():
    with connect(autocommit=True) as connection:
        with connection.pipeline():
            for number in range(200):
                connection.execute("SELECT a FROM t WHERE a = %s", (number,))
        # An error in the middle: what comes behind it up to the next synchronisation is skipped. The driver stops
        # sending when it hears of the error, which may be soon or late: so it says how many it has sent.
        behind = 0
        try:
            with connection.pipeline() as pipe:
                for number in range(10):
                    connection.execute("SELECT b FROM t WHERE a = %s", (number,))
                pipe.sync()
                connection.execute("SELECT 10 / %s::int", (0,))
                for number in range(5):
                    behind += 1
                    connection.execute("SELECT a, b FROM t WHERE a = %s", (number,))
                pipe.sync()
        except psycopg.errors.DivisionByZero:
            pass
        say(behind)
        connection.execute("SELECT count(*) FROM t").fetchall()


def server_cursor():
    with connect() as connection:
        with connection.cursor(name="wanderer") as cursor:
            cursor.itersize = 100
            cursor.execute("SELECT a, b FROM t WHERE a <= %s ORDER BY a", (950,))
            assert len(list(cursor)) == 950
        with connection.cursor(name="again", scrollable=True) as cursor:
            cursor.execute("SELECT a FROM t ORDER BY a")
            cursor.fetchmany(10)
            cursor.scroll(5)
            cursor.fetchone()


def binary():
    with connect() as connection:
        cursor = connection.cursor(binary=True)
        for number in range(50):
            cursor.execute("SELECT a, %b::float8, %b::bytea FROM t WHERE a = %b",
                           (number / 3, b"Z\0\0\0\5I" * 10, number)).fetchall()
        with cursor.copy("COPY t TO STDOUT (FORMAT binary)") as copy:
            for _ in copy:
                pass


def pooled():
    """A connection that has prepared its statement long ago and from then on sends Bind, Execute and Sync only."""
    with connect(autocommit=True) as connection:
        connection.prepare_threshold = 0
        connection.execute("SELECT a, b FROM t WHERE a = %s", (1,)).fetchall()
        say("ready")
        wait()
        for number in range(500):
            connection.execute("SELECT a, b FROM t WHERE a = %s", (number,)).fetchall()
        say("done")
        wait()


def timed():
    """Times each call with a monotonic clock: min, mean, max, sum and count by statement."""
    statements = {
        "SELECT 1": [(None, 300)],
        "SELECT a, b FROM t WHERE a = %s": [((7,), 300)],
        "SELECT pg_sleep(0.02)": [(None, 40)],
        "SELECT repeat('x', 1000) FROM generate_series(1, 5000)": [(None, 20)],
    }
    measured = {}
    with connect(autocommit=True) as connection:
        connection.prepare_threshold = None
        cursor = connection.cursor()
        cursor.execute("SELECT 'warm'")
        say("ready")
        wait()
        for sql, [(parameters, count)] in statements.items():
            times = []
            for _ in range(count):
                begin = time.monotonic_ns()
                cursor.execute(sql, parameters)
                times.append(time.monotonic_ns() - begin)
            measured[sql] = times
        say(json.dumps(measured))
        wait()


def sleep():
    """One statement given as the second argument, timed."""
    with connect(autocommit=True) as connection:
        say("ready")
        wait()
        say("sent")
        begin = time.monotonic_ns()
        try:
            connection.execute(sys.argv[2])
            failed = None
        except psycopg.Error as error:
            failed = error.sqlstate
        say(json.dumps({"ns": time.monotonic_ns() - begin, "failed": failed}))
        wait()


def give_up():
    """Sends a statement, and closes the socket a second later without having read an answer."""
    connection = connect(autocommit=True)
    say("ready")
    wait()
    connection.pgconn.send_query(b"SELECT pg_sleep(600)")
    connection.pgconn.flush()
    time.sleep(1)
    socket.socket(fileno=connection.fileno()).close()
    say("done")
    wait()
    os._exit(0)


def deadlock():
    """Two sessions that lock two rows in opposite order; the server ends one of them."""
    import threading

    met = threading.Barrier(2)
    failed = []

    def session(first, second):
        with connect() as connection:
            connection.execute("SELECT 'lock'")
            try:
                connection.execute("UPDATE t SET b = 'l' WHERE a = %s", (first,))
                met.wait(20)
                connection.execute("UPDATE t SET b = 'm' WHERE a = %s", (second,))
                connection.commit()
            except psycopg.errors.DeadlockDetected:
                failed.append(first)
                connection.rollback()

    threads = [threading.Thread(target=session, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 1, failed


def limits():
    """57014 by the server's own time limit, and by a cancel request over a second connection."""
    import threading

    with connect(autocommit=True) as connection:
        connection.execute("SET statement_timeout = '200ms'")
        for sql in ("SELECT pg_sleep(30), 'timeout'", "SELECT pg_sleep(30), 'cancel', 1"):
            timer = threading.Timer(0.5, connection.cancel)
            if "cancel" in sql:
                connection.execute("SET statement_timeout = 0")
                timer.start()
            try:
                connection.execute(sql)
                raise AssertionError("it was not cancelled")
            except psycopg.errors.QueryCanceled:
                pass
            if "cancel" in sql:
                timer.join()


def large():
    """Bind values and literals of 5 MB, each with something small behind it."""
    big = "x" * 5_000_000
    with connect(autocommit=True) as connection:
        client = psycopg.ClientCursor(connection)
        for number in range(5):
            connection.execute("INSERT INTO t VALUES (%s, %s)", (number, big))
            connection.execute("SELECT a FROM t WHERE a = %s", (number,)).fetchall()
            client.execute("SELECT length(%s)", (big,))
            client.execute("SELECT 1, 2, 3")
            with connection.pipeline():
                connection.execute("SELECT count(*) FROM t WHERE b = %s", (big,))
                connection.execute("SELECT 'behind', %s::int", (number,))
        connection.execute("DELETE FROM t")


def copy_fail():
    """COPY that the client ends with CopyFail, early and late."""
    with connect(autocommit=True) as connection:
        for rows in (0, 50_000):
            try:
                with connection.cursor().copy("COPY t FROM STDIN") as copy:
                    for number in range(rows):
                        copy.write_row((number, "row"))
                    raise KeyError("given up")
            except psycopg.errors.QueryCanceled:
                pass
            connection.execute("SELECT count(*) FROM t").fetchall()


def nul():
    """Raw messages: a NUL and escape codes inside the text of a Query, which libpq would not send."""
    settings = psycopg.conninfo.conninfo_to_dict(CONNINFO)
    raw = socket.create_connection((settings["host"], int(settings["port"])))
    answers = raw.makefile("rb")

    def until_ready():
        failed = None
        while True:
            tag, length = answers.read(1), int.from_bytes(answers.read(4), "big")
            body = answers.read(length - 4)
            if tag == b"E":
                failed = [field[1:] for field in body.split(b"\0") if field.startswith(b"C")][0]
            if tag == b"Z":
                return failed

    names = f"user\0{settings['user']}\0database\0{settings['dbname']}\0\0".encode()
    raw.sendall((len(names) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + names)
    until_ready()
    for text, expected in ((b"SELECT 1\0\x1b[2J hidden\0", b"08P01"), (b"SELECT 1\0", None)):
        raw.sendall(b"Q" + (len(text) + 4).to_bytes(4, "big") + text)
        failed = until_ready()
        assert failed == expected, failed
    raw.sendall(b"X\0\0\0\4")


def secrets():
    """Values that no report may show, as text and binary, in a Bind, an error, a pipeline and a COPY."""
    number, word = 4929123412341234, "hunter2-bound"
    with connect(autocommit=True) as connection:
        connection.prepare_threshold = 1
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            for step in range(4):
                cursor.execute("INSERT INTO t VALUES (%s, %s)", (number + step + 10 * binary, word))
                cursor.execute("SELECT b FROM t WHERE a = %s AND b = %s", (number, word)).fetchall()
        for sql, parameters in (("INSERT INTO t VALUES (%s, %s)", (number, word)),
                                ("SELECT %s::text::int", (word,)),
                                ("SELEC %s", (word,))):
            try:
                connection.execute(sql, parameters)
                raise AssertionError(sql)
            except psycopg.Error:
                pass
        with connection.pipeline():
            for step in range(20, 30):
                connection.execute("INSERT INTO t VALUES (%s, %s)", (number + step, word * 1000))
        with connection.cursor().copy("COPY t FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "text"])
            copy.write_row((number + 40, word))
        client = psycopg.ClientCursor(connection)
        client.execute("SELECT %s, %s", (number, word))


globals()[sys.argv[1]]()
