/* SPDX-License-Identifier: MIT */
/* Sockets by name: "unix:PATH" and "tcp:HOST:PORT". */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "inspect/input/live.h"

/* No reply is longer: the largest are memory maps and target descriptions. */
#define REPLY_MAX (16U << 20)

static int connect_unix(struct live *l, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(name) >= sizeof(address.sun_path))
		return input_fail(l->error, EINVAL, "%s: a socket's path has at most %zu bytes", l->path,
				  sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, name, strlen(name) + 1);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return input_fail(l->error, errno, "%s: %s", l->path, strerror(errno));
	return 0;
}

static int connect_tcp(struct live *l, const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(name, ':');
	struct addrinfo *found, *a;
	char host[256];
	int err;

	if (!colon || colon == name || (size_t)(colon - name) >= sizeof(host))
		return input_fail(l->error, EINVAL, "%s: expected tcp:HOST:PORT", l->path);
	memcpy(host, name, (size_t)(colon - name));
	host[colon - name] = 0;
	err = getaddrinfo(host, colon + 1, &hints, &found);
	if (err)
		return input_fail(l->error, EINVAL, "%s: %s", l->path, gai_strerror(err));
	err = ECONNREFUSED;
	for (a = found; a && l->fd < 0; a = a->ai_next) {
		l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (l->fd >= 0 && connect(l->fd, a->ai_addr, a->ai_addrlen) != 0) {
			err = errno;
			close(l->fd);
			l->fd = -1;
		}
	}
	freeaddrinfo(found);
	return l->fd < 0 ? input_fail(l->error, err, "%s: %s", l->path, strerror(err)) : 0;
}

int live_connect(struct live *l)
{
	if (strncmp(l->path, "unix:", 5) == 0)
		return connect_unix(l, l->path + 5);
	if (strncmp(l->path, "tcp:", 4) == 0)
		return connect_tcp(l, l->path + 4);
	return input_fail(l->error, EINVAL, "%s: expected unix:PATH or tcp:HOST:PORT", l->path);
}

int live_send(struct live *l, const char *data, size_t size)
{
	while (size) {
		const ssize_t sent = send(l->fd, data, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return input_fail(l->error, errno, "%s: sending a command: %s", l->path, strerror(errno));
		data += sent;
		size -= (size_t)sent;
	}
	return 0;
}

static int make_room(struct live *l)
{
	char *grown;

	if (l->in_room - l->in_size > 4096)
		return 0;
	if (l->in_room >= REPLY_MAX)
		return input_fail(l->error, EPROTO, "%s: a reply of more than %u bytes", l->path, REPLY_MAX);
	grown = realloc(l->in, 2 * l->in_room + 16384);
	if (!grown)
		return input_fail(l->error, ENOMEM, "%s: no memory for a reply", l->path);
	l->in = grown;
	l->in_room = 2 * l->in_room + 16384;
	return 0;
}

int live_receive(struct live *l, int milliseconds)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	ssize_t got;
	int ready, err = make_room(l);

	if (err)
		return err;
	do
		ready = poll(&p, 1, milliseconds);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return input_fail(l->error, EAGAIN, "%s: no reply in %d ms; is it QEMU's %s?", l->path, milliseconds,
				  l->ops ? l->ops->kind : "monitor");
	got = recv(l->fd, l->in + l->in_size, l->in_room - l->in_size - 1, 0);
	if (got <= 0)
		return input_fail(l->error, got < 0 ? errno : ECONNRESET, "%s: %s", l->path,
				  got < 0 ? strerror(errno) : "the connection was closed");
	l->in_size += (size_t)got;
	l->in[l->in_size] = 0;
	return 0;
}

void live_drop(struct live *l, size_t size)
{
	memmove(l->in, l->in + size, l->in_size - size);
	l->in_size -= size;
	l->in[l->in_size] = 0;
}
