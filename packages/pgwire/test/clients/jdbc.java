import java.math.BigDecimal;
import java.net.URI;
import java.sql.*;
import java.util.*;

/** Cases of the JDBC driver; says each as a line of JSON, as harness.ts does. */
class Jdbc {
    interface Case {
        void run() throws Exception;
    }

    static boolean failed = false;
    static String url;

    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray())
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 32) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        return out.append('"').toString();
    }

    static void check(String name, Case run) {
        long start = System.nanoTime();
        String error = null;
        try {
            run.run();
        } catch (Throwable thrown) {
            failed = true;
            java.io.StringWriter text = new java.io.StringWriter();
            thrown.printStackTrace(new java.io.PrintWriter(text));
            error = text.toString();
        }
        double ms = (System.nanoTime() - start) / 1e6;
        System.out.println("{\"name\":" + quoted(name) + ",\"ok\":" + (error == null)
            + ",\"ms\":" + String.format(Locale.ROOT, "%.1f", ms) + (error == null ? "" : ",\"error\":" + quoted(error)) + "}");
    }

    static void equal(Object actual, Object expected) {
        if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " is not " + expected);
    }

    static Connection open() throws SQLException {
        return DriverManager.getConnection(url);
    }

    public static void main(String[] args) throws Exception {
        URI uri = new URI(System.getenv("CLIENT_URLS").split(" ")[0]);
        url = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath() + "?user=cluster";
        try (Connection connection = open()) {
            check("migrations, and what the driver finds of them", () -> {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("CREATE TABLE parent (id serial PRIMARY KEY, name varchar(40) NOT NULL UNIQUE)");
                    statement.execute("CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                        + "parent_id integer NOT NULL REFERENCES parent (id), amount numeric(10,2), at timestamptz, "
                        + "tags text[], data jsonb, raw bytea)");
                    statement.execute("CREATE INDEX child_parent ON child (parent_id)");
                }
                DatabaseMetaData about = connection.getMetaData();
                equal(about.getDatabaseMajorVersion(), 15);
                List<String> tables = new ArrayList<>();
                try (ResultSet rows = about.getTables(null, "public", "%", new String[] {"TABLE"})) {
                    while (rows.next()) tables.add(rows.getString("TABLE_NAME"));
                }
                equal(tables, List.of("child", "parent"));
                List<String> columns = new ArrayList<>();
                try (ResultSet rows = about.getColumns(null, "public", "parent", "%")) {
                    while (rows.next())
                        columns.add(rows.getString("COLUMN_NAME") + " " + rows.getString("TYPE_NAME") + " "
                            + rows.getString("IS_NULLABLE") + " " + rows.getString("IS_AUTOINCREMENT"));
                }
                equal(columns, List.of("id serial NO YES", "name varchar NO NO"));
                try (ResultSet rows = about.getPrimaryKeys(null, "public", "child")) {
                    equal(rows.next(), true);
                    equal(rows.getString("COLUMN_NAME"), "id");
                }
                try (ResultSet rows = about.getImportedKeys(null, "public", "child")) {
                    equal(rows.next(), true);
                    equal(rows.getString("PKTABLE_NAME"), "parent");
                }
                Set<String> indexes = new TreeSet<>();
                try (ResultSet rows = about.getIndexInfo(null, "public", "child", false, false)) {
                    while (rows.next()) indexes.add(rows.getString("INDEX_NAME"));
                }
                equal(indexes, new TreeSet<>(List.of("child_parent", "child_pkey")));
            });

            check("CRUD: prepared statements, generated keys, batches, binary types", () -> {
                int parent;
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO parent (name) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                    insert.setString(1, "Ann");
                    equal(insert.executeUpdate(), 1);
                    ResultSet keys = insert.getGeneratedKeys();
                    keys.next();
                    parent = keys.getInt("id");
                }
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO child (parent_id, amount, at, tags, data, raw) VALUES (?, ?, ?, ?, ?::jsonb, ?)")) {
                    for (int i = 0; i < 100; i++) {
                        insert.setInt(1, parent);
                        insert.setBigDecimal(2, new BigDecimal(i + ".25"));
                        insert.setTimestamp(3, new Timestamp(1_700_000_000_000L + i));
                        insert.setArray(4, connection.createArrayOf("text", new String[] {"a" + i, "b \"q\""}));
                        insert.setString(5, "{\"i\": " + i + "}");
                        insert.setBytes(6, new byte[] {0, -1, (byte) i});
                        insert.addBatch();
                    }
                    equal(Arrays.stream(insert.executeBatch()).sum(), 100);
                }
                try (PreparedStatement select = connection.prepareStatement(
                        "SELECT id, amount, at, tags, data, raw FROM child WHERE amount = ?")) {
                    // The driver changes to binary results after five runs.
                    for (int i = 0; i < 10; i++) {
                        select.setBigDecimal(1, new BigDecimal(i + ".25"));
                        try (ResultSet rows = select.executeQuery()) {
                            equal(rows.next(), true);
                            equal(rows.getBigDecimal(2), new BigDecimal(i + ".25"));
                            equal(rows.getTimestamp(3).getTime(), 1_700_000_000_000L + i);
                            equal(Arrays.asList((Object[]) rows.getArray(4).getArray()), List.of("a" + i, "b \"q\""));
                            equal(rows.getString(5), "{\"i\": " + i + "}");
                            equal(rows.getBytes(6)[2], (byte) i);
                        }
                    }
                }
                try (PreparedStatement delete = connection.prepareStatement("DELETE FROM child WHERE amount > ?")) {
                    delete.setDouble(1, 89.5);
                    equal(delete.executeUpdate(), 10);
                }
            });

            check("transactions: commit, rollback, savepoints, isolation, read only", () -> {
                connection.setAutoCommit(false);
                connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                try (Statement statement = connection.createStatement()) {
                    statement.executeUpdate("INSERT INTO parent (name) VALUES ('kept')");
                    Savepoint point = connection.setSavepoint("point");
                    statement.executeUpdate("INSERT INTO parent (name) VALUES ('dropped')");
                    connection.rollback(point);
                    connection.commit();
                    statement.executeUpdate("DELETE FROM child");
                    connection.rollback();
                    ResultSet rows = statement.executeQuery("SELECT count(*), (SELECT count(*) FROM child) FROM parent");
                    rows.next();
                    equal(rows.getInt(1) + " " + rows.getInt(2), "2 90");
                    connection.commit();
                }
                connection.setReadOnly(true);
                try (Statement statement = connection.createStatement()) {
                    statement.executeUpdate("DELETE FROM child");
                    throw new AssertionError("a read-only transaction wrote");
                } catch (SQLException error) {
                    equal(error.getSQLState(), "25006");
                    connection.rollback();
                }
                connection.setReadOnly(false);
                connection.setAutoCommit(true);
            });

            check("errors: states, positions, constraints", () -> {
                try (Statement statement = connection.createStatement()) {
                    statement.executeUpdate("INSERT INTO parent (name) VALUES ('Ann')");
                    throw new AssertionError("a name came twice");
                } catch (org.postgresql.util.PSQLException error) {
                    equal(error.getSQLState(), "23505");
                    equal(error.getServerErrorMessage().getConstraint(), "parent_name_key");
                }
                try (Statement statement = connection.createStatement()) {
                    statement.executeQuery("SELECT 1 FROM nowhere");
                    throw new AssertionError("there is no such table");
                } catch (org.postgresql.util.PSQLException error) {
                    equal(error.getSQLState(), "42P01");
                    equal(error.getServerErrorMessage().getPosition(), 15);
                }
            });

            check("streaming by fetch size, a time-out, and cancelling", () -> {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement()) {
                    statement.setFetchSize(500);
                    long sum = 0;
                    ResultSet rows = statement.executeQuery("SELECT g FROM generate_series(1, 20000) g");
                    while (rows.next()) sum += rows.getLong(1);
                    equal(sum, 200010000L);
                }
                connection.commit();
                connection.setAutoCommit(true);
                try (Statement statement = connection.createStatement()) {
                    statement.setQueryTimeout(1);
                    statement.executeQuery("SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b");
                    throw new AssertionError("it was not cancelled");
                } catch (SQLException error) {
                    equal(error.getSQLState(), "57014");
                }
            });

            check("COPY by the driver's manager", () -> {
                var copy = new org.postgresql.copy.CopyManager(connection.unwrap(org.postgresql.core.BaseConnection.class));
                equal(copy.copyIn("COPY parent (name) FROM STDIN", new java.io.StringReader("copied\nalso\n")), 2L);
                var out = new java.io.StringWriter();
                copy.copyOut("COPY (SELECT name FROM parent WHERE name IN ('copied', 'also') ORDER BY 1) TO STDOUT", out);
                equal(out.toString(), "also\ncopied\n");
            });
        }
        System.out.println("{\"done\":true}");
        System.exit(failed ? 1 : 0);
    }
}
