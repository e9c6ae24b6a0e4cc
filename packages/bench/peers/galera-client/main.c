/* Load for MariaDB Galera: one connection and one thread a caller, prepared statements, a closed loop.
 *
 * usage: galera-client KIND CALLERS WARM_UP_MS MEASURED_MS FIRST_ID ROWS PORT...
 * Kinds: insert, update, transaction, counter, read of the table kv; select, simple and tpcb are pgbench's scripts over its
 * tables, with FIRST_ID branches and ROWS accounts; first-row connects anew each time and asks for one row; rows asks for
 * ROWS rows, once.
 * Callers are spread over the ports. Every operation that ended in the measured time is one line: its microseconds.
 * The last line is `done OPERATIONS_REFUSED`: deadlocks and lost certifications, which are tried again at once. */
#include <mariadb/mysql.h>
#include <mariadb/mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_LENGTH 100
#define LATENCIES_MAX 4000000

static const char *kind;
static double warm_up_end, measured_end;
static long first_id, rows;
static char text[TEXT_LENGTH];

struct caller {
  pthread_t thread;
  int number, port;
  long id, refused;
  unsigned *latencies;
  long count;
};

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void fail(MYSQL *db, const char *what) {
  fprintf(stderr, "%s: %s\n", what, mysql_error(db));
  exit(1);
}

static int lost_race(unsigned error) {
  return error == ER_LOCK_DEADLOCK || error == ER_LOCK_WAIT_TIMEOUT || error == ER_UNKNOWN_COM_ERROR;
}

/* True when it took effect; false when it lost a race. */
static int run(MYSQL *db, MYSQL_STMT *statement, const char *what) {
  if (mysql_stmt_execute(statement) == 0) {
    if (mysql_stmt_field_count(statement) > 0) {
      mysql_stmt_store_result(statement);
      mysql_stmt_free_result(statement);
    }
    return 1;
  }
  if (!lost_race(mysql_stmt_errno(statement))) {
    fprintf(stderr, "%s: %s\n", what, mysql_stmt_error(statement));
    exit(1);
  }
  (void)db;
  return 0;
}

static int transaction(MYSQL *db, MYSQL_STMT *insert, struct caller *caller) {
  if (mysql_query(db, "BEGIN")) fail(db, "BEGIN");
  for (int i = 0; i < 5; i++) {
    caller->id++;
    if (!run(db, insert, "INSERT")) {
      mysql_query(db, "ROLLBACK");
      return 0;
    }
  }
  if (mysql_query(db, "COMMIT") == 0) return 1;
  if (!lost_race(mysql_errno(db))) fail(db, "COMMIT");
  mysql_query(db, "ROLLBACK");
  return 0;
}

static MYSQL *connected(struct caller *caller) {
  MYSQL *db = mysql_init(NULL);
  if (!mysql_real_connect(db, "127.0.0.1", "root", "", "bench", caller->port, NULL, 0)) fail(db, "connect");
  return db;
}

static void note(struct caller *caller, double started) {
  if (started >= warm_up_end && caller->count < LATENCIES_MAX / 64)
    caller->latencies[caller->count++] = (unsigned)((now_ms() - started) * 1000);
}

/* What pgbench's scripts draw. */
struct draw {
  int aid, bid, tid, delta;
};

static const struct {
  const char *sql;
  /* Which draws its parameters are, in order. */
  const char *parameters;
} scripted[] = {
    {"SELECT abalance FROM pgbench_accounts WHERE aid = ?", "a"},
    {"UPDATE pgbench_accounts SET abalance = abalance + ? WHERE aid = ?", "da"},
    {"UPDATE pgbench_tellers SET tbalance = tbalance + ? WHERE tid = ?", "dt"},
    {"UPDATE pgbench_branches SET bbalance = bbalance + ? WHERE bid = ?", "db"},
    {"INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (?, ?, ?, ?, CURRENT_TIMESTAMP)", "tbad"},
};
enum { SELECT, ACCOUNT, TELLER, BRANCH, HISTORY, SCRIPTED };

/* One transaction of pgbench. True when it took effect; false when it lost a race. */
static int scripted_transaction(MYSQL *db, MYSQL_STMT **all) {
  static const int simple[] = {ACCOUNT, SELECT, HISTORY}, tpcb[] = {ACCOUNT, SELECT, TELLER, BRANCH, HISTORY};
  if (!strcmp(kind, "select")) return run(db, all[SELECT], "SELECT");
  int count = !strcmp(kind, "simple") ? 3 : 5;
  const int *steps = count == 3 ? simple : tpcb;
  if (mysql_query(db, "BEGIN")) fail(db, "BEGIN");
  for (int i = 0; i < count; i++)
    if (!run(db, all[steps[i]], scripted[steps[i]].sql)) {
      mysql_query(db, "ROLLBACK");
      return 0;
    }
  if (mysql_query(db, "COMMIT") == 0) return 1;
  if (!lost_race(mysql_errno(db))) fail(db, "COMMIT");
  mysql_query(db, "ROLLBACK");
  return 0;
}

static void *script(void *argument) {
  struct caller *caller = argument;
  MYSQL *db = connected(caller);
  struct draw draw;
  MYSQL_STMT *all[SCRIPTED];
  for (int i = 0; i < SCRIPTED; i++) {
    all[i] = mysql_stmt_init(db);
    if (mysql_stmt_prepare(all[i], scripted[i].sql, strlen(scripted[i].sql))) fail(db, scripted[i].sql);
    MYSQL_BIND bound[4] = {{0}, {0}, {0}, {0}};
    for (int k = 0; scripted[i].parameters[k]; k++) {
      char which = scripted[i].parameters[k];
      bound[k].buffer_type = MYSQL_TYPE_LONG;
      bound[k].buffer = which == 'a' ? &draw.aid : which == 'b' ? &draw.bid : which == 't' ? &draw.tid : &draw.delta;
    }
    if (mysql_stmt_bind_param(all[i], bound)) fail(db, "bind");
  }
  unsigned seed = 12345 + caller->number;
  for (double started = now_ms(); started < measured_end; started = now_ms()) {
    draw.aid = 1 + rand_r(&seed) % rows;
    draw.bid = 1 + rand_r(&seed) % first_id;
    draw.tid = 1 + rand_r(&seed) % (10 * first_id);
    draw.delta = rand_r(&seed) % 10001 - 5000;
    while (!scripted_transaction(db, all)) caller->refused++;
    note(caller, started);
  }
  for (int i = 0; i < SCRIPTED; i++) mysql_stmt_close(all[i]);
  mysql_close(db);
  return NULL;
}

/* All rows of a result, thrown away as they come. */
static long rows_of(MYSQL *db, const char *sql) {
  if (mysql_query(db, sql)) fail(db, sql);
  MYSQL_RES *result = mysql_use_result(db);
  long count = 0;
  while (mysql_fetch_row(result)) count++;
  mysql_free_result(result);
  return count;
}

static void *first_row(void *argument) {
  struct caller *caller = argument;
  for (double started = now_ms(); started < measured_end; started = now_ms()) {
    MYSQL *db = connected(caller);
    rows_of(db, "SELECT 1");
    note(caller, started);
    mysql_close(db);
  }
  return NULL;
}

static void *many_rows(void *argument) {
  struct caller *caller = argument;
  MYSQL *db = connected(caller);
  char sql[200];
  snprintf(sql, sizeof sql, "SELECT seq, 'a text of about thirty characters' AS t FROM seq_1_to_%ld", rows);
  double started = now_ms();
  if (rows_of(db, sql) != rows) fail(db, sql);
  caller->latencies[caller->count++] = (unsigned)((now_ms() - started) * 1000);
  mysql_close(db);
  return NULL;
}

static void *work(void *argument) {
  struct caller *caller = argument;
  MYSQL *db = connected(caller);
  int inserts = !strcmp(kind, "insert") || !strcmp(kind, "transaction");
  int updates = !strcmp(kind, "update");
  int counts = !strcmp(kind, "counter");
  const char *sql = inserts   ? "INSERT INTO kv (id, value) VALUES (?, ?)"
                    : updates ? "UPDATE kv SET value = ? WHERE id = ?"
                    : counts  ? "UPDATE counters SET n = n + 1 WHERE id = 1"
                              : "SELECT value FROM kv WHERE id = ?";
  MYSQL_STMT *statement = mysql_stmt_init(db);
  if (mysql_stmt_prepare(statement, sql, strlen(sql))) fail(db, sql);
  MYSQL_BIND id = {0}, value = {0}, bound[2] = {{0}, {0}};
  unsigned long length = TEXT_LENGTH;
  id.buffer_type = MYSQL_TYPE_LONGLONG;
  id.buffer = &caller->id;
  value.buffer_type = MYSQL_TYPE_STRING;
  value.buffer = text;
  value.buffer_length = TEXT_LENGTH;
  value.length = &length;
  if (inserts) bound[0] = id, bound[1] = value;
  else if (updates) bound[0] = value, bound[1] = id;
  else if (!counts) bound[0] = id;
  if (!counts && mysql_stmt_bind_param(statement, bound)) fail(db, "bind");
  unsigned seed = 12345 + caller->number;
  caller->id = first_id + caller->number * 10000000L;
  for (;;) {
    double started = now_ms();
    if (started >= measured_end) break;
    if (!strcmp(kind, "transaction")) {
      while (!transaction(db, statement, caller)) caller->refused++;
    } else {
      if (inserts) caller->id++;
      else caller->id = 1 + rand_r(&seed) % rows;
      while (!run(db, statement, sql)) caller->refused++;
    }
    note(caller, started);
  }
  mysql_stmt_close(statement);
  mysql_close(db);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 8) {
    fprintf(stderr, "usage: galera-client KIND CALLERS WARM_UP_MS MEASURED_MS FIRST_ID ROWS PORT...\n");
    return 2;
  }
  kind = argv[1];
  int callers = atoi(argv[2]), ports = argc - 7;
  first_id = atol(argv[5]);
  rows = atol(argv[6]);
  memset(text, 'x', sizeof text);
  mysql_library_init(0, NULL, NULL);
  warm_up_end = now_ms() + atof(argv[3]);
  measured_end = warm_up_end + atof(argv[4]);
  struct caller *all = calloc(callers, sizeof *all);
  void *(*loop)(void *) = !strcmp(kind, "select") || !strcmp(kind, "simple") || !strcmp(kind, "tpcb") ? script
                          : !strcmp(kind, "first-row")                                                ? first_row
                          : !strcmp(kind, "rows")                                                     ? many_rows
                                                                                                      : work;
  for (int i = 0; i < callers; i++) {
    all[i].number = i;
    all[i].port = atoi(argv[7 + i % ports]);
    all[i].latencies = malloc(LATENCIES_MAX / 64 * sizeof(unsigned));
    if (pthread_create(&all[i].thread, NULL, loop, &all[i])) return 1;
  }
  long refused = 0;
  for (int i = 0; i < callers; i++) {
    pthread_join(all[i].thread, NULL);
    for (long k = 0; k < all[i].count; k++) printf("%u\n", all[i].latencies[k]);
    refused += all[i].refused;
  }
  printf("done %ld\n", refused);
  return 0;
}
