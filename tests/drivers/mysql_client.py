"""PyMySQL and mysqlclient as clients of the end-to-end tests.

Usage: mysql_client.py DRIVER MODE [SQL], with the server and the session in DB_HOST, DB_PORT, DB_USER, DB_PASSWORD,
DB_NAME. DRIVER is pymysql or MySQLdb. Modes that a test talks to read lines of stdin: one line starts each step, and each
step ends with a line on stdout. The others run to their end.
"""

import importlib
import json
import os
import sys
import threading
import time

driver = importlib.import_module(sys.argv[1])
cursors = importlib.import_module(sys.argv[1] + ".cursors")
MULTI_STATEMENTS = 1 << 16


def connect(**options):
    place = dict(host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"])
    names = ("passwd", "db") if sys.argv[1] == "MySQLdb" else ("password", "database")
    place.update(zip(names, (os.environ["DB_PASSWORD"], os.environ["DB_NAME"])))
    connection = driver.connect(**place, **options)
    connection.autocommit(True)
    return connection


def wait():
    if not sys.stdin.readline():
        sys.exit(0)


def say(text):
    print(text, flush=True)


def fails(cursor, sql, *arguments):
    try:
        cursor.execute(sql, arguments or None)
    except driver.MySQLError:
        return
    raise AssertionError(sql)


def normal():
    connection = connect(client_flag=MULTI_STATEMENTS)
    cursor = connection.cursor()
    for number in range(30):
        cursor.execute("SELECT a, b FROM t WHERE a = %s", (number,))
        cursor.fetchall()
    cursor.executemany("INSERT INTO t (a, b) VALUES (%s, %s)", [(n, "new %d" % n) for n in range(5000, 5040)])
    cursor.executemany("UPDATE t SET b = %s WHERE a = %s", [("it's \\ new", n) for n in range(30)])
    fails(cursor, "SELECT * FROM no_such_table")
    fails(cursor, "SELECT no_such_column FROM t")
    fails(cursor, "INSERT INTO t (a) VALUES (%s)", 5000)
    # Rows that are read one by one as they come.
    stream = connection.cursor(cursors.SSCursor)
    stream.execute("SELECT a, b FROM t WHERE a < %s", (900,))
    assert sum(1 for _ in stream) > 800
    stream.close()
    cursor.execute("SELECT 1 AS x; SELECT 2, 3; UPDATE t SET b = 'm' WHERE a = 1")
    while cursor.nextset():
        pass
    cursor.execute("SELECT %s, %s, %s", (None, 2.5, "x" * 20000))
    cursor.fetchall()
    cursor.execute("CALL several()")
    cursor.fetchall()
    while cursor.nextset():
        pass
    for _ in range(7):
        connection.ping()
    connection.select_db(os.environ["DB_NAME"])
    connection.begin()
    cursor.execute("DELETE FROM t WHERE a > %s", (5000,))
    connection.rollback()
    connection.commit()
    connection.close()


def busy():
    """Never idle. From the second line on it asks for another column, and then says how often it did."""
    connection = connect()
    cursor = connection.cursor()
    state = {"sql": "SELECT a FROM t WHERE a = %s", "counted": 0, "stop": False}

    def work():
        number = 0
        while not state["stop"]:
            sql = state["sql"]
            number = number % 1000 + 1
            cursor.execute(sql, (number,))
            cursor.fetchall()
            state["counted"] += sql.startswith("SELECT b")

    worker = threading.Thread(target=work)
    worker.start()
    say("ready")
    wait()
    state["sql"] = "SELECT b FROM t WHERE a = %s"
    time.sleep(1)
    state["stop"] = True
    worker.join()
    say(str(state["counted"]))
    wait()
    connection.close()


def sleep():
    """One statement, with the client's own clock around it."""
    connection = connect()
    cursor = connection.cursor()
    say("ready")
    wait()
    failed = None
    begin = time.perf_counter_ns()
    try:
        cursor.execute(sys.argv[3])
        cursor.fetchall()
    except driver.MySQLError as error:
        failed = error.args[0]
    say(json.dumps({"ns": time.perf_counter_ns() - begin, "failed": failed}))
    wait()


def timed():
    connection = connect()
    cursor = connection.cursor()
    measured = {}

    def measure(times, sql, *arguments):
        for number in range(times):
            begin = time.perf_counter_ns()
            cursor.execute(sql, arguments)
            cursor.fetchall()
            measured.setdefault(sql, []).append(time.perf_counter_ns() - begin)

    say("ready")
    wait()
    measure(300, "SELECT a, b FROM t WHERE a = %s", 7)
    measure(100, "UPDATE t SET b = %s WHERE a = %s", "x", 7)
    measure(10, "SELECT SLEEP(%s)", 0.02)
    measure(3, "SELECT SLEEP(%s), 1", 0.2)
    measure(10, "SELECT REPEAT(%s, 5000000)", "x")
    say(json.dumps(measured))
    wait()


def secrets():
    connection = connect(client_flag=MULTI_STATEMENTS)
    cursor = connection.cursor()
    for number in range(3):
        cursor.execute("SELECT a FROM t WHERE b = %s AND a = %s", ("hunter2-bound", 4929123412341234 + number))
        cursor.fetchall()
    cursor.execute("INSERT INTO t (a, b) VALUES (%s, %s)", (4929, "hunter2-row"))
    fails(cursor, "INSERT INTO t (a, b) VALUES (%s, %s)", 4929, "hunter2-again")
    fails(cursor, "SELECT 'hunter2-unfinished")
    cursor.execute("SELECT 'hunter2-first'; SELECT \"hunter2-second\"")
    while cursor.nextset():
        pass
    cursor.execute("SELECT b FROM t WHERE b IN %s", (("hunter2-a", "hunter2-b"),))
    connection.close()


modes = dict(normal=normal, busy=busy, sleep=sleep, timed=timed, secrets=secrets)
modes[sys.argv[2]]()
