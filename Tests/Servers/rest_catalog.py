"""An Iceberg REST catalog over pyiceberg's SqlCatalog, so that a real Iceberg library judges what is asked of it.

usage: rest_catalog.py PORT FOLDER [NAME=VALUE…]

Each warehouse that a client names (file:///folder, s3://bucket/prefix) is a catalog of its own, with a database in FOLDER; its name, encoded, is the
prefix that /v1/config tells the client. NAME=VALUE, as arguments or as lines of $CATALOG_OPTIONS, are pyiceberg's own properties (s3.endpoint, s3.access-key-id, …), and:
  token=TEXT        the bearer token that has to be sent
  vend=ID:SECRET:N  keys that are lent with a table, good for N milliseconds, to who asks for them
  client=ID:SECRET  OAuth 2: POST /v1/oauth/tokens gives tokens, each good for token-uses requests (10,000 when not said)
"""

import hashlib
import json
import os
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException, NamespaceAlreadyExistsError, NoSuchNamespaceError, NoSuchTableError, TableAlreadyExistsError)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

port, folder = int(sys.argv[1]), sys.argv[2]
options = dict(word.split("=", 1) for word in os.environ.get("CATALOG_OPTIONS", "").split("\n") + sys.argv[3:] if word)
own = {name: options.pop(name, "") for name in ("token", "client", "token-uses", "vend")}
catalogs, tokens, lock = {}, {}, threading.Lock()


def catalog_of(warehouse):
    with lock:
        if warehouse not in catalogs:
            name = hashlib.sha256(warehouse.encode()).hexdigest()[:16]
            catalogs[warehouse] = SqlCatalog("tests", uri=f"sqlite:///{folder}/{name}.db", warehouse=warehouse, **options)
        return catalogs[warehouse]


class Answer(Exception):
    def __init__(self, status, kind, message):
        self.status, self.kind, self.message = status, kind, message


def check(request, requirement):
    if not requirement:
        raise Answer(400, "BadRequestException", f"Malformed request: {request}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def answer(self, status, body):
        content = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        if content:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        try:
            status, found = self.route(path, urllib.parse.parse_qs(query), body)
            self.answer(status, found)
        except Answer as error:
            self.answer(error.status, {"error": {"message": error.message, "type": error.kind, "code": error.status}})
        except (NoSuchTableError, NoSuchNamespaceError) as error:
            self.answer(404, {"error": {"message": str(error), "type": type(error).__name__, "code": 404}})
        except (CommitFailedException, TableAlreadyExistsError, NamespaceAlreadyExistsError) as error:
            self.answer(409, {"error": {"message": str(error), "type": type(error).__name__, "code": 409}})
        except Exception as error:  # As real servers: 500 for what they did not think of.
            self.answer(500, {"error": {"message": f"{type(error).__name__}: {error}", "type": "InternalServerError", "code": 500}})

    do_GET = do_POST = do_HEAD = do_DELETE = serve

    def authorized(self):
        if own["client"]:
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if tokens.get(given, 0) <= 0:
                return False
            tokens[given] -= 1
            return True
        return not own["token"] or self.headers.get("Authorization") == f"Bearer {own['token']}"

    def route(self, path, query, body):
        if path == "/v1/oauth/tokens" and self.command == "POST":
            form = urllib.parse.parse_qs(body.decode())
            if f"{form['client_id'][0]}:{form['client_secret'][0]}" != own["client"]:
                raise Answer(401, "invalid_client", "Credentials given were invalid")
            token = secrets.token_hex(16)
            tokens[token] = int(own["token-uses"] or 10_000)
            return 200, {"access_token": token, "token_type": "bearer", "expires_in": 3600}
        if not self.authorized():
            raise Answer(401, "NotAuthorizedException", "Not authorized")
        if path == "/v1/config":
            if "warehouse" not in query:
                raise Answer(400, "BadRequestException", "Please specify a warehouse")
            return 200, {"defaults": {"prefix": urllib.parse.quote(query["warehouse"][0], safe="")}, "overrides": {}}
        parts = [urllib.parse.unquote(part) for part in path.split("/")]
        if len(parts) < 4 or parts[:2] != ["", "v1"]:
            raise Answer(404, "NotFoundException", "No route")
        catalog, parts = catalog_of(parts[2]), parts[3:]
        if parts == ["namespaces"] and self.command == "POST":
            catalog.create_namespace(tuple(json.loads(body)["namespace"]))
            return 200, {"namespace": json.loads(body)["namespace"], "properties": {}}
        if len(parts) == 3 and parts[0::2] == ["namespaces", "tables"] and self.command == "POST":
            return self.create(catalog, parts[1], json.loads(body))
        if len(parts) == 4 and parts[0::2] == ["namespaces", "tables"]:
            identifier = (parts[1], parts[3])
            if self.command == "GET":
                table = catalog.load_table(identifier)
                return 200, self.found(table.metadata_location, table.metadata)
            if self.command == "POST":
                return self.commit(catalog, identifier, json.loads(body))
        raise Answer(404, "NotFoundException", "No route")

    def found(self, location, metadata):
        answer = {"metadata-location": location, "metadata": json.loads(metadata.model_dump_json()), "config": {}}
        if own["vend"] and self.headers.get("X-Iceberg-Access-Delegation") == "vended-credentials":
            key, secret, term = own["vend"].split(":")
            answer["storage-credentials"] = [
                {"prefix": metadata.location + "/", "config": {
                    "s3.access-key-id": key, "s3.secret-access-key": secret, "s3.session-token": "lent",
                    "s3.session-token-expires-at-ms": str(int(time.time() * 1000) + int(term))}}]
        return answer

    def create(self, catalog, namespace, request):
        check("create", request.get("stage-create") is not None)
        identifier = (namespace, request["name"])
        if not catalog.namespace_exists((namespace,)):
            raise NoSuchNamespaceError(f"Namespace does not exist: {namespace}")
        if catalog.table_exists(identifier):
            raise TableAlreadyExistsError(f"Table already exists: {'.'.join(identifier)}")
        what = dict(
            identifier=identifier, schema=Schema.model_validate(request["schema"]), location=request.get("location"),
            partition_spec=PartitionSpec.model_validate(request["partition-spec"]), sort_order=UNSORTED_SORT_ORDER,
            properties=request.get("properties", {}))
        if request["stage-create"]:
            return 200, self.found(None, catalog._create_staged_table(**what).metadata)
        table = catalog.create_table(**what)
        return 200, self.found(table.metadata_location, table.metadata)

    def commit(self, catalog, identifier, request):
        wanted = CommitTableRequest.model_validate({"identifier": {"namespace": [identifier[0]], "name": identifier[1]}, **request})
        try:
            table = catalog.load_table(identifier)
        except NoSuchTableError:
            if not any(r.get("type") == "assert-create" for r in request["requirements"]):
                raise
            table = catalog._create_staged_table(identifier=identifier, schema=Schema())
        response = catalog.commit_table(table, wanted.requirements, wanted.updates)
        return 200, self.found(response.metadata_location, response.metadata)


ThreadingHTTPServer.request_queue_size = 64
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
