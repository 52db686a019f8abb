"""Calls a service that gRPC's C-core finds by xDS, over and over, and tells in lines of JSON what it meets.

    GRPC_XDS_BOOTSTRAP=xds.json client.py xds:///orders.mesh

Out: {"backend": …} whenever another backend answers, {"error": …} for each call that fails, and what is asked for:
    csds    {"csds": [{"type": …, "name": …, "status": "NACKED", "version": …, "error": …}, …]}
    calls N {"reached": …} after N more calls
    stop    {"totals": {"client": …, "calls": …, "errors": …, "by": {…}}}, also at the end of the input
"""

import json
import sys
import threading
import time

import grpc
import grpc_csds
from envoy.admin.v3 import config_dump_shared_pb2
from envoy.service.status.v3 import csds_pb2
from google.protobuf import empty_pb2, wrappers_pb2

DEADLINE = 10
PAUSE = 0.001

lock = threading.Lock()


def say(line):
    with lock:
        print(json.dumps(line), flush=True)


class Calls:
    """Calls in a loop, one after the other."""

    def __init__(self, target):
        # A mesh's names are not localhost's: no proxy from the environment may stand between.
        channel = grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)])
        self.who = channel.unary_unary(
            "/mesh.Echo/Who",
            request_serializer=empty_pb2.Empty.SerializeToString,
            response_deserializer=wrappers_pb2.StringValue.FromString,
        )
        self.calls, self.errors, self.by = 0, 0, {}
        self.stopped = threading.Event()
        self.progress = threading.Condition()

    def run(self):
        last = None
        while not self.stopped.is_set():
            try:
                # Only the first call waits for the service to be there.
                backend = self.who(empty_pb2.Empty(), timeout=DEADLINE, wait_for_ready=self.calls == 0).value
                self.by[backend] = self.by.get(backend, 0) + 1
                if backend != last:
                    last = backend
                    say({"backend": backend, "after": self.calls})
            except grpc.RpcError as error:
                self.errors += 1
                say({"error": f"{error.code().name}: {error.details()}", "after": self.calls})
            with self.progress:
                self.calls += 1
                self.progress.notify_all()
            time.sleep(PAUSE)

    def wait_for(self, more):
        with self.progress:
            aim = self.calls + more
            self.progress.wait_for(lambda: self.calls >= aim or self.stopped.is_set())
            return self.calls


def csds():
    """What this process was told by xDS, and what it thinks of it."""
    answer = grpc_csds.ClientStatusDiscoveryServiceServicer.FetchClientStatus(csds_pb2.ClientStatusRequest(), None)
    return [
        {
            "type": resource.type_url.rsplit(".", 1)[-1],
            "name": resource.name,
            "status": config_dump_shared_pb2.ClientResourceStatus.Name(resource.client_status),
            "version": resource.version_info,
            "error": resource.error_state.details,
        }
        for config in answer.config
        for resource in config.generic_xds_configs
    ]


def main():
    calls = Calls(sys.argv[1])
    thread = threading.Thread(target=calls.run)
    thread.start()
    for line in sys.stdin:
        match line.split():
            case ["csds"]:
                say({"csds": csds()})
            case ["calls", more]:
                say({"reached": calls.wait_for(int(more))})
            case ["stop"]:
                break
    calls.stopped.set()
    thread.join()
    client = f"grpcio {grpc.__version__}"
    say({"totals": {"client": client, "calls": calls.calls, "errors": calls.errors, "by": calls.by}})


main()
