// SPDX-License-Identifier: GPL-3.0-or-later
// sotto-http: fetches one page for a script. The core starts it, writes one line of JSON to its standard input and reads one from
// its standard output; a page that does not come in time, or is too large, is an error.
//
//   in:  {"url", "method", "headers": {}, "body"?, "timeout": ms, "most": bytes, "private": bool, "hosts"?: []}
//   out: {"status", "url", "headers": {}, "body", "octets"?: true} or {"error": {"name", "message"}}
//
// A body that is no UTF-8, or has a NUL in it, goes with "octets": each byte stands as the character of that number, NUL as U+0100.
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "helpers/narrow.h"
#include "helpers/reach.h"

#define REQUEST_MAX (2u << 20)
#define REDIRECTS_MAX 5
#define HEADERS_MAX (64u << 10)

struct fetch {
	CURL *curl;
	const json_t *request;
	struct reach reach;
	char *url;         // of this step
	char *host, *port; // of that; curl's
	struct curl_slist *headers;
	struct buf body;
	json_t *answer_headers;
	size_t headers_len;
	bool denied, too_large;
	char problem[CURL_ERROR_SIZE];
};

// --- what comes out -----------------------------------------------------------------------------------------------------------

static int print(json_t *out)
{
	int failed = json_dumpf(out, stdout, JSON_COMPACT) || fputc('\n', stdout) == EOF || fflush(stdout);
	json_decref(out);
	return failed ? 1 : 0;
}

static int fail(const char *name, const char *message)
{
	json_t *text = json_string(message);
	if (!text)
		text = json_string("the server's words are no UTF-8");
	return print(json_pack("{s:{s:s, s:o}}", "error", "name", name, "message", text));
}

// each byte as the character of its number
static json_t *octets(const uint8_t *data, size_t len)
{
	struct buf out;
	buf_init(&out, 2 * len + 1);
	bool fits = true;
	for (size_t i = 0; i < len && fits; i++) {
		unsigned c = data[i] ? data[i] : 0x100;
		uint8_t bytes[2] = {(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))};
		if (c < 0x80)
			bytes[0] = (uint8_t)c;
		fits = buf_append(&out, bytes, c < 0x80 ? 1 : 2) == OK;
	}
	json_t *text = fits ? json_stringn_nocheck((const char *)out.data, out.len) : NULL;
	buf_fini(&out);
	return text;
}

static int answer(struct fetch *f, long status)
{
	const char *data = f->body.len ? (const char *)f->body.data : "";
	json_t *body = memchr(data, 0, f->body.len) ? NULL : json_stringn(data, f->body.len);
	json_t *out = json_pack("{s:I, s:s, s:O}", "status", (json_int_t)status, "url", f->url, "headers", f->answer_headers);
	if (!out)
		return fail("io", "the server's words are no UTF-8");
	if (!body) {
		body = octets(f->body.data, f->body.len);
		json_object_set_new(out, "octets", json_true());
	}
	json_object_set_new(out, "body", body);
	return print(out);
}

// --- curl's questions ---------------------------------------------------------------------------------------------------------

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetch *f = arg;
	if (purpose == CURLSOCKTYPE_IPCXN && reach_address(&f->reach, f->host, f->port, &to->addr))
		return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	f->denied = true;
	return CURL_SOCKET_BAD;
}

static size_t take_body(char *data, size_t one, size_t len, void *arg)
{
	struct fetch *f = arg;
	(void)one;
	if (buf_append(&f->body, data, len) == OK)
		return len;
	f->too_large = true;
	return 0;
}

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	size_t len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = 0;
	return text;
}

static void add_header(struct fetch *f, char *line)
{
	char *value = strchr(line, ':');
	if (!value)
		return;
	*value++ = 0;
	char *name = trimmed(line);
	value = trimmed(value);
	for (char *c = name; *c; c++)
		*c = (char)((*c >= 'A' && *c <= 'Z') ? *c + 32 : *c);
	const char *before = json_string_value(json_object_get(f->answer_headers, name));
	// one that is no UTF-8 is left out
	json_t *all = before ? json_sprintf("%s, %s", before, value) : json_string(value);
	if (all && *name)
		json_object_set_new(f->answer_headers, name, all);
}

static size_t take_header(char *data, size_t one, size_t len, void *arg)
{
	struct fetch *f = arg;
	char line[8192];
	(void)one;
	f->headers_len += len;
	if (f->headers_len > HEADERS_MAX) {
		f->too_large = true;
		return 0;
	}
	if (len >= sizeof line)
		return len;
	memcpy(line, data, len);
	line[len] = 0;
	if (strncmp(line, "HTTP/", 5) == 0)
		json_object_clear(f->answer_headers);
	else if (strlen(line) == len)
		add_header(f, line);
	return len;
}

// --- one step after the other -------------------------------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *name, json_int_t standard)
{
	const json_t *value = json_object_get(object, name);
	return json_is_integer(value) && json_integer_value(value) > 0 ? json_integer_value(value) : standard;
}

// the parts of the URL that the rule is about
static bool look_at(struct fetch *f)
{
	CURLU *parts = curl_url();
	curl_free(f->host);
	curl_free(f->port);
	f->host = f->port = NULL;
	bool ok = parts && curl_url_set(parts, CURLUPART_URL, f->url, 0) == CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_HOST, &f->host, 0) == CURLUE_OK &&
		  curl_url_get(parts, CURLUPART_PORT, &f->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	curl_url_cleanup(parts);
	return ok;
}

static bool is_get(const char *method)
{
	return strcmp(method, "GET") == 0;
}

// what a script may say of the request, and what it may not of the connection
static void set_headers(struct fetch *f)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)json_object_get(f->request, "headers"), name, value) {
		json_t *line = json_sprintf("%s: %s", name, json_string_value(value) ? json_string_value(value) : "");
		if (line && !strpbrk(json_string_value(line), "\r\n"))
			f->headers = curl_slist_append(f->headers, json_string_value(line));
		json_decref(line);
	}
	f->headers = curl_slist_append(f->headers, "Expect:");
	curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, f->headers);
}

static void set_request(struct fetch *f)
{
	const char *method = text_of(f->request, "method"), *body = json_string_value(json_object_get(f->request, "body"));
	set_headers(f);
	if (body) {
		curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, body);
	}
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
	else if (!is_get(method) || body)
		curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, method);
}

static void set_rules(struct fetch *f)
{
	CURL *c = f->curl;
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "sotto/" SOTTO_VERSION);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->problem);
}

static int explain(struct fetch *f, CURLcode code)
{
	if (f->too_large)
		return fail("too_large", "the page is larger than a script may fetch");
	if (f->denied)
		return fail("refused", "this address was not granted: it is on this machine or in a private network");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail("timeout", "the page did not come in time");
	if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
		return fail("bad_params", "the URL must begin with http:// or https://");
	return fail("io", *f->problem ? f->problem : curl_easy_strerror(code));
}

// To where the answer leads. What the script has said to the one server it does not say to another.
static bool follow(struct fetch *f, long status, const char *to)
{
	char *url = to ? strdup(to) : NULL, *host = f->host ? strdup(f->host) : NULL, *port = f->port ? strdup(f->port) : NULL;
	if (!url)
		return false;
	free(f->url);
	f->url = url;
	bool ok = look_at(f);
	bool same = ok && host && port && strcasecmp(host, f->host) == 0 && strcmp(port, f->port) == 0;
	free(host);
	free(port);
	if (!same)
		curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, NULL);
	// RFC 9110: what follows these is asked for anew, and with a plain GET
	if (status == 301 || status == 302 || status == 303) {
		curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, NULL);
		curl_easy_setopt(f->curl, CURLOPT_HTTPGET, 1L);
	}
	f->body.len = f->headers_len = 0;
	return ok;
}

static int run(struct fetch *f, long timeout)
{
	for (int step = 0; step <= REDIRECTS_MAX; step++) {
		long status = 0;
		double spent = 0;
		const char *to = NULL;
		if (!reach_host(&f->reach, f->host, f->port))
			return fail("refused", "this host was not granted");
		curl_easy_setopt(f->curl, CURLOPT_URL, f->url);
		curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, timeout);
		CURLcode code = curl_easy_perform(f->curl);
		if (code != CURLE_OK)
			return explain(f, code);
		curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(f->curl, CURLINFO_REDIRECT_URL, &to);
		curl_easy_getinfo(f->curl, CURLINFO_TOTAL_TIME, &spent);
		if (!to)
			return answer(f, status);
		timeout -= (long)(spent * 1000);
		if (timeout <= 0)
			return fail("timeout", "the page did not come in time");
		// a changed request is not sent to another place by itself: the script sees where it should go
		if (!is_get(text_of(f->request, "method")) && (status == 307 || status == 308))
			return answer(f, status);
		if (!follow(f, status, to))
			return fail("io", "the server leads to what is no URL");
	}
	return fail("io", "the server leads on and on");
}

static json_t *read_request(void)
{
	char *line = malloc(REQUEST_MAX);
	json_t *request = NULL;
	if (line && fgets(line, REQUEST_MAX, stdin))
		request = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	return request;
}

int main(void)
{
	json_t *request = read_request();
	struct fetch f = {.request = request, .answer_headers = json_object()};
	long timeout = (long)number_of(request, "timeout", 30000);
	if (!json_is_object(request))
		return fail("internal", "no request came");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f.curl = curl_easy_init()))
		return fail("internal", "libcurl does not start");
	if (!narrow((unsigned)(timeout / 1000) + 2))
		return fail("internal", "this process could not be confined");
	f.reach.private = json_is_true(json_object_get(request, "private"));
	f.reach.hosts = json_is_array(json_object_get(request, "hosts")) ? json_object_get(request, "hosts") : NULL;
	f.url = strdup(text_of(request, "url"));
	buf_init(&f.body, (size_t)number_of(request, "most", 1 << 20));
	int status;
	if (!f.url || !look_at(&f)) {
		status = fail("bad_params", "this is no URL");
	} else {
		set_rules(&f);
		set_request(&f);
		status = run(&f, timeout);
	}
	buf_fini(&f.body);
	curl_slist_free_all(f.headers);
	curl_free(f.host);
	curl_free(f.port);
	free(f.url);
	curl_easy_cleanup(f.curl);
	json_decref(f.answer_headers);
	json_decref(request);
	return status;
}
