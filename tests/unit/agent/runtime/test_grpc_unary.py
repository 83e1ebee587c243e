# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our one-call client beside a real gRPC server: CRI and podresources as they are spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent import futures
from pathlib import Path

import grpc
import pytest

from homenode.runtime import cri, podresources
from homenode.runtime.codec import MAP, MESSAGE, STRING, Field, Table
from homenode.runtime.grpc_unary import call
from homenode.runtime.wire import WireProblem
from model.cpuset import NodeSet

ANSWERS: dict[str, bytes] = {}
UNKNOWN = "/test.Service/Unknown"
BROKEN = "/test.Service/Broken"


class _Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers by path; ECHO gives back what came, BROKEN fails, everything else is unknown."""

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        method = details.method
        if method == BROKEN:
            return grpc.unary_unary_rpc_method_handler(_fail)
        if method == "/test.Service/Echo":
            return grpc.unary_unary_rpc_method_handler(lambda request, _context: request)
        if method in ANSWERS:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: ANSWERS[method])
        return None


def _fail(_request: bytes, context: grpc.ServicerContext) -> bytes:
    context.abort(grpc.StatusCode.INTERNAL, "on purpose")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = str(tmp_path_factory.mktemp("grpc") / "s.sock")
    made = grpc.server(futures.ThreadPoolExecutor(1), handlers=[_Handler()])
    made.add_insecure_port(f"unix:{path}")
    made.start()
    call(path, "/test.Service/Echo", b"", 5)  # its thread is there from now on
    yield path
    made.stop(None).wait()


@pytest.mark.parametrize("size", [0, 1, 16379, 16380, 60000, 3_000_000])
def test_a_message_of_any_size_comes_back(server: str, size: int) -> None:
    message = bytes(range(256)) * (size // 256) + bytes(size % 256)
    sent = message[:60000]  # what fits the server's first window
    ANSWERS["/test.Service/Big"] = message
    assert call(server, "/test.Service/Echo", sent, 5) == sent
    assert call(server, "/test.Service/Big", b"", 5) == message


@pytest.mark.parametrize("method", [UNKNOWN, BROKEN])
def test_a_refusal_is_a_problem(server: str, method: str) -> None:
    with pytest.raises(WireProblem, match="refusal"):
        call(server, method, b"", 5)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        call(str(tmp_path / "none.sock"), UNKNOWN, b"", 1)


METADATA = Table("m", {1: Field("name", STRING), 2: Field("uid", STRING), 3: Field("ns", STRING)})
SANDBOX = Table(
    "s", {1: Field("id", STRING), 2: Field("m", MESSAGE, METADATA), 6: Field("annotations", MAP)}
)
CONTAINER = Table(
    "c",
    {1: Field("id", STRING), 2: Field("pod", STRING), 3: Field("m", MESSAGE, METADATA)},
)


def _list(table: Table, item: Mapping[str, object]) -> bytes:
    return Table("list", {1: Field("x", MESSAGE, table, repeated=True)}).encode({"x": [item]})


@pytest.mark.parametrize("service", cri.SERVICES)
def test_cri_tells_pods_and_containers(server: str, service: str) -> None:
    ANSWERS.clear()
    pod = {"id": "s1", "m": {"name": "p", "uid": "u", "ns": "n"}, "annotations": {"a": "b"}}
    ANSWERS[f"/{service}/ListPodSandbox"] = _list(SANDBOX, pod)
    container = {"id": "c1", "pod": "s1", "m": {"name": "main"}}
    ANSWERS[f"/{service}/ListContainers"] = _list(CONTAINER, container)
    assert cri.sandboxes(server) == (cri.CriSandbox("s1", "p", "n", "u", {}, {"a": "b"}),)
    assert cri.containers(server) == (cri.CriContainer("c1", "s1", "main", False),)


def test_podresources_tells_devices_with_their_nodes(server: str) -> None:
    numa = podresources._TOPOLOGY.encode({"nodes": [{"id": 1}, {}]})
    devices = [{"resource_name": "x/gpu", "topology": numa}, {"resource_name": "x/none"}]
    pod = {"name": "p", "namespace": "n", "containers": [{"name": "c", "devices": devices}]}
    ANSWERS["/v1.PodResourcesLister/List"] = podresources._LIST.encode({"pods": [pod]})
    share = podresources.DeviceShare("n", "p", "c", "x/gpu", NodeSet([0, 1]))
    assert podresources.device_shares(server) == (share,)
