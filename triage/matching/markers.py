"""The lines that the engine itself looks for: phases of a server's life, launches, errors, and shapes of a stream.

Wordings are those of SGLang 0.1.26 to 0.5.23; each stem is the part that stayed.
"""

from __future__ import annotations

from functools import cache

from triage.knowledge.database import Expression, marker
from triage.matching.fact_patterns import FACT_PATTERNS
from triage.model import Pattern, Phase

PHASE_MARKERS: tuple[tuple[str, str, Phase], ...] = (
    ("launch", r"server_args=(?:ServerArgs\(|Namespace\(|\{)", Phase.LAUNCH),
    ("init-distributed", r"Init (?:torch distributed|nccl|parallel) begin", Phase.LAUNCH),
    ("weights-begin", r"Load weight begin", Phase.WEIGHTS),
    ("weights-end", r"Load weight end", Phase.MEMORY_POOL),
    ("pool-end", r"Memory pool end", Phase.GRAPH_CAPTURE),
    ("capture-begin", r"Capture [^\n]{0,40}(?:graph|CUDA)[^\n]{0,20} begin", Phase.GRAPH_CAPTURE),
    ("capture-end", r"Capture [^\n]{0,40}(?:graph|CUDA)[^\n]{0,20} end", Phase.WARMUP),
    ("uvicorn", r"Uvicorn running on ", Phase.WARMUP),
    ("ready", r"The server is fired up and ready to roll", Phase.SERVING),
    ("shutdown", r"(?:Gracefully exiting|SIGTERM received|Shutting down gracefully)", Phase.SHUTDOWN),
    ("pip", r"(?:Installing collected packages: |Collecting [\w.-]+|Attempting uninstall: )", Phase.INSTALL),
)
"""(name, regex, the phase that begins with such a line)."""

ERROR_MARKERS: tuple[tuple[str, str], ...] = (
    ("traceback", r"Traceback \(most recent call last\)"),
    ("exception", r"(?:Error|Exception|Exit|Interrupt|Timeout|Expired): [^\s]"),
    ("exception-bare", r"(?:Error|Exception)$"),
    ("level-error", r"\b(?:ERROR|CRITICAL|FATAL)\b"),
    ("level-glog", r"\b[EF]\d{3,8} \d\d:\d\d:\d\d[^\n]{0,120}\.(?:cpp|cc|cu|cuh|h|hpp|py):\d+\]"),
    ("cuda-error", r"CUDA error: "),
    ("crash", r"(?:Fatal Python error|terminate called after|panicked at|Segmentation fault|core dumped)"),
    ("assertion", r"Assertion failed: [^\s]"),
    ("cuda-failure", r"Cuda failure '"),
    # UCX prints no level before what it ends the process for.
    (
        "ucx-fatal",
        r"\[[\w.-]{1,64}:\d{1,10} {0,4}:\d{1,6}:\d{1,10}\]\s{1,20}[\w.-]{1,40}\.(?:c|cc|h|inl):\d{1,5}\s{1,8}(?!UCX\b)[^\s]",
    ),
    ("status", r"non-zero status: \d"),
    ("killed", r"(?:^|\s)Killed$"),
    ("go-panic", r"(?:^|\s)panic: [^\s]"),
    ("error-word", r"(?:^|\s)(?:fatal )?error: "),
)
"""(name, regex); those named level-* count only where the prefix of the line says so too."""

STREAM_MARKERS: tuple[Expression, ...] = (
    marker("ansi", r"\x1b\[", "\x1b[", once=True),
    marker("cri-partial", r" std(?:out|err) P ", " P ", once=True),
    marker("typographic-quote", "\u2018|\u2019|\u201c|\u201d", once=True),
    marker("docker-json", r"^\{\"log\": ?\"", '{"log":', once=True),
)

FACT_PREFIX = "@fact:"
PHASE_PREFIX = "@phase:"
ERROR_PREFIX = "@error:"


@cache
def all_markers() -> tuple[Expression, ...]:
    """Every marker, in the order in which they follow the signatures' patterns in the database."""
    return (
        *STREAM_MARKERS,
        *(marker(f"phase:{name}", source) for name, source, _ in PHASE_MARKERS),
        *(marker(f"error:{name}", source) for name, source in ERROR_MARKERS),
        *(marker(f"fact:{name}", source, literal) for name, source, literal in FACT_PATTERNS),
    )


def marker_pattern(key: str) -> Pattern:
    """The pattern with which a marker's candidate line is confirmed.

    Raises:
        KeyError: no marker has this key.
    """
    return _patterns()[key]


@cache
def _patterns() -> dict[str, Pattern]:
    return {item.key: Pattern(item.key, item.source, item.literal) for item in all_markers()}
