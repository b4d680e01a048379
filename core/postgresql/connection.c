/* Connections to PostgreSQL: see connection.h. */
#include "connection.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/mutant.h"

/* Types of PostgreSQL; these numbers never change. */
enum {
	OID_BYTES = 17,
	OID_NUMBER = 20,
	OID_TEXT = 25,
	OID_ARRAY_OF_BYTES = 1001,
	OID_ARRAY_OF_NUMBERS = 1016
};

#define HOSTS_MAX 16

struct tf_pg {
	PGconn *conn; /* NULL: connect first */
	char *uri;    /* without our own parameters */
	uint64_t answer_s;
	char replicas[16];
	/* As libpq understood the URI: lists with a comma. */
	char *host, *hostaddr, *port;
	unsigned n_hosts, first; /* the host to begin with */
	bool warned; /* the server sent a warning since the question */
};

/* --- arguments and values -------------------------------------------- */

static void
add_arg(struct tf_pg_args *a, Oid type, const void *p, size_t n)
{
	a->type[a->n] = type;
	a->p[a->n] = p;
	a->len[a->n] = (int)n;
	a->n++;
}

void
tf_pg_arg_text(struct tf_pg_args *a, const char *s)
{
	add_arg(a, OID_TEXT, s, strlen(s));
}

void
tf_pg_arg_bytes(struct tf_pg_args *a, struct tf_str bytes)
{
	add_arg(a, OID_BYTES, bytes.p, bytes.n);
}

void
tf_pg_arg_number(struct tf_pg_args *a, uint64_t v)
{
	/* bigint has a sign; no ledger is that long. */
	tf_put_be64(a->number[a->n], v > INT64_MAX ? INT64_MAX : v);
	add_arg(a, OID_NUMBER, a->number[a->n], 8);
}

void
tf_pg_arg_null_number(struct tf_pg_args *a)
{
	add_arg(a, OID_NUMBER, NULL, 0);
}

static void
add_be32(struct tf_buf *b, uint32_t v)
{
	uint8_t raw[4];

	tf_put_be32(raw, v);
	tf_buf_add(b, raw, sizeof(raw));
}

void
tf_pg_array_begin(struct tf_buf *b, bool of_numbers, size_t n)
{
	add_be32(b, n > 0); /* dimensions */
	add_be32(b, 0);	    /* no NULL in it */
	add_be32(b, of_numbers ? OID_NUMBER : OID_BYTES);
	if (n > 0) {
		add_be32(b, (uint32_t)n);
		add_be32(b, 1); /* index of the first */
	}
}

void
tf_pg_array_bytes(struct tf_buf *b, const void *p, size_t n)
{
	add_be32(b, (uint32_t)n);
	tf_buf_add(b, p, n);
}

void
tf_pg_array_number(struct tf_buf *b, uint64_t v)
{
	uint8_t raw[8];

	tf_put_be64(raw, v > INT64_MAX ? INT64_MAX : v);
	tf_pg_array_bytes(b, raw, sizeof(raw));
}

void
tf_pg_arg_array(struct tf_pg_args *a, bool of_numbers, const struct tf_buf *b)
{
	add_arg(a, of_numbers ? OID_ARRAY_OF_NUMBERS : OID_ARRAY_OF_BYTES, b->p,
	    b->n);
}

uint64_t
tf_pg_number(const PGresult *r, int row, int column)
{
	const uint8_t *p;
	uint64_t v = 0;
	int n;

	if (PQgetisnull(r, row, column))
		return 0;
	p = (const uint8_t *)PQgetvalue(r, row, column);
	n = PQgetlength(r, row, column);
	if ((n != 4 && n != 8) || p[0] > 127)
		return 0;
	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

bool
tf_pg_bool(const PGresult *r, int row, int column)
{
	return !PQgetisnull(r, row, column) && *PQgetvalue(r, row, column) == 1;
}

struct tf_str
tf_pg_bytes(const PGresult *r, int row, int column)
{
	if (PQgetisnull(r, row, column))
		return (struct tf_str){ 0 };
	return (struct tf_str){ PQgetvalue(r, row, column),
		(size_t)PQgetlength(r, row, column) };
}

bool
tf_pg_is(const PGresult *r, int row, int column, const char *word)
{
	return tf_str_same(tf_pg_bytes(r, row, column), tf_str_of(word));
}

/* --- URI ---------------------------------------------------------------- */

/* The value of parameter name, n bytes at p, if it is one of ours. */
static enum tf_code
own_parameter(struct tf_pg *c, const char *p, size_t n, bool *own,
    struct tf_error *err)
{
	static const char timeout[] = "answer_timeout=",
			  replicas[] = "replicas=";

	*own = true;
	if (n >= strlen(timeout) && memcmp(p, timeout, strlen(timeout)) == 0) {
		p += strlen(timeout);
		n -= strlen(timeout);
		if (!tf_decimal(p, n, 86400, &c->answer_s) || c->answer_s == 0)
			return tf_fail(err, TF_INVALID,
			    "answer_timeout is not 1 to 86400 seconds");
	} else if (n >= strlen(replicas) &&
	    memcmp(p, replicas, strlen(replicas)) == 0) {
		p += strlen(replicas);
		n -= strlen(replicas);
		if (!(n == 8 && memcmp(p, "required", n) == 0) &&
		    !(n == 4 && memcmp(p, "none", n) == 0))
			return tf_fail(err, TF_INVALID,
			    "replicas is neither required nor none");
		(void)snprintf(c->replicas, sizeof(c->replicas), "%.*s", (int)n,
		    p);
	} else {
		*own = false;
	}
	return TF_OK;
}

/* Copy uri to c->uri without our own parameters. */
static enum tf_code
take_own(struct tf_pg *c, const char *uri, struct tf_error *err)
{
	const char *p = strchr(uri, '?');
	char join = '?';
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;
	bool own;

	tf_buf_add(&b, uri, p == NULL ? strlen(uri) : (size_t)(p - uri));
	while (rc == TF_OK && p != NULL && *p != '\0') {
		size_t n = strcspn(++p, "&");

		rc = own_parameter(c, p, n, &own, err);
		if (rc == TF_OK && !own && n > 0) {
			tf_buf_add(&b, &join, 1);
			tf_buf_add(&b, p, n);
			join = '&';
		}
		p += n;
	}
	if (rc == TF_OK)
		rc = tf_buf_end(&b, err);
	if (rc == TF_OK && (c->uri = strdup(b.n > 0 ? b.p : "")) == NULL)
		rc = tf_nomem(err);
	tf_buf_free(&b);
	return rc;
}

static const char *
option(const PQconninfoOption *all, const char *keyword)
{
	for (; all->keyword != NULL; all++)
		if (strcmp(all->keyword, keyword) == 0)
			return all->val == NULL ? "" : all->val;
	return "";
}

/* A malformed URI is an error here: libpq's text would have all of it. */
static enum tf_code
check_secrets(const struct tf_pg *c, struct tf_error *err)
{
	PQconninfoOption *o = PQconninfoParse(c->uri, NULL);
	bool secret;

	if (o == NULL)
		return tf_fail(err, TF_INVALID,
		    "not a URI of PostgreSQL: postgresql://HOST/DATABASE?...");
	secret = *option(o, "password") != '\0' ||
	    *option(o, "sslpassword") != '\0';
	PQconninfoFree(o);
	if (secret)
		return tf_fail(err, TF_INVALID,
		    "no password in the URI, everybody can see it: use passfile=");
	return TF_OK;
}

/* Element i of a list with commas; an empty one if there is none. */
static struct tf_str
element(const char *list, unsigned i)
{
	for (; i > 0; i--) {
		list = strchr(list, ',');
		if (list == NULL)
			return (struct tf_str){ "", 0 };
		list++;
	}
	return (struct tf_str){ list, strcspn(list, ",") };
}

static unsigned
count_elements(const char *list)
{
	unsigned n = 1;

	if (*list == '\0')
		return 0;
	while ((list = strchr(list, ',')) != NULL) {
		list++;
		n++;
	}
	return n;
}

/* Is it this machine: a socket, or a loopback address? */
static bool
is_here(struct tf_str host)
{
	char s[64];
	unsigned d[4];
	int end = 0;

	if (host.n == 0 || host.p[0] == '/' || host.p[0] == '@')
		return true; /* libpq's own choice without one: a socket */
	if (host.n >= sizeof(s))
		return false;
	memcpy(s, host.p, host.n);
	s[host.n] = '\0';
	if (strcmp(s, "localhost") == 0 || strcmp(s, "::1") == 0)
		return true;
	return sscanf(s, "%3u.%3u.%3u.%3u%n", &d[0], &d[1], &d[2], &d[3],
		   &end) == 4 &&
	    (size_t)end == host.n && d[0] == 127;
}

/* --- connecting ------------------------------------------------------- */

static void
on_notice(void *arg, const PGresult *r)
{
	struct tf_pg *c = arg;
	const char *severity = PQresultErrorField(r,
	    PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		c->warned = true;
}

/* The bytes of the first line. */
static int
line(const char *text)
{
	return (int)strcspn(text, "\n");
}

static bool
has(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

/*
 * What a failure of TLS means: the words of OpenSSL do not say whose certificate it
 * is about.  A server whose list of revoked certificates (CRL) is over says of each
 * certificate that it has expired.
 */
static const char *
explain(const char *text)
{
	static const struct {
		const char *says, *means;
	} known[] = {
		{ "alert certificate expired",
		    "our certificate (sslcert), or its CRL, has expired: " },
		{ "alert certificate revoked",
		    "our certificate (sslcert) is revoked: " },
		{ "alert unknown ca",
		    "it does not know who signed our certificate (sslcert): " },
		{ "certificate verify failed",
		    "its certificate has expired, or sslrootcert does not "
		    "vouch for it: " },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (has(text, known[i].says))
			return known[i].means;
	return "";
}

/*
 * Why a connection failed.  libpq gives only a text.  Texts of a server may be in
 * any language; what is not known is TF_IO, and that may pass.
 */
static enum tf_code
connect_failed(PGconn *conn, struct tf_error *err)
{
	static const char before[] = "failed: ";
	const char *text = PQerrorMessage(conn), *host = PQhost(conn), *p;
	enum tf_code code = TF_IO;

	if (has(text, "read-only") || has(text, "read-write") ||
	    has(text, "standby") || has(text, "starting up") ||
	    has(text, "shutting down") || has(text, "too many"))
		code = TF_IO;
	else if (has(text, "database \"") && has(text, "does not exist"))
		code = TF_NOTFOUND;
	else if (has(text, "authentication failed") || has(text, "pg_hba") ||
	    has(text, "no password supplied") || has(text, "role \"") ||
	    has(text, "permission denied for database") ||
	    (has(text, "certificate") && !has(text, "timeout")) ||
	    has(text, "SSL error: tls") || has(text, "alert"))
		code = TF_ACCESS;
	/* A line for each host: the last one was tried last. */
	while (text[line(text)] != '\0' && text[line(text) + 1] != '\0')
		text += line(text) + 1;
	/* "connection to server at HOST (ADDRESS), port PORT failed: WHY" */
	if ((p = strstr(text, before)) != NULL)
		text = p + strlen(before);
	errno = 0;
	return tf_fail(err, code, "PostgreSQL at %s: %s%.*s",
	    host == NULL ? "?" : host, explain(text), line(text), text);
}

/* The list with element `first` at its front. */
static void
rotate(const char *list, unsigned first, unsigned n, struct tf_buf *out)
{
	for (unsigned i = 0; i < n; i++) {
		struct tf_str e = element(list, (first + i) % n);

		if (i > 0)
			tf_buf_add(out, ",", 1);
		tf_buf_add(out, e.p, e.n);
	}
}

/* Words and values for libpq; those behind dbname replace what the URI says. */
#define WORDS_MAX 16
struct words {
	const char *key[WORDS_MAX], *value[WORDS_MAX];
	int n;
};
static void
add_word(struct words *w, const char *key, const char *value)
{
	w->key[w->n] = key;
	w->value[w->n++] = value;
	w->key[w->n] = w->value[w->n] = NULL;
}

static void
defaults(const struct tf_pg *c, struct words *w)
{
	add_word(w, "connect_timeout", "10");
	add_word(w, "target_session_attrs", "read-write");
	/* A host that is gone is noticed in about a minute. */
	add_word(w, "keepalives_idle", "20");
	add_word(w, "keepalives_interval", "10");
	add_word(w, "keepalives_count", "4");
	add_word(w, "tcp_user_timeout", "60000");
	add_word(w, "application_name", "trailfs");
	add_word(w, "dbname", c->uri);
	add_word(w, "client_encoding", "UTF8");
	/* It would go before TLS, and verifies no certificate. */
	add_word(w, "gssencmode", "disable");
}

static char *
copy(const PQconninfoOption *o, const char *keyword)
{
	return strdup(option(o, keyword));
}

/* Look at what libpq makes of URI, environment and service file, before any
 * secret is sent: PQconnectStartParams only begins to reach the host. */
static enum tf_code
check_hosts(struct tf_pg *c, struct tf_error *err)
{
	struct words w = { 0 };
	PQconninfoOption *o = NULL;
	PGconn *conn;
	enum tf_code rc = TF_OK;
	unsigned n;

	defaults(c, &w);
	conn = PQconnectStartParams(w.key, w.value, 1);
	if (conn == NULL || (o = PQconninfo(conn)) == NULL) {
		rc = tf_nomem(err);
		goto out;
	}
	c->host = copy(o, "host");
	c->hostaddr = copy(o, "hostaddr");
	c->port = copy(o, "port");
	if (c->host == NULL || c->hostaddr == NULL || c->port == NULL) {
		rc = tf_nomem(err);
		goto out;
	}
	n = count_elements(c->host);
	if (n < count_elements(c->hostaddr))
		n = count_elements(c->hostaddr);
	c->n_hosts = n;
	for (unsigned i = 0; rc == TF_OK && i < n; i++) {
		struct tf_str h = element(c->hostaddr, i);

		if (h.n == 0)
			h = element(c->host, i);
		if (!is_here(h) &&
		    strcmp(option(o, "sslmode"), "verify-full") != 0)
			rc = tf_fail(err, TF_INVALID,
			    "%.*s is another machine: its URI needs "
			    "sslmode=verify-full and sslrootcert=",
			    (int)h.n, h.p);
	}
out:
	PQconninfoFree(o);
	PQfinish(conn);
	return rc;
}

enum wait { WAIT_OVER, WAIT_LATE, WAIT_LOST };

/* Send what is left, and wait until the answer is there. */
static enum wait
wait_for_answer(struct tf_pg *c, uint64_t until_ns)
{
	for (;;) {
		struct pollfd p = { .fd = PQsocket(c->conn), .events = POLLIN };
		uint64_t now = tf_clock_boot_ns();
		int left = PQflush(c->conn), ms;

		if (left < 0 || p.fd < 0)
			return WAIT_LOST;
		if (left == 0 && !PQisBusy(c->conn))
			return WAIT_OVER;
		if (now >= until_ns)
			return WAIT_LATE;
		if (left > 0)
			p.events |= POLLOUT;
		ms = (int)((until_ns - now) / 1000000) + 1;
		if (poll(&p, 1, ms) < 0 && errno != EINTR)
			return WAIT_LOST;
		if ((p.revents & ~POLLOUT) != 0 && PQconsumeInput(c->conn) == 0)
			return WAIT_LOST;
	}
}

/*
 * Let a process of the server that waits for a lock end when its client is gone:
 * such processes would add up.  A server before 14 cannot do that, so an error is
 * none of ours.  False: the server does not answer.
 */
static bool
settle(struct tf_pg *c)
{
	uint64_t until = tf_clock_boot_ns() + c->answer_s * TF_SECOND;
	PGresult *r;

	if (!PQsendQuery(c->conn,
		"SET client_connection_check_interval = '5s'"))
		return false;
	do {
		if (wait_for_answer(c, until) != WAIT_OVER)
			return false;
		r = PQgetResult(c->conn);
		PQclear(r);
	} while (r != NULL);
	return PQstatus(c->conn) == CONNECTION_OK;
}

static enum tf_code
reconnect(struct tf_pg *c, struct tf_error *err)
{
	struct words w = { 0 };
	struct tf_buf host = { 0 }, hostaddr = { 0 }, port = { 0 };
	enum tf_code rc = TF_OK;

	defaults(c, &w);
	if (c->first > 0 && c->n_hosts > 1) {
		if (*c->host != '\0') {
			rotate(c->host, c->first, c->n_hosts, &host);
			add_word(&w, "host", host.p);
		}
		if (*c->hostaddr != '\0') {
			rotate(c->hostaddr, c->first, c->n_hosts, &hostaddr);
			add_word(&w, "hostaddr", hostaddr.p);
		}
		if (count_elements(c->port) == c->n_hosts) {
			rotate(c->port, c->first, c->n_hosts, &port);
			add_word(&w, "port", port.p);
		}
	}
	if (host.failed || hostaddr.failed || port.failed) {
		rc = tf_nomem(err);
		goto out;
	}
	c->conn = PQconnectdbParams(w.key, w.value, 1);
	if (c->conn == NULL) {
		rc = tf_nomem(err);
	} else if (PQstatus(c->conn) != CONNECTION_OK) {
		rc = connect_failed(c->conn, err);
	} else if (PQsetnonblocking(c->conn, 1) != 0 || !settle(c)) {
		errno = 0;
		rc = tf_fail(err, TF_IO, "PostgreSQL at %s: no answer",
		    PQhost(c->conn) == NULL ? "?" : PQhost(c->conn));
	} else {
		(void)PQsetNoticeReceiver(c->conn, on_notice, c);
	}
	if (rc != TF_OK) {
		PQfinish(c->conn);
		c->conn = NULL;
	}
out:
	tf_buf_free(&host);
	tf_buf_free(&hostaddr);
	tf_buf_free(&port);
	return rc;
}

static void
disconnect(struct tf_pg *c)
{
	PQfinish(c->conn);
	c->conn = NULL;
}

void
tf_pg_free(struct tf_pg *c)
{
	if (c == NULL)
		return;
	disconnect(c);
	free(c->uri);
	free(c->host);
	free(c->hostaddr);
	free(c->port);
	free(c);
}

enum tf_code
tf_pg_open(const char *uri, struct tf_pg **out, struct tf_error *err)
{
	struct tf_pg *c = calloc(1, sizeof(*c));
	enum tf_code rc;

	*out = NULL;
	if (c == NULL)
		return tf_nomem(err);
	c->answer_s = 60;
	(void)snprintf(c->replicas, sizeof(c->replicas), "required");
	rc = take_own(c, uri, err);
	if (rc == TF_OK)
		rc = check_secrets(c, err);
	if (rc == TF_OK)
		rc = check_hosts(c, err);
	if (rc == TF_OK)
		rc = reconnect(c, err);
	if (rc == TF_OK) {
		*out = c;
		c = NULL;
	}
	tf_pg_free(c);
	return rc;
}

const char *
tf_pg_replicas(const struct tf_pg *c)
{
	return c->replicas;
}

/* --- questions -------------------------------------------------------- */

/* What an error of the server means.  It has rolled the question back. */
static enum tf_code
refused(const PGresult *r, struct tf_error *err)
{
	static const struct {
		const char *state;
		enum tf_code code;
	} known[] = {
		{ "42501", TF_ACCESS }, /* a right is missing */
		{ "28", TF_ACCESS },
		{ "3F000", TF_NOTFOUND }, /* schema, table, function */
		{ "42P01", TF_NOTFOUND },
		{ "42883", TF_NOTFOUND },
		{ "42P06", TF_EXISTS }, /* schema; two made it at once */
		{ "23505", TF_EXISTS },
		{ "40", TF_BUSY }, /* serialisation, deadlock */
		{ "55P03", TF_BUSY },
		{ "53100", TF_NOSPACE },
		{ "XX001", TF_TAMPER }, /* a page or an index is damaged */
		{ "XX002", TF_TAMPER },
		{ "TF001", TF_TAMPER },
	};
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	enum tf_code code = TF_IO;

	for (size_t i = 0; state != NULL && i < sizeof(known) / sizeof(*known);
	     i++)
		if (strncmp(state, known[i].state, strlen(known[i].state)) ==
		    0) {
			code = known[i].code;
			break;
		}
	errno = 0;
	return tf_fail(err, code, "PostgreSQL: %s",
	    text == NULL ? "an error without a text" : text);
}

/* The outcome is not known: never use this connection again. */
static enum tf_code
unknown(struct tf_pg *c, enum tf_pg_kind kind, enum wait how,
    struct tf_error *err)
{
	enum tf_code code = kind == TF_PG_WRITES ? TF_INDOUBT : TF_IO;

	errno = 0;
	(void)tf_fail(err, code,
	    how == WAIT_LATE ? "PostgreSQL at %s: no answer within %llu s" :
			       "PostgreSQL at %s: the connection was lost",
	    PQhost(c->conn) == NULL ? "?" : PQhost(c->conn),
	    (unsigned long long)c->answer_s);
	/* A primary of yesterday accepts and never answers: begin with another
	 * host. */
	if (how == WAIT_LATE && c->n_hosts > 1)
		c->first = (c->first + 1) % c->n_hosts;
	disconnect(c);
	return code;
}

static enum tf_code
ask_once(struct tf_pg *c, enum tf_pg_kind kind, const char *sql,
    const struct tf_pg_args *args, PGresult **out, bool *lost,
    struct tf_error *err)
{
	uint64_t until = tf_clock_boot_ns() + c->answer_s * TF_SECOND;
	static const int binary[TF_PG_ARGS] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	PGresult *r = NULL, *next;
	enum tf_code rc;
	enum wait w;

	*lost = false;
	/* A connection that ended while nobody used it: nothing is in doubt. */
	if (c->conn != NULL &&
	    (PQconsumeInput(c->conn) == 0 ||
		PQstatus(c->conn) != CONNECTION_OK))
		disconnect(c);
	if (c->conn == NULL && (rc = reconnect(c, err)) != TF_OK)
		return rc;
	c->warned = false;
	if (!(args == NULL ? PQsendQuery(c->conn, sql) :
			     PQsendQueryParams(c->conn, sql, args->n,
				 args->type, args->p, args->len, binary, 1))) {
		*lost = true;
		return unknown(c, kind, WAIT_LOST, err);
	}
	for (;;) {
		w = wait_for_answer(c, until);
		if (w != WAIT_OVER)
			break;
		next = PQgetResult(c->conn);
		if (next == NULL)
			break;
		/* The first error is the answer, else the last result. */
		if (r != NULL && PQresultStatus(r) == PGRES_FATAL_ERROR) {
			PQclear(next);
		} else {
			PQclear(r);
			r = next;
		}
	}
	/* An error of a server that ends a process (FATAL) may come after the
	 * commit: only a connection that goes on has a known outcome. */
	if (w != WAIT_OVER || r == NULL || PQstatus(c->conn) != CONNECTION_OK) {
		PQclear(r);
		*lost = w != WAIT_LATE;
		return unknown(c, kind, w == WAIT_LATE ? w : WAIT_LOST, err);
	}
	if (PQresultStatus(r) != PGRES_TUPLES_OK &&
	    PQresultStatus(r) != PGRES_COMMAND_OK) {
		rc = refused(r, err);
		PQclear(r);
		/* The server became a standby or is read-only: find another. */
		if (rc == TF_IO)
			disconnect(c);
		return rc;
	}
	if (kind == TF_PG_WRITES && c->warned &&
	    !TF_IS_MUTANT(TF_TRUST_WARNED_COMMIT)) {
		PQclear(r);
		errno = 0;
		return tf_fail(err, TF_INDOUBT,
		    "PostgreSQL: no standby has confirmed it");
	}
	*out = r;
	return TF_OK;
}

enum tf_code
tf_pg_ask(struct tf_pg *c, enum tf_pg_kind kind, const char *sql,
    const struct tf_pg_args *args, PGresult **out, struct tf_error *err)
{
	bool lost;
	enum tf_code rc;

	*out = NULL;
	rc = ask_once(c, kind, sql, args, out, &lost, err);
	if (lost && kind == TF_PG_READS)
		rc = ask_once(c, kind, sql, args, out, &lost, err);
	return rc;
}
