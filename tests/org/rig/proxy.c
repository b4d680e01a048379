/*
 * org-proxy PORT HOST PORT SEED BYTES: carry TCP connections from a port of
 * 127.0.0.1 to a server, and drop some at the worst moments.  When a client has
 * sent BYTES or more since the server spoke last, it has asked to append; then the
 * seed decides:
 *
 *   1 of 8  the answer of the server, which is sent after its commit, is thrown
 *           away, and both sides see the connection end: the append happened
 *   1 of 8  the last part of the question is thrown away: it did not happen
 *
 * On SIGTERM it prints how often it did either, and ends.  BYTES 0: carry all.
 * Only for tests: one process, a few connections.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS 64
struct pair {
	int client, server; /* -1: free */
	unsigned long long asked;
	bool swallow; /* the next answer */
};
static struct pair pairs[PAIRS];
static volatile sig_atomic_t over;
static unsigned long long swallowed, unasked, seed;

static void
on_term(int sig)
{
	(void)sig;
	over = 1;
}

static unsigned
choose(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % 8;
}

static void
drop(struct pair *p)
{
	(void)close(p->client);
	(void)close(p->server);
	*p = (struct pair){ .client = -1, .server = -1 };
}

static bool
carry(int to, const char *b, ssize_t n)
{
	while (n > 0) {
		ssize_t did = send(to, b, (size_t)n, MSG_NOSIGNAL);

		if (did < 0 && errno == EINTR)
			continue;
		if (did <= 0)
			return false;
		b += did;
		n -= did;
	}
	return true;
}

static void
accept_one(int listening, const struct sockaddr_in *server)
{
	int one = 1, client = accept(listening, NULL, NULL);

	for (size_t i = 0; client >= 0 && i < PAIRS; i++) {
		struct pair *p = &pairs[i];

		if (p->client >= 0)
			continue;
		p->client = client;
		p->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
		(void)setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
		if (connect(p->server, (const struct sockaddr *)server,
			sizeof(*server)) != 0)
			drop(p);
		return;
	}
	if (client >= 0)
		(void)close(client);
}

/* Bytes of the client, or of the server. */
static void
move(struct pair *p, bool of_client, unsigned long long bytes)
{
	char b[16384];
	ssize_t n = recv(of_client ? p->client : p->server, b, sizeof(b), 0);

	if (n <= 0) {
		drop(p);
		return;
	}
	if (of_client) {
		bool crosses = p->asked < bytes &&
		    p->asked + (unsigned long long)n >= bytes;
		unsigned what = crosses ? choose() : 7;

		p->asked += (unsigned long long)n;
		if (what == 0) {
			p->swallow = true;
		} else if (what == 1) {
			unasked++;
			drop(p);
			return;
		}
		if (!carry(p->server, b, n))
			drop(p);
		return;
	}
	p->asked = 0;
	if (p->swallow) {
		swallowed++;
		drop(p);
	} else if (!carry(p->client, b, n)) {
		drop(p);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET }, server = here;
	int one = 1, listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sigaction on = { .sa_handler = on_term };
	unsigned long long bytes;

	if (argc != 6)
		return 2;
	here.sin_port = htons((unsigned short)atoi(argv[1]));
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons((unsigned short)atoi(argv[3]));
	seed = strtoull(argv[4], NULL, 10);
	bytes = strtoull(argv[5], NULL, 10);
	(void)sigaction(SIGTERM, &on, NULL);
	(void)setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one));
	if (inet_pton(AF_INET, argv[2], &server.sin_addr) != 1 ||
	    bind(listening, (struct sockaddr *)&here, sizeof(here)) != 0 ||
	    listen(listening, 64) != 0) {
		perror("org-proxy");
		return 2;
	}
	for (size_t i = 0; i < PAIRS; i++)
		pairs[i].client = pairs[i].server = -1;
	puts("ready");
	(void)fflush(stdout);
	while (!over) {
		struct pollfd p[1 + 2 * PAIRS];

		p[0] = (struct pollfd){ listening, POLLIN, 0 };
		for (size_t i = 0; i < PAIRS; i++) {
			p[1 + 2 * i] = (struct pollfd){ pairs[i].client, POLLIN,
				0 };
			p[2 + 2 * i] = (struct pollfd){ pairs[i].server, POLLIN,
				0 };
		}
		if (poll(p, 1 + 2 * PAIRS, -1) < 0)
			continue;
		for (size_t i = 0; i < PAIRS; i++) {
			if (p[1 + 2 * i].revents != 0)
				move(&pairs[i], true, bytes);
			if (pairs[i].server >= 0 && p[2 + 2 * i].revents != 0)
				move(&pairs[i], false, bytes);
		}
		if (p[0].revents != 0)
			accept_one(listening, &server);
	}
	printf("answers thrown away: %llu\nquestions thrown away: %llu\n",
	    swallowed, unasked);
	return 0;
}
