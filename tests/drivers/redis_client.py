"""redis-py as a client of the end-to-end tests.

Usage: redis_client.py MODE [ARGUMENT], with the server in DB_HOST and DB_PORT, or in DB_SOCKET, and a password in
DB_PASSWORD if it has one. Modes that a test talks to read lines of stdin: one line starts each step, and each step ends
with a line on stdout. The others run to their end.
"""

import json
import os
import sys
import threading
import time

import redis

if "DB_SOCKET" in os.environ:
    PLACE = dict(unix_socket_path=os.environ["DB_SOCKET"])
else:
    PLACE = dict(host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]))


def connect(**options):
    return redis.Redis(**PLACE, password=os.environ.get("DB_PASSWORD"), **options)


def wait():
    if not sys.stdin.readline():
        sys.exit(0)


def say(text):
    print(text, flush=True)


def fails(call, *arguments):
    try:
        call(*arguments)
    except redis.RedisError:
        return
    raise AssertionError(call)


def normal():
    client = connect()
    for number in range(200):
        client.set("session:%d" % number, "value %d" % number, ex=60)
    for number in range(300):
        client.get("session:%d" % number)
    client.mget(["session:%d" % n for n in range(50)])
    client.mset({"batch:%d" % n: n for n in range(50)})
    client.hset("cart:1", mapping={"a": 1, "b": 2})
    client.hgetall("cart:1")
    client.set("page:1", b"\r\n$3\r\n+OK\r\n*2\r\n" * 20000)
    client.get("page:1")
    client.set(b"binary:\x00\xff\r\n", "x")
    fails(client.lpop, "session:1")
    fails(client.execute_command, "NOSUCHCOMMAND", "x")
    fails(client.execute_command, "GET")
    client.close()


def pipelines():
    client = connect()
    pipe = client.pipeline(transaction=False)
    for number in range(3000):
        pipe.hset("cart:%d" % number, "item", number)
        pipe.hget("cart:%d" % number, "item")
    pipe.lpop("cart:1")
    pipe.get("cart:none")
    answers = pipe.execute(raise_on_error=False)
    assert len(answers) == 6002 and isinstance(answers[6000], redis.ResponseError)
    # Transactions: queued commands are answered when EXEC is.
    for number in range(50):
        with client.pipeline() as pipe:
            pipe.incr("visits")
            pipe.expire("visits", 60)
            pipe.get("visits")
            pipe.execute()
    with client.pipeline() as pipe:
        pipe.incr("visits")
        pipe.lpush("visits", 1)
        pipe.execute(raise_on_error=False)
    with client.pipeline() as pipe:
        pipe.watch("visits")
        client.incr("visits")
        pipe.multi()
        pipe.incr("visits")
        fails(pipe.execute)
    client.close()


def scripts():
    client = connect()
    add = client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    for number in range(30):
        add(keys=["sum:1"], args=[number])
    client.eval("return {1, 2, {3, 'four'}}", 0)
    fails(client.eval, "return redis.error_reply('MINE of a script')", 0)
    fails(client.evalsha, "f" * 40, 0)
    client.close()


def published():
    """Subscribes, hears everything, and leaves; another connection publishes."""
    client = connect()
    pubsub = client.pubsub()
    pubsub.subscribe("news", "weather")
    pubsub.psubscribe("chat:*")

    def hear(most):
        heard = 0
        deadline = time.time() + 10
        while heard < most and time.time() < deadline:
            heard += pubsub.get_message(timeout=0.5) is not None
        assert heard == most, heard

    hear(3)
    for number in range(100):
        client.publish("news", "hello %d" % number)
        client.publish("chat:%d" % number, "hi")
    client.publish("nobody", "listens")
    hear(200)
    pubsub.ping()
    pubsub.unsubscribe()
    pubsub.punsubscribe()
    hear(1 + 3)
    pubsub.close()
    client.close()


def monitored():
    client = connect()
    with client.monitor() as monitor:
        for number in range(50):
            client.set("watched:%d" % number, "x")
        for _ in range(50):
            monitor.next_command()
    client.close()


def blocking():
    client, other = connect(), connect()
    for _ in range(3):
        later = threading.Timer(0.15, other.rpush, ("jobs:1", "one"))
        later.start()
        assert client.blpop("jobs:1", timeout=5)
        later.join()
    assert client.blpop("jobs:none", timeout=1) is None
    client.xread({"stream:1": "$"}, block=100)
    client.wait(0, 10)
    client.close()
    other.close()


def waits():
    """Hangs in a command until the connection is closed for it."""
    client = connect()
    client.ping()
    say("ready")
    wait()
    try:
        client.execute_command(*sys.argv[2].split(" "))
    except redis.RedisError as error:
        say(str(error))
    wait()


def busy():
    """Never idle. From the second line on it asks for other keys, and then says how often it did."""
    client = connect()
    state = {"name": "first", "counted": 0, "stop": False}

    def work():
        number = 0
        while not state["stop"]:
            name, number = state["name"], number + 1
            client.get("%s:%d" % (name, number))
            state["counted"] += name == "second"

    worker = threading.Thread(target=work)
    worker.start()
    say("ready")
    wait()
    state["name"] = "second"
    time.sleep(1)
    state["stop"] = True
    worker.join()
    say(str(state["counted"]))
    wait()


def timed():
    client = connect()
    client.set("large:1", "x" * 5000000)
    measured = {}

    def measure(times, name, *words):
        for _ in range(times):
            begin = time.perf_counter_ns()
            client.execute_command(*words)
            measured.setdefault(name, []).append(time.perf_counter_ns() - begin)

    say("ready")
    wait()
    measure(500, "GET timed:?", "GET", "timed:1")
    measure(300, "SET timed:?", "SET", "timed:1", "x")
    measure(5, "DEBUG", "DEBUG", "SLEEP", "0.2")
    measure(10, "GET large:?", "GET", "large:1")
    say(json.dumps(measured))
    wait()


def secrets():
    client = connect()
    client.set("user:4929123412341234:card", "hunter2-value", ex=4929)
    client.get("user:4929123412341234:card")
    client.hset("session:4d6a4b1e0f5c4929123412341234a7c9", "field", "hunter2-field")
    client.hget("session:4d6a4b1e0f5c4929123412341234a7c9", "field")
    client.eval("return 'hunter2-script' .. ARGV[1]", 1, "user:4929123412341234", "hunter2-argument")
    client.execute_command("ACL", "SETUSER", "someone", "on", ">hunter2-acl", "~*", "&*", "+@all")
    client.execute_command("AUTH", "someone", "hunter2-acl")
    fails(client.execute_command, "AUTH", "someone", "hunter2-wrong")
    fails(client.execute_command, "AUTH", "hunter2-short")
    client.execute_command("HELLO", "2", "AUTH", "someone", "hunter2-acl", "SETNAME", "hunter2name")
    client.execute_command("CONFIG", "SET", "masterauth", "hunter2-master")
    client.execute_command("CONFIG", "GET", "masterauth")
    client.publish("channel:4929123412341234", "hunter2-published")
    client.execute_command("ECHO", "hunter2-echo")
    fails(client.lpop, "user:4929123412341234:card")
    client.execute_command("CONFIG", "SET", "requirepass", "hunter2-require")
    client.execute_command("CONFIG", "SET", "requirepass", os.environ.get("DB_PASSWORD", ""))
    client.close()


modes = dict(
    normal=normal,
    pipelines=pipelines,
    scripts=scripts,
    published=published,
    monitored=monitored,
    blocking=blocking,
    waits=waits,
    busy=busy,
    timed=timed,
    secrets=secrets,
)
modes[sys.argv[1]]()
