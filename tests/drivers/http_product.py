"""Answers HTTP/1.1 as a product does, header field by header field: `http_product.py PRODUCT PORT`.

Products: elasticsearch, opensearch, clickhouse, http. None of these servers is in Debian; the fields and bodies are those
that their manuals show. What is asked is not looked at closer than the answer needs.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PRODUCT, PORT = sys.argv[1], int(sys.argv[2])
ELASTIC_ROOT = {
    "name": "node-1",
    "cluster_name": "test",
    "version": {"number": "7.17.6", "build_flavor": "default", "lucene_version": "8.11.1"},
    "tagline": "You Know, for Search",
}
OPENSEARCH_ROOT = {
    "name": "node-1",
    "cluster_name": "test",
    "version": {"distribution": "opensearch", "number": "2.11.0"},
    "tagline": "The OpenSearch Project: https://opensearch.org/",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out in one piece, as from these servers.
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline() != b"\r\n":
                pass
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, fields, data, chunks=0):
        # The status line only: these products name no server and no date, or their own.
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if chunks:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(data), chunks):
                part = data[at : at + chunks]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
        self.wfile.flush()

    def search(self):
        fields = {"content-type": "application/json; charset=UTF-8"}
        if PRODUCT == "elasticsearch":
            fields = {"X-elastic-product": "Elasticsearch", **fields}
        root = ELASTIC_ROOT if PRODUCT == "elasticsearch" else OPENSEARCH_ROOT
        path = self.path.split("?")[0]
        if path == "/":
            return self.answer(200, fields, json.dumps(root, indent=2, separators=(",", " : ")).encode())
        if "missing" in path:
            error = {"type": "index_not_found_exception", "reason": "no such index"}
            data = {"error": {"root_cause": [error], **error}, "status": 404}
            return self.answer(404, fields, json.dumps(data, separators=(",", ":")).encode())
        if "busy" in path:
            data = b'{"error":{"root_cause":[],"type":"es_rejected_execution_exception"},"status":429}'
            return self.answer(429, fields, data)
        if path.endswith("/_search"):
            if "slow" in path:
                time.sleep(0.02)
            hits = [{"_index": "i", "_id": str(n), "_score": 1.0, "_source": {"a": "x" * 40}} for n in range(5)]
            data = {"took": 3, "timed_out": False, "_shards": {"total": 1}, "hits": {"hits": hits}}
            return self.answer(200, fields, json.dumps(data, separators=(",", ":")).encode())
        if self.command == "PUT" and path.count("/") == 1:
            return self.answer(200, fields, b'{"acknowledged":true,"shards_acknowledged":true,"index":"i"}')
        if path.endswith("/_bulk"):
            return self.answer(200, fields, b'{"took":5,"errors":false,"items":[{"index":{"status":201}}]}')
        result = b'{"_index":"i","_id":"1","_version":1,"found":true,"result":"created","_shards":{"total":2}}'
        self.answer(201 if self.command in ("PUT", "POST") else 200, fields, result)

    def clickhouse(self, body):
        fields = {
            "X-ClickHouse-Server-Display-Name": "node-1",
            "X-ClickHouse-Query-Id": "11111111-2222-3333-4444-555555555555",
            "X-ClickHouse-Format": "TabSeparated",
            "X-ClickHouse-Timezone": "UTC",
            "Keep-Alive": "timeout=10",
            "Content-Type": "text/tab-separated-values; charset=UTF-8",
            "X-ClickHouse-Summary": '{"read_rows":"10","read_bytes":"80","written_rows":"0","result_rows":"10"}',
        }
        if b"no_such" in body or "no_such" in self.path:
            fields["X-ClickHouse-Exception-Code"] = "60"
            return self.answer(404, fields, b"Code: 60. DB::Exception: Table d.no_such does not exist.\n", 1000)
        rows = 2000 if b"numbers" in body or "numbers" in self.path else 10
        self.answer(200, fields, b"".join(b"%d\trow\n" % n for n in range(rows)), 1000)

    def handle_any(self):
        body = self.body()
        if PRODUCT in ("elasticsearch", "opensearch"):
            self.search()
        elif PRODUCT == "clickhouse":
            self.clickhouse(body)
        else:
            self.answer(200, {"Server": "test", "Content-Type": "text/plain"}, b"hello\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Nagle's algorithm would hold small chunks back.
    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(6, 1, 1)
        return connection, address


Server(("127.0.0.1", PORT), Handler).serve_forever()
