"""What a command line starts."""

from __future__ import annotations

import pytest

from triage.probing.catalogue.command_lines import is_pd_router, kind_of, option, port_option


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("python -m sglang.launch_server --model-path m", "server"),
        ("/opt/venv/bin/python3.12 -X faulthandler -u -m sglang.launch_server", "server"),
        ("python3 -msglang.launch_server", "server"),
        ("/opt/venv/bin/python3 /opt/venv/bin/sglang serve --model-path m", "server"),
        ("/opt/venv/bin/python3 /opt/venv/bin/sglang version", ""),
        ("python3 /src/sglang/python/sglang/launch_server.py", "server"),
        ("python3 /src/other/launch_server.py", ""),
        ("python3 -m sglang_router.launch_router --port 8000", "router"),
        ("python3 -m sglang_router.launch_server --dp-size 2", "router"),
        ("python3 -m sglang.srt.disaggregation.mini_lb", "router"),
        ("/usr/local/bin/sglang-router launch", "router"),
        ("python3 /opt/venv/bin/smg launch", "router"),
        ("sglang::router", "router"),
        ("sglang::server", "server"),
        ("sglang::scheduler_TP0", "part"),
        ("sglang::schedul", "part"),
        ("python3 -m http.server", ""),
        ("tail -f sglang.launch_server", ""),
        ("vim launch_server.py", ""),
        ("python3", ""),
        ("python3 -m", ""),
    ],
)
def test_kinds(command: str, kind: str) -> None:
    """Modules, scripts, console commands and titles of SGLang are known; what merely mentions them is not."""
    assert kind_of(command.split()) == kind


def test_a_shell_that_carries_the_command_is_none() -> None:
    """The shell that waits for a server is not the server."""
    assert kind_of(["bash", "-c", "python -m sglang.launch_server --port 1"]) == ""
    assert kind_of(["python3", "-c", "import sglang.launch_server"]) == ""
    assert kind_of([]) == ""


def test_options() -> None:
    """Both ways of giving a value are read, the last one counts, and a flag has an empty one."""
    command = ["x", "--port", "1", "--port=30001", "--pd-disaggregation", "--host", "::1"]
    assert option(command, "--port") == "30001"
    assert option(command, "--pd-disaggregation") == ""
    assert option(command, "--nothing") is None
    assert port_option(command) == 30001
    assert port_option(["x", "--port", "many"]) is None
    assert port_option(["x", "--port"]) is None


@pytest.mark.parametrize(
    ("command", "pd"),
    [
        ("python3 -m sglang_router.launch_router --pd-disaggregation --prefill http://10.0.0.1:30000", True),
        ("python3 -m sglang_router.launch_router --worker-urls http://10.0.0.1:30000", False),
        ("python3 -m sglang.srt.disaggregation.mini_lb --prefill http://10.0.0.1:30000", True),
        ("python3 /src/sglang/python/sglang/srt/disaggregation/mini_lb.py", True),
    ],
)
def test_routers_of_two_sides(command: str, pd: bool) -> None:
    """A router serves prefill and decode when told so; the small load balancer can do nothing else."""
    assert is_pd_router(command.split()) is pd
