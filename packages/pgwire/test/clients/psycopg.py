"""Cases of psycopg2; says each as a line of JSON, as harness.ts does."""
import datetime
import decimal
import json
import os
import sys
import threading
import time
import traceback
import uuid

import psycopg2
import psycopg2.errorcodes
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras

URL = os.environ["CLIENT_URLS"].split()[0]
failed = False


def check(name):
    def run(case):
        global failed
        start = time.monotonic()
        said = {"name": name, "ok": True}
        try:
            case()
        except Exception:
            failed = True
            said.update(ok=False, error=traceback.format_exc())
        said["ms"] = (time.monotonic() - start) * 1000
        print(json.dumps(said), flush=True)

    return run


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


connection = psycopg2.connect(URL)


@check("migrations")
def _():
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TABLE person (id serial PRIMARY KEY, name text NOT NULL UNIQUE, data jsonb, tags text[], at timestamptz);
            CREATE TABLE amount (id uuid PRIMARY KEY, person integer REFERENCES person, value numeric(10,2), day date, span interval);
            """
        )
        cursor.execute("ALTER TABLE person ADD COLUMN photo bytea")


@check("CRUD with Python's types")
def _():
    psycopg2.extras.register_uuid()
    at = datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=datetime.timezone.utc)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO person (name, data, tags, at, photo) VALUES (%s, %s, %s, %s, %s) RETURNING id",
            ("O'Hara", psycopg2.extras.Json({"a": [1, None]}), ["x", 'y "z"'], at, b"\x00\xff"),
        )
        (person,) = cursor.fetchone()
        key = uuid.uuid4()
        cursor.execute(
            "INSERT INTO amount VALUES (%s, %s, %s, %s, %s)",
            (key, person, decimal.Decimal("12.50"), datetime.date(2024, 2, 29), datetime.timedelta(days=1, hours=2)),
        )
        cursor.execute("SELECT name, data, tags, at, photo FROM person WHERE id = %s", (person,))
        name, data, tags, when, photo = cursor.fetchone()
        equal((name, data, tags, when, bytes(photo)), ("O'Hara", {"a": [1, None]}, ["x", 'y "z"'], at, b"\x00\xff"))
        cursor.execute("SELECT * FROM amount")
        equal(
            cursor.fetchone(),
            (key, person, decimal.Decimal("12.50"), datetime.date(2024, 2, 29), datetime.timedelta(days=1, hours=2)),
        )
        psycopg2.extras.execute_values(
            cursor, "INSERT INTO person (name) VALUES %s", [(f"p{i}",) for i in range(500)], page_size=100
        )
        psycopg2.extras.execute_batch(cursor, "UPDATE person SET tags = %s WHERE name = %s", [(["a"], "p1"), (["b"], "p2")])
        cursor.execute("DELETE FROM person WHERE name = ANY(%s)", (["p3", "p4"],))
        equal(cursor.rowcount, 2)


@check("transactions: commit, rollback, savepoints, isolation levels")
def _():
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT s")
        cursor.execute("DELETE FROM person WHERE name = 'p5'")
        cursor.execute("ROLLBACK TO SAVEPOINT s")
        connection.commit()
        cursor.execute("DELETE FROM amount")
        connection.rollback()
        cursor.execute("SELECT count(*) FROM amount")
        equal(cursor.fetchone(), (1,))
        connection.rollback()
    connection.set_session(isolation_level="SERIALIZABLE", readonly=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO person (name) VALUES ('never')")
        raise AssertionError("a read-only transaction wrote")
    except psycopg2.errors.ReadOnlySqlTransaction:
        connection.rollback()
    connection.set_session(isolation_level="DEFAULT", readonly=False)


@check("errors have classes and diagnostics")
def _():
    with connection.cursor() as cursor:
        try:
            cursor.execute("INSERT INTO person (name) VALUES ('p1')")
            raise AssertionError("a name came twice")
        except psycopg2.errors.UniqueViolation as error:
            equal(error.diag.constraint_name, "person_name_key")
            equal(error.pgcode, psycopg2.errorcodes.UNIQUE_VIOLATION)
        try:
            cursor.execute("SELECT 1")
            raise AssertionError("a failed transaction went on")
        except psycopg2.errors.InFailedSqlTransaction:
            connection.rollback()
        try:
            cursor.execute("SELEC 1")
        except psycopg2.errors.SyntaxError as error:
            equal(error.diag.statement_position, "1")
            connection.rollback()


@check("streaming by a named cursor; scrolling; dictionaries")
def _():
    with connection.cursor(name="big") as cursor:
        cursor.itersize = 1000
        cursor.execute("SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g")
        equal(sum(row[0] for row in cursor), 200010000)
    connection.commit()
    with connection.cursor(name="back", scrollable=True) as cursor:
        cursor.execute("SELECT g FROM generate_series(1, 10) g")
        equal([row[0] for row in cursor.fetchmany(4)], [1, 2, 3, 4])
        cursor.scroll(-2)
        equal(cursor.fetchone(), (3,))
    connection.commit()
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT 1 AS one")
        equal(dict(cursor.fetchone()), {"one": 1})
    connection.commit()


@check("a statement is cancelled from another thread")
def _():
    with connection.cursor() as cursor:
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        try:
            cursor.execute("SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b")
            raise AssertionError("it was not cancelled")
        except psycopg2.errors.QueryCanceled:
            connection.rollback()


@check("copy_expert in and out")
def _():
    import io

    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE copied (a integer PRIMARY KEY, b text)")
        cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("1\tone\n2\t\\N\n3\ta\\tb\n"))
        out = io.StringIO()
        cursor.copy_expert("COPY copied TO STDOUT WITH (FORMAT csv)", out)
        equal(sorted(out.getvalue().splitlines()), ["1,one", "2,", "3,a\tb"])


connection.close()
print(json.dumps({"done": True}), flush=True)
sys.exit(1 if failed else 0)
