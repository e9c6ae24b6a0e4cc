/* Load for MariaDB Galera: one connection and one thread a caller, prepared statements, a closed loop.
 *
 * usage: galera-client KIND CALLERS WARM_UP_MS MEASURED_MS FIRST_ID ROWS PORT...
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

static void *work(void *argument) {
  struct caller *caller = argument;
  MYSQL *db = mysql_init(NULL);
  if (!mysql_real_connect(db, "127.0.0.1", "root", "", "bench", caller->port, NULL, 0)) fail(db, "connect");
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
    double ended = now_ms();
    if (started >= warm_up_end && caller->count < LATENCIES_MAX / 64)
      caller->latencies[caller->count++] = (unsigned)((ended - started) * 1000);
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
  for (int i = 0; i < callers; i++) {
    all[i].number = i;
    all[i].port = atoi(argv[7 + i % ports]);
    all[i].latencies = malloc(LATENCIES_MAX / 64 * sizeof(unsigned));
    if (pthread_create(&all[i].thread, NULL, work, &all[i])) return 1;
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
