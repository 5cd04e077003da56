/* libpq's pipeline mode as a client of the end-to-end tests: many executions of one prepared statement before any
 * answer is read, a flush request instead of a synchronisation, and an error with skipped statements behind it.
 *
 * Usage: libpq_pipeline CONNINFO. Prints what it got: results, errors, results that were skipped. */

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *connection;

static void need(int done, const char *what)
{
    if (!done) {
        fprintf(stderr, "%s: %s", what, PQerrorMessage(connection));
        exit(1);
    }
}

static void execute(const char *statement, const char *value)
{
    const char *values[1] = {value};
    need(PQsendQueryPrepared(connection, statement, 1, values, NULL, NULL, 0), "PQsendQueryPrepared");
}

static int good, failed, skipped, synchronised;

/* Reads the results of so many statements and synchronisations. */
static void read_results(int statements, int synchronisations)
{
    while (statements > 0 || synchronisations > 0) {
        PGresult *result = PQgetResult(connection);
        if (result == NULL)
            continue;
        switch (PQresultStatus(result)) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
            good++;
            statements--;
            break;
        case PGRES_FATAL_ERROR:
            failed++;
            statements--;
            break;
        case PGRES_PIPELINE_ABORTED:
            skipped++;
            statements--;
            break;
        case PGRES_PIPELINE_SYNC:
            synchronised++;
            synchronisations--;
            break;
        default:
            need(0, PQresStatus(PQresultStatus(result)));
        }
        PQclear(result);
    }
}

int main(int count, char **arguments)
{
    char number[16];
    if (count != 2)
        return 2;
    connection = PQconnectdb(arguments[1]);
    need(PQstatus(connection) == CONNECTION_OK, "PQconnectdb");
    PQclear(PQprepare(connection, "read", "SELECT a, b FROM t WHERE a = $1", 1, NULL));
    PQclear(PQprepare(connection, "divide", "SELECT 100 / $1::int", 1, NULL));
    need(PQenterPipelineMode(connection), "PQenterPipelineMode");

    /* Many executions, one synchronisation. */
    for (int i = 0; i < 1000; i++) {
        snprintf(number, sizeof number, "%d", i);
        execute("read", number);
    }
    need(PQpipelineSync(connection), "PQpipelineSync");
    read_results(1000, 1);

    /* Answers by request, and the synchronisation later. */
    for (int i = 0; i < 50; i++) {
        execute("read", "5");
        need(PQsendFlushRequest(connection), "PQsendFlushRequest");
        need(PQflush(connection) == 0, "PQflush");
        read_results(1, 0);
    }
    need(PQpipelineSync(connection), "PQpipelineSync");
    read_results(0, 1);

    /* The tenth fails, ten more are skipped, and what follows the synchronisation works. */
    for (int i = 0; i < 20; i++)
        execute("divide", i == 9 ? "0" : "7");
    need(PQpipelineSync(connection), "PQpipelineSync");
    for (int i = 0; i < 5; i++)
        execute("read", "6");
    need(PQpipelineSync(connection), "PQpipelineSync");
    read_results(25, 2);

    /* One that cannot be parsed, and one behind it. */
    need(PQsendQueryParams(connection, "SELEC 1", 0, NULL, NULL, NULL, NULL, 0), "PQsendQueryParams");
    need(PQsendQueryParams(connection, "SELECT 2", 0, NULL, NULL, NULL, NULL, 0), "PQsendQueryParams");
    need(PQpipelineSync(connection), "PQpipelineSync");
    read_results(2, 1);

    need(PQexitPipelineMode(connection), "PQexitPipelineMode");
    PQfinish(connection);
    printf("good %d failed %d skipped %d synchronised %d\n", good, failed, skipped, synchronised);
    return 0;
}
