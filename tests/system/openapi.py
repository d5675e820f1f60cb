#!/usr/bin/env python3
"""docs/openapi.yaml against a running daemon: the routes are those, and every answer and every request fits its schema.

usage: openapi.py OPENAPI.yaml SOCKET COPYMGR URL DIRECTORY
"""
import copy
import http.client
import json
import re
import socket
import subprocess
import sys
import time
import urllib.parse

import jsonschema
import yaml

document_path, socket_path, copymgr, url, directory = sys.argv[1:]
target = url.rsplit("/", 1)[1]


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(socket_path)


def fail(text):
    sys.exit(f"FAILED: {text}")


def strict(schema):
    """Members that the file does not name are faults of the file."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "additionalProperties" not in schema:
            fail(f"a schema does not say whether it has further members: {schema}")
        for value in schema.values():
            strict(value)
    if isinstance(schema, list):
        for value in schema:
            strict(value)


with open(document_path, encoding="utf-8") as file:
    document = yaml.safe_load(file)
components = document["components"]
for name, schema in components["schemas"].items():
    jsonschema.Draft202012Validator.check_schema(schema)
    strict(schema)


def resolved(node):
    while "$ref" in node:
        at = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        node = at
    return node


def check(value, schema, what):
    whole = {"components": components, **copy.deepcopy(schema)}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        fail(f"{what}: {error.json_path}: {error.message[:300]}\n{json.dumps(value)[:2000]}")


operations = {(method.upper(), re.sub(r"{\w+}", "{}", path)): (path, operation)
              for path, item in document["paths"].items() for method, operation in item.items()}
identifiers = [operation["operationId"] for _, operation in operations.values()]
if len(set(identifiers)) != len(identifiers):
    fail("an operationId is there twice")
for path, operation in operations.values():
    named = {resolved(each)["name"] for each in operation.get("parameters", []) if resolved(each)["in"] == "path"}
    if named != set(re.findall(r"{(\w+)}", path)):
        fail(f"{path} has other parameters than {named}")
driven = set()


def ask(method, route, *names, body=None, query="", status=200):
    """Drives a route with names in its {}; returns the answer. Status None: 200, or None is returned."""
    path, operation = operations[(method, route)]
    for name in names:
        route = route.replace("{}", urllib.parse.quote(str(name), safe=""), 1)
    may_fail = status is None
    status = status or 200
    if body is not None and status == 200:
        if "requestBody" not in operation:
            fail(f"{method} {path} has no body in the file")
        check(body, operation["requestBody"]["content"]["application/json"]["schema"], f"what is sent to {method} {path}")
    for name in urllib.parse.parse_qs(query):
        if name not in {resolved(each)["name"] for each in operation.get("parameters", []) if resolved(each)["in"] == "query"}:
            fail(f"{method} {path} has no query {name} in the file")
    connection = Connection("localhost")
    text = None if body is None else json.dumps(body)
    connection.request(method, route + ("?" + query if query else ""), body=text)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if may_fail and answer.status in (404, 409):
        return None
    if answer.status != status:
        fail(f"{method} {route} answers {answer.status}, not {status}: {data[:500]}")
    told = operation["responses"]["200"] if status == 200 else operation["responses"]["default"]
    (kind, content), = resolved(told)["content"].items()
    if answer.headers["Content-Type"].split(";")[0] != kind:
        fail(f"{method} {route} answers with {answer.headers['Content-Type']}, not {kind}")
    if status == 200:
        driven.add((method, path))
    if kind != "application/json":
        return data
    value = json.loads(data)
    check(value, content["schema"], f"{method} {path} with {status}")
    return value


# The routes of the daemon and of the file.
served = {(each["method"], each["path"]) for each in ask("GET", "/v1")["routes"]}
if served != set(operations):
    fail(f"only the daemon has {sorted(served - set(operations))}, only the file {sorted(set(operations) - served)}")

# Its own description: this file.
with open(document_path, "rb") as file:
    if ask("GET", "/v1/openapi.yaml") != file.read():
        fail("GET /v1/openapi.yaml is not the file")

# The array, made and changed.
other = target + ".other"
ask("POST", "/v1/trace/start", body={"memory": "1M", "data_bytes": 64})
ask("GET", "/v1/trace")
ask("POST", "/v1/targets", body={"name": other, "options": [["alias", "of a test"]]})
ask("POST", "/v1/targets", body={"name": other}, status=409)
ask("GET", "/v1/targets")
ask("GET", "/v1/targets/{}", other)
ask("GET", "/v1/targets/{}", "iqn.none", status=404)
ask("POST", "/v1/targets/{}/options", other, body={"add": [["allow", "iqn.a:*"]]})
ask("POST", "/v1/targets/{}/options", other, body={"remove": [["allow", "iqn.a:*"]], "everybody": True, "dry_run": True})
ask("POST", "/v1/targets/{}/chap", other, body={"user": "host1", "secret": "a secret of one"})
ask("POST", "/v1/targets/{}/offline", other, body={"grace_seconds": 0})
ask("POST", "/v1/targets/{}/online", other)
ask("POST", "/v1/targets/{}/luns", other, body={"backing": f"file:{directory}/o.img", "options": {"size": "4M", "provisioned": "2M"}})
ask("POST", "/v1/targets/{}/luns", other, body={"backing": "nothing:x"}, status=400)
ask("POST", "/v1/targets/{}/luns/{}", other, 0, body={"options": {"default-inactivity-timeout": 30, "copy-profile": None}})
ask("POST", "/v1/targets/{}/luns/{}/size", other, 0, body={"size": "8M"})
ask("POST", "/v1/targets/{}/luns/{}/clone", other, 0, body={"path": f"{directory}/clone.img", "readonly": True})
ask("GET", "/v1/targets/{}/luns/{}", other, 0)
ask("GET", "/v1/targets/{}/luns/{}/provisioning", other, 0)
ask("POST", "/v1/targets/{}/luns/{}/provisioning", other, 0, body={"provisioned": "4M", "exhausted": "wait"})
ask("GET", "/v1/luns")
groups = ask("GET", "/v1/targets/{}/port-groups", target)["port_groups"]
ask("POST", "/v1/targets/{}/port-groups/{}", target, groups[0]["portal_group"], body={"access_state": "active/non-optimized"})
ask("POST", "/v1/targets/{}/port-groups/{}", target, groups[0]["portal_group"], body={"access_state": "asleep"}, status=400)
ask("GET", "/v1/targets/{}/port-groups", target)
ask("POST", "/v1/portals", body={"portal": "127.0.0.1:0,priority=0"})
added = ask("GET", "/v1/portals")["portals"][-1]
ask("DELETE", "/v1/portals/{}", added["address"])
text = ask("GET", "/v1/configuration", query="target=" + urllib.parse.quote(other))["toml"]
text = ask("GET", "/v1/configuration")
ask("POST", "/v1/configuration", body={"toml": text["toml"], "revision": text["revision"], "dry_run": True})
ask("POST", "/v1/configuration", body={"toml": "[[target]]\nname = 7\n"}, status=400)

# Copies and tokens.
subprocess.run([copymgr, "copy", "--mode", "offload", url + "/0", url + "/1"], check=True, stdout=subprocess.DEVNULL, timeout=60)
tokens = ask("GET", "/v1/tokens", query="dead=1&sort=bytes&limit=5&lun=0&target=" + urllib.parse.quote(target))["tokens"]
ask("GET", "/v1/tokens", query="sort=colour", status=400)
if not tokens:
    fail("no token")
ask("GET", "/v1/tokens/{}", tokens[0]["hash"])
ask("GET", "/v1/tokens/{}", "000000000000", status=404)
ask("POST", "/v1/tokens/lookup", body={"token": "00" * 512})
for end in ("expire", "revoke", "delete"):
    subprocess.run([copymgr, "copy", "--mode", "offload", url + "/0", url + "/1"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    live = [each for each in ask("GET", "/v1/tokens")["tokens"] if each["state"] == "live"]
    if live:
        ask("POST", f"/v1/tokens/{{}}/{end}", live[-1]["hash"])
        ask("POST", f"/v1/tokens/{{}}/{end}", live[-1]["hash"], status=409)
ask("POST", "/v1/copy-operations/{}/abort", 99999, status=404)

# A copy that runs is seen and aborted: one of many, as each takes a moment only.
until = time.monotonic() + 120
aborted = False
while not aborted and time.monotonic() < until:
    with subprocess.Popen([copymgr, "copy", "--mode", "offload", url + "/3", url + "/4"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as copying:
        while not aborted and copying.poll() is None:
            for each in ask("GET", "/v1/copy-operations", query="running=1&limit=3")["copy_operations"]:
                aborted = aborted or (each["command"] == "WRITE USING TOKEN" and
                                      ask("GET", "/v1/copy-operations/{}", each["number"], status=None) is not None and
                                      ask("POST", "/v1/copy-operations/{}/abort", each["number"], status=None) is not None)
if not aborted:
    fail("no copy was caught while it ran")

# Sessions and reservations, of an initiator that stays.
with subprocess.Popen(["iscsi-perf", "-t", "60", "-b", "8", url + "/2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as guest:
    sessions = []
    while not sessions and guest.poll() is None:
        sessions = ask("GET", "/v1/sessions")["sessions"]
    if sessions:
        ask("GET", "/v1/sessions/{}", sessions[0]["tsih"])
        ask("POST", "/v1/sessions/{}/logout", sessions[0]["tsih"], body={"grace_seconds": 0})
    guest.kill()
ask("POST", "/v1/sessions/{}/logout", 65535, status=404)
ask("GET", "/v1/reservations")
ask("POST", "/v1/targets/{}/luns/{}/reservations/clear", target, 0)

# The group.
ask("GET", "/v1/group")
ask("POST", "/v1/group/create", body={"name": "g", "secret": "sixteen bytes and more", "members": ["b=127.0.0.1:1"]})
ask("POST", "/v1/group/join", body={"name": "g", "secret": "sixteen bytes and more", "members": ["b=127.0.0.1:1", "c=127.0.0.1:2"]})
ask("POST", "/v1/group/probe", body={})
ask("DELETE", "/v1/group/members/{}", "c")
ask("DELETE", "/v1/group")

# What was counted, and the way back.
ask("GET", "/v1/stats")
ask("GET", "/metrics")
page = ask("GET", "/v1/events", query="after=0&limit=10")
ask("GET", "/v1/events", query="after=x", status=400)
if len(page["events"]) != 10:
    fail("no ten events")
ask("GET", "/v1/events")
for _ in range(200):  # the first sample comes within a second
    if ask("GET", "/v1/history", query="after=0")["samples"]:
        break
    time.sleep(0.05)
else:
    fail("no history")
ask("GET", "/v1/history", query="after=x", status=400)
capture = ask("POST", "/v1/trace/stop")
if capture[:4] != b"\x0a\x0d\x0d\x0a":
    fail("a trace that is no pcapng file")
ask("POST", "/v1/trace/stop", status=409)
ask("DELETE", "/v1/targets/{}/luns/{}", other, 0)
ask("DELETE", "/v1/targets/{}", other)

missed = {(method, path) for (method, _), (path, _) in operations.items()} - driven
if missed:
    fail(f"not driven: {sorted(missed)}")
print(f"openapi.yaml: {len(operations)} routes as told")
