# SPDX-License-Identifier: GPL-3.0-or-later
# A web server for specs: prints its port, and ends with its standard input.
import http.server
import os
import sys
import threading


class Pages(http.server.BaseHTTPRequestHandler):
    entries = 0

    def feed(self):
        # one more each time
        Pages.entries += 1
        items = "".join("<item><title>entry %d</title><link>http://example.org/%d</link></item>" % (i, i)
                        for i in range(Pages.entries, 0, -1))
        self.say(200, ("<rss><channel><title>News</title>%s</channel></rss>" % items).encode())

    def say(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/to":
            self.say(302, b"", Location=query)
        elif path == "/loop":
            self.say(302, b"", Location="/loop")
        elif path == "/large":
            self.say(200, b"x" * (3 << 20))
        elif path == "/octets":
            self.say(200, bytes(range(256)))
        elif path == "/late":
            self.connection.recv(1)  # until whoever asks has had enough
        elif path == "/headers":
            self.say(200, "\n".join("%s: %s" % pair for pair in self.headers.items()).encode(), X_Two="2")
        elif path == "/feed":
            self.feed()
        elif path == "/none":
            self.say(404, b"nothing here")
        else:
            self.say(200, b"page " + path.encode())

    def do_POST(self):
        self.say(201, b"posted " + self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer((sys.argv[1], 0), Pages)
server.daemon_threads = True
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
