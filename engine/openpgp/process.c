// SPDX-License-Identifier: GPL-3.0-or-later
#include "openpgp/process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Reads up to size - 1 bytes of a /proc file, NUL-terminated; 0 where there is none.
static size_t read_proc(const char *path, char *out, size_t size)
{
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (len < size - 1) {
		ssize_t n = read(fd, out + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	out[len] = 0;
	return len;
}

size_t process_children(pid_t out[PROCESS_MAX])
{
	static char text[PROCESS_MAX * 8];
	char path[64];
	size_t count = 0;
	// orphans are handed to the main thread, whichever thread asks
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	if (!read_proc(path, text, sizeof text))
		return 0;
	for (char *at = text, *end; count < PROCESS_MAX; at = end) {
		long pid = strtol(at, &end, 10);
		if (end == at)
			break;
		out[count++] = (pid_t)pid;
	}
	return count;
}

bool process_has_children(void)
{
	static pid_t children[PROCESS_MAX];
	return process_children(children) > 0;
}

// The arguments of a process, separated and ended by NUL; 0 for the dead.
static size_t read_arguments(pid_t pid, char *out, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	size_t len = read_proc(path, out, size - 1);
	out[len] = 0;
	return len;
}

static bool names_agent(const char *program)
{
	const char *slash = strrchr(program, '/');
	return strcmp(slash ? slash + 1 : program, "gpg-agent") == 0;
}

bool process_can_look(void)
{
	char text[64];
	return read_proc("/proc/self/stat", text, sizeof text) > 0;
}

bool process_is_agent(pid_t pid)
{
	char arguments[8192];
	return read_arguments(pid, arguments, sizeof arguments) && names_agent(arguments);
}

static bool is_agent_of(pid_t pid, const char *path, const char *alias)
{
	char arguments[8192], real[PATH_MAX];
	size_t len = read_arguments(pid, arguments, sizeof arguments);
	if (!len || !names_agent(arguments))
		return false;
	bool next = false;
	for (const char *at = arguments; at < arguments + len; at += strlen(at) + 1) {
		if (next)
			return strcmp(at, path) == 0 || (alias && strcmp(at, alias) == 0) ||
			       (realpath(at, real) && strcmp(real, path) == 0);
		next = strcmp(at, "--homedir") == 0;
	}
	return false;
}

static bool has_home(pid_t pid, const char *path, const char *alias)
{
	static const char variable[] = "GNUPGHOME=";
	static char environment[256 * 1024];
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/environ", (int)pid);
	size_t len = read_proc(name, environment, sizeof environment);
	for (const char *at = environment; at < environment + len; at += strlen(at) + 1) {
		if (strncmp(at, variable, strlen(variable)) != 0)
			continue;
		at += strlen(variable);
		return strcmp(at, path) == 0 || (alias && strcmp(at, alias) == 0);
	}
	return false;
}

// Alive, and without a name: in the middle of execve, where it has neither the old program's arguments and environment any more nor
// the new one's yet.
static bool is_nameless(pid_t pid)
{
	char text[1024], path[64];
	if (read_arguments(pid, text, sizeof text))
		return false;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!read_proc(path, text, sizeof text))
		return false;
	const char *state = strrchr(text, ')'); // behind the name, which may hold anything
	return state && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';
}

size_t process_workers(const char *path, const char *alias, pid_t *out, size_t max, bool *nameless)
{
	static pid_t children[PROCESS_MAX];
	size_t count = 0, n = process_children(children);
	*nameless = false;
	for (size_t i = 0; i < n && count < max; i++) {
		if (has_home(children[i], path, alias))
			out[count++] = children[i];
		else if (is_nameless(children[i]))
			*nameless = true;
	}
	return count;
}

static size_t agents_everywhere(const char *path, const char *alias, pid_t *out, size_t max)
{
	DIR *proc = opendir("/proc");
	size_t count = 0;
	for (struct dirent *entry; proc && count < max && (entry = readdir(proc));) {
		struct stat st;
		if (!isdigit((unsigned char)entry->d_name[0]) || fstatat(dirfd(proc), entry->d_name, &st, 0) != 0 ||
		    st.st_uid != geteuid())
			continue;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (is_agent_of(pid, path, alias))
			out[count++] = pid;
	}
	if (proc)
		closedir(proc);
	return count;
}

size_t process_agents(const char *path, const char *alias, bool everywhere, pid_t *out, size_t max)
{
	static pid_t children[PROCESS_MAX];
	size_t count = 0;
	if (everywhere)
		return agents_everywhere(path, alias, out, max);
	size_t n = process_children(children);
	for (size_t i = 0; i < n && count < max; i++)
		if (is_agent_of(children[i], path, alias))
			out[count++] = children[i];
	return count;
}
