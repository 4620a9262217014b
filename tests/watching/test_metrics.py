"""What metrics say of a watched server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.watching.telling import appeared, samples
from triage.engine import load, scan_text
from triage.model import Phase, Report
from triage.watching.background import Delivery
from triage.watching.live_state import LiveState, SourceState
from triage.watching.metrics import Metrics
from triage.watching.openmetrics import exposition
from triage.watching.session import Ended

SOURCE = SourceState("api_key=sk-abcdefghijklmnop1234", Phase.SERVING, 12.5, 400, 3, 0, 0.25, 812.5, stage="serving")
STARTING = SourceState("other.log", None, 0.0, 0, None, None, None, None)


@pytest.fixture(name="report", scope="module")
def report_fixture(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One diagnosis."""
    knowledge = load(environment={"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))})
    return scan_text(b"RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.\n", knowledge)


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and the values of its labels."""
    return samples(exposition(metrics.families(), openmetrics=True))


def test_before_anything_happened() -> None:
    """There is an answer all the same."""
    assert values(Metrics())["sgltriage_lines_per_second"] == 0


def test_sources() -> None:
    """What is known of each; what is not known is left out rather than called 0; a label holds no secret."""
    metrics = Metrics()
    metrics.tick(LiveState((SOURCE, STARTING), 40.0, (), None))
    found = values(metrics)
    (shown,) = {name.split(" ", 1)[1] for name in found if name.startswith("sgltriage_queued_requests")}
    assert "sk-abcdefghijklmnop1234" not in str(found)
    assert shown.startswith("api_key=‹api_key:")
    assert found[f"sgltriage_lines_total {shown}"] == 400
    assert found["sgltriage_lines_total other.log"] == 0
    assert found[f"sgltriage_running_requests {shown}"] == 3
    assert found[f"sgltriage_token_usage_ratio {shown}"] == 0.25
    assert found[f"sgltriage_generation_tokens_per_second {shown}"] == 812.5
    assert found[f"sgltriage_phase_seconds {shown}"] == 12.5
    assert found[f"sgltriage_phase {shown} serving"] == 1
    assert found[f"sgltriage_phase {shown} launch"] == 0
    assert found["sgltriage_lines_per_second"] == 40
    assert "sgltriage_running_requests other.log" not in found


def test_a_diagnosis_and_its_end(report: Report) -> None:
    """It holds, then it is over and stays as 0, without a confidence."""
    metrics = Metrics()
    metrics.tick(LiveState((), 0.0, (), report))
    found = values(metrics)
    assert found["sgltriage_diagnosis_active gpu-oom-kv-pool fatal"] == 1
    assert found["sgltriage_diagnosis_confidence gpu-oom-kv-pool fatal"] == pytest.approx(0.99, abs=0.02)
    assert found["sgltriage_verdict confirmed"] == 1
    metrics.close(Ended("sources", replace(report, diagnoses=())))
    found = values(metrics)
    assert found["sgltriage_diagnosis_active gpu-oom-kv-pool fatal"] == 0
    assert "sgltriage_diagnosis_confidence gpu-oom-kv-pool fatal" not in found


def test_what_a_restart_got_over(report: Report) -> None:
    """The report keeps it and its verdict, and it is 0 as long as it does not come back, also in the end."""
    metrics = Metrics()
    over = frozenset({"gpu-oom-kv-pool"})
    for is_end in (False, True):
        metrics.tick(LiveState((), 0.0, (), report))
        assert values(metrics)["sgltriage_diagnosis_active gpu-oom-kv-pool fatal"] == 1
        if is_end:
            metrics.close(Ended("sources", report, over))
        else:
            metrics.tick(LiveState((), 0.0, (), report, over))
        found = values(metrics)
        assert found["sgltriage_diagnosis_active gpu-oom-kv-pool fatal"] == 0
        assert "sgltriage_diagnosis_confidence gpu-oom-kv-pool fatal" not in found
        assert found["sgltriage_verdict confirmed"] == 1


def test_counters() -> None:
    """Events by kind, alerts by what became of them."""
    delivery = Delivery("hook")
    metrics = Metrics([delivery])
    metrics.tell(appeared(1))
    metrics.tell(appeared(2))
    delivery.count("failed")
    delivery.count("dropped", 3)
    found = values(metrics)
    assert found["sgltriage_events_total diagnosis-appeared"] == 2
    assert found["sgltriage_alerts_total hook failed"] == 1
    assert found["sgltriage_alerts_total hook dropped"] == 3
    assert found["sgltriage_alerts_total hook delivered"] == 0


def test_the_document_names_every_metric() -> None:
    """As it is scraped."""
    text = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
    suffixes = {"counter": "_total", "info": "_info", "gauge": ""}
    for family in Metrics().families():
        assert f"`{family.name}{suffixes[family.kind]}" in text, family.name
