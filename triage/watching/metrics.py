"""What a watched server does, as metrics that Prometheus scrapes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from triage import __version__
from triage.model import Report, Verdict
from triage.safety.redact import Redactor
from triage.watching.life_cycle import Stage
from triage.watching.openmetrics import Family, Sample

if TYPE_CHECKING:
    from triage.watching.background import Delivery
    from triage.watching.listener import Told
    from triage.watching.live_state import LiveState, SourceState
    from triage.watching.session import Ended


class Metrics:
    """Collects from what it is told; ``families`` may be asked from any thread. Memory: one entry a diagnosis that was ever
    shown, a kind of event and a source."""

    def __init__(self, deliveries: Sequence[Delivery] = ()) -> None:
        self._deliveries = tuple(deliveries)
        self._lock = threading.Lock()
        self._redactor = Redactor()
        self._events: dict[str, int] = {}
        self._severities: dict[str, str] = {}
        self._report: Report | None = None
        self._over: frozenset[str] = frozenset()
        self._state: LiveState | None = None

    def tell(self, told: Told) -> None:
        """Count it."""
        with self._lock:
            kind = told.event.kind.value
            self._events[kind] = self._events.get(kind, 0) + 1

    def tick(self, state: LiveState) -> None:
        """How things stand now."""
        with self._lock:
            self._state = state
            self._take(state.report, state.over)

    def close(self, ended: Ended) -> None:
        """The report in the end stays until the process ends."""
        with self._lock:
            self._take(ended.report, ended.over)

    def families(self) -> list[Family]:
        """Everything, as it stands."""
        with self._lock:
            sources = self._state.sources if self._state is not None else ()
            rate = self._state.lines_per_s if self._state is not None else 0.0
            return [
                Family("sgltriage_build", "info", "The watcher.", [Sample(1, (("version", __version__),))]),
                *self._diagnoses(),
                Family("sgltriage_events", "counter", "Events told, by kind.", _counted("kind", self._events)),
                Family("sgltriage_lines_per_second", "gauge", "Lines that come in, over all sources.", [Sample(rate)]),
                *self._sources(sources),
                self._alerts(),
            ]

    def _take(self, report: Report | None, over: frozenset[str]) -> None:
        if report is None:
            return
        self._report, self._over = report, over
        for item in report.diagnoses:
            self._severities.setdefault(item.id, item.severity.value)

    def _diagnoses(self) -> list[Family]:
        """A diagnosis that was shown once stays, as 0: an alarm that rests on it ends at once and not when it is forgotten."""
        diagnoses = self._report.diagnoses if self._report is not None else ()
        shown = {item.id: item.confidence for item in diagnoses if item.id not in self._over}
        labels = {name: (("id", name), ("severity", severity)) for name, severity in self._severities.items()}
        active = [Sample(int(name in shown), label) for name, label in labels.items()]
        sure = [Sample(round(shown[name], 4), label) for name, label in labels.items() if name in shown]
        verdict = self._report.verdict if self._report is not None else None
        verdicts = [Sample(int(item is verdict), (("verdict", item.value),)) for item in Verdict]
        return [
            Family("sgltriage_verdict", "gauge", "1 for the verdict that holds now.", verdicts),
            Family(
                "sgltriage_diagnosis_active", "gauge", "1 while a diagnosis holds, 0 when it did and is over.", active
            ),
            Family("sgltriage_diagnosis_confidence", "gauge", "Probability of a diagnosis that holds, 0 to 1.", sure),
        ]

    def _sources(self, sources: Sequence[SourceState]) -> list[Family]:
        def family(name: str, text: str, values: dict[str, float | None], unit: str = "") -> Family:
            samples = [Sample(value, (("source", label),)) for label, value in values.items() if value is not None]
            return Family(f"sgltriage_{name}", "gauge", text, samples, unit)

        own = {self._redactor.redact(source.label): source for source in sources}
        phases = [
            Sample(int(source.stage == stage.value), (("source", label), ("phase", stage.value)))
            for label, source in own.items()
            for stage in Stage
        ]
        lines = [Sample(source.lines, (("source", label),)) for label, source in own.items()]
        return [
            Family("sgltriage_lines", "counter", "Lines read.", lines),
            Family("sgltriage_phase", "gauge", "1 for the phase of its life that a server is in.", phases),
            family(
                "phase_seconds",
                "Time in that phase so far.",
                {label: item.in_phase_s for label, item in own.items()},
                "seconds",
            ),
            family(
                "running_requests",
                "Requests at work, as printed last.",
                {label: item.running for label, item in own.items()},
            ),
            family(
                "queued_requests",
                "Requests that wait, as printed last.",
                {label: item.queued for label, item in own.items()},
            ),
            family(
                "token_usage_ratio",
                "Share of the KV cache in use, as printed last.",
                {label: item.token_usage for label, item in own.items()},
                "ratio",
            ),
            family(
                "generation_tokens_per_second",
                "Tokens generated a second, as printed last.",
                {label: item.throughput for label, item in own.items()},
            ),
        ]

    def _alerts(self) -> Family:
        """Runs of hooks and posts of webhooks."""
        samples = [
            Sample(number, (("channel", delivery.channel), ("outcome", outcome)))
            for delivery in self._deliveries
            for outcome, number in delivery.counts().items()
        ]
        return Family(
            "sgltriage_alerts", "counter", "Alerts handed to hooks and webhooks, by what became of them.", samples
        )


def _counted(label: str, counts: dict[str, int]) -> list[Sample]:
    return [Sample(number, ((label, name),)) for name, number in sorted(counts.items())]
