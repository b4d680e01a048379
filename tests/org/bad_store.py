"""bad_store.py PORT LOG [PEM]: a store that speaks S3 badly, on 127.0.0.1; by TLS if
it is given a key and a certificate.

The bucket chooses how (see answer()); everything else is a small store in memory,
without versions and locks: of "pretends", only what it says has them.  Each request is a line of LOG: METHOD PATH.
"""
import http.server
import socketserver
import ssl
import sys
import time
import urllib.parse

KEPT = {}
LOCK = {}
COUNT = {}
MARK = b"trailfs blobs 1\n"
LIST = '<ListVersionsResult><IsTruncated>%s</IsTruncated>%s</ListVersionsResult>'


def error(code):
    return f"<Error><Code>{code}</Code><Message>as asked</Message></Error>".encode()


class Bad(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None
                                               else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if length is not None and length != len(body):
            self.close_connection = True

    def answer(self):
        path, _, query = self.path.partition("?")
        bucket = path.split("/")[1]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(sys.argv[2], "a", encoding="ascii") as log:
            log.write(f"{self.command} {self.path}\n")
        if path.endswith("/trailfs"):
            self.say(200, MARK)
        elif bucket == "fails":
            self.say(500, error("InternalError"))
        elif bucket == "busy" and self.count(bucket) <= 2:
            self.say(503, error("SlowDown"), [("Retry-After", "100000")])
        elif bucket == "redirects":
            self.say(301, error("PermanentRedirect"),
                     [("Location", "http://127.0.0.1:9/elsewhere")])
        elif bucket == "hangs":
            time.sleep(30)
        elif bucket == "truncates" and self.command == "GET":
            self.say(200, b"only this", length=1000)
        elif bucket == "garbage" and "versions=" in query:
            self.say(200, b"<html><body>Welcome</p>")
        elif bucket == "nothing" and "versions=" in query:
            self.say(200, b"")
        elif bucket == "page" and "versions=" in query:
            self.say(200, b"<html><body>Welcome</body></html>")
        elif bucket == "doctype" and "versions=" in query:
            self.say(200, b'<!DOCTYPE a [<!ENTITY b "cc">]>'
                     b"<ListVersionsResult>&b;</ListVersionsResult>")
        elif bucket == "endless" and "versions=" in query:
            self.say(200, (LIST % ("true", "<NextKeyMarker>a</NextKeyMarker>"))
                     .encode())
        elif bucket == "flood" and "versions=" in query:
            self.say(200, b" " * 9000000)
        elif bucket == "denies":
            self.say(403, error("AccessDenied"))
        elif bucket == "empty200" and self.command == "POST" and \
                "uploadId=" in query:
            self.say(200, error("InternalError"))
        elif bucket == "pretends" and self.command == "DELETE":
            KEPT.pop(path, None)
            self.say(204)
        elif bucket == "lies" and self.command == "GET" and not query:
            self.say(200, b"x" * len(KEPT.get(path, b"")))
        else:
            self.keep(path, query, body)

    def count(self, what):
        COUNT[what] = COUNT.get(what, 0) + 1
        return COUNT[what]

    def pretended(self, path):
        """The headers of a version and of its lock, if it is such a bucket."""
        if not path.startswith("/pretends/"):
            return []
        if self.command == "PUT":
            LOCK[path] = [(name, value) for name, value in self.headers.items()
                          if name.startswith("x-amz-object-lock-")]
        return LOCK.get(path, []) + [("x-amz-version-id", "only")]

    def keep(self, path, query, body):
        query = urllib.parse.parse_qs(query, keep_blank_values=True)
        if self.command == "PUT":
            if "partNumber" not in query:
                KEPT[path] = body
            self.say(200, headers=[("ETag", '"a"'), *self.pretended(path)])
        elif self.command == "POST":
            self.say(200, b"<InitiateMultipartUploadResult><UploadId>u"
                     b"</UploadId></InitiateMultipartUploadResult>"
                     if "uploads" in query else
                     b"<CompleteMultipartUploadResult><ETag>a</ETag>"
                     b"</CompleteMultipartUploadResult>")
        elif "versions" in query:
            self.say(200, (LIST % ("false", "")).encode())
        elif path not in KEPT:
            self.say(404, error("NoSuchKey"))
        else:
            self.say(200, KEPT[path], self.pretended(path))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", int(sys.argv[1])), Bad)
if len(sys.argv) > 3:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
