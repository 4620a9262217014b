"""What others put around a server's line: container runtimes, journals, launchers, log exporters. Order matters: the
more telling shape stands first among those that begin alike."""

from __future__ import annotations

from triage.matching.prefix_rules import ANY_REACH, DIGITS, LETTERS, LOWER, UPPER, Kind, Rule, rule

ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
SYSLOG = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})?"
LEVEL = r"DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|TRACE|SUCCESS"
LEVEL_FIRST = "DIWECFTS"
# A process that only passes lines on: its pid says nothing about the server.
_CARRIED_BY = r"(?:docker|dockerd|containerd|podman|conmon|systemd|kubelet)"
_UNIT = rf"(?:{_CARRIED_BY}(?:\[\d+\])?|[\w.@/-]+?(?:\[(?P<pid>\d+)\])?): "
# Kubernetes draws the ends of pod names from this alphabet, so that they never spell a word.
_POD_HASH = "bcdfghjklmnpqrstvwxz2456789"
_STERN_FOLLOWERS = r"(?=\[|\d{4}-|\(|INFO|WARN|ERROR|Traceback|  |[IWEF]\d{4})"

_ISO_MARK = (10, "T")
_W, _C, _F = Kind.WRAPPER, Kind.CARRIER, Kind.FORMAT

WRAPPERS: tuple[Rule, ...] = (
    rule("cri", _W, rf"(?P<time>{ISO}) (?:stdout|stderr) [FP] ", DIGITS, " std", mark=_ISO_MARK),
    rule(
        "kernel",
        _F,
        rf"(?P<time>{ISO}|{SYSLOG}) (?P<node>\S+) kernel: (?:\[ *\d+\.\d{{6}}\] ?)?",
        DIGITS + UPPER,
        "kernel: ",
        second=DIGITS + LOWER,
    ),
    rule("journald-iso", _W, rf"(?P<time>{ISO}) (?P<node>[\w.-]+) {_UNIT}", DIGITS, ": ", mark=_ISO_MARK),
    rule(
        "journald-short",
        _W,
        rf"(?P<time>{SYSLOG}) (?P<node>[\w.-]+) {_UNIT}",
        UPPER,
        ": ",
        second=LOWER,
        mark=(3, " "),
    ),
    rule(
        "dynamo",
        _C,
        rf"(?P<time>{ISO})\s+(?P<level>{LEVEL}) (?:[\w.-]+\{{[^\n]{{0,600}}?\}}: ?)?(?:[\w.<>-]+(?:::[\w.<>]+)*: )?",
        DIGITS,
        mark=_ISO_MARK,
    ),
    rule("docker-ts", _W, rf"(?P<time>{ISO})(?: |$)", DIGITS, mark=_ISO_MARK),
    rule("slurm-label", _W, r"(?P<task>\d{1,6}): ", DIGITS, ": ", reach=8),
    rule("buildkit", _W, r"#\d+ \d+\.\d+(?: |$)", "#", second=DIGITS),
    rule("buildkit", _W, r"\d{1,5}\.\d{2,3}(?: |$)", DIGITS, ".", reach=6),
    rule("kubectl", _W, r"\[pod/(?P<node>[^/\]\s]+)(?:/[^\]\s]+)?\] ", "[", second="p"),
    rule(
        "mpirun",
        _W,
        r"\[\d+,(?P<ranknum>\d+)\]<(?:stdout|stderr|stddiag)>: ?",
        "[",
        "]<std",
        second=DIGITS,
        reach=ANY_REACH,
    ),
    rule(
        "torchrun",
        _W,
        r"\[(?P<rank>(?!rank)[A-Za-z_]+\d+)(?:\|\d+)?\]:(?= |\[|\w) ?",
        "[",
        "]:",
        second=LETTERS + "_",
        reach=ANY_REACH,
    ),
    rule("tag", _W, r"\[[A-Za-z][\w ()-]{0,40}\] (?=\d{4}-\d\d-\d\d[ T])", "[", "] ", second=LETTERS, reach=44),
    rule("ansi-remains", _W, r"(?:\[(?:\d{1,3};){0,3}\d{1,3}m)+ ?", "[", "m", second=DIGITS, reach=17),
    rule(
        "vllm-process",
        _W,
        r"\((?:EngineCore|Engine|Worker|APIServer|ApiServer|DPCoordinator)(?P<joined>(?:_[A-Z]+\d+)*)(?:_\d+)? pid=(?P<pid>\d+)\) ?",
        "(",
        second="EWAD",
    ),
    rule(
        "ray",
        _W,
        r"\s{0,2}\((?P<node>[\w.-]+), rank=(?P<ranknum>\d+), pid=(?P<pid>\d+)(?:, ip=[\w.:]+)?\) ?",
        "( ",
        "(",
        reach=3,
    ),
    rule("ray", _W, r"\s{0,2}\([\w.:<>/+-]+ pid=(?P<pid>\d+)(?:, ip=(?P<node>[\w.:]+))?\) ?", "( ", "(", reach=3),
    rule(
        "ray",
        _W,
        r"\((?:raylet|autoscaler[^)\n]{0,20}|pid=(?:(?P<pid>\d+)|\w+))(?:, ip=(?P<node>[\w.:]+))?\) ",
        "(",
        second="rap",
    ),
    # The opening parenthesis is lost when an excerpt is copied by hand.
    rule(
        "vllm-process",
        _W,
        r"(?:EngineCore|Worker|APIServer)(?P<joined>(?:_[A-Z]+\d+)*) pid=(?P<pid>\d+)\) ",
        "EWA",
        " pid=",
        second="noP",
        reach=ANY_REACH,
    ),
    rule("export", _C, rf"(?P<level>{LEVEL}) (?P<time>{ISO}) ", LEVEL_FIRST, "-", second=UPPER, reach=14),
    rule("export", _W, rf"\s{{0,4}}\| (?P<time>{ISO}) \| ", " |", "|", reach=5),
    rule(
        "stern",
        _W,
        rf"(?P<node>[a-z0-9]+(?:-[a-z0-9]+)*-(?:\d+|[{_POD_HASH}]{{5}})) [a-z][a-z0-9-]* {_STERN_FOLLOWERS}",
        LOWER,
        "-",
        reach=ANY_REACH,
    ),
    rule(
        "compose",
        _W,
        r"(?P<node>[A-Za-z][\w.-]{0,100})(?: {1,40}|(?<=-\d)|(?<=-\d\d))\|(?: |$)",
        LETTERS,
        "|",
        reach=142,
        in_word=True,
    ),
    rule(
        "pdsh",
        _W,
        r"(?P<node>(?=[\w.-]*\d)[A-Za-z][\w.-]{0,80}): (?=\[\d{4}-\d\d-\d\d |\[rank\d)",
        LETTERS,
        ": [",
        reach=84,
        in_word=True,
    ),
    rule("quote", _W, r"(?:> )+", ">", second=" "),
    rule("kmsg", _W, r"<\d{1,3}>(?=\[|\w)", "<", second=DIGITS),
    rule("docker-json", _W, r'\{"log": ?"(?:\\u001[bB]\[[\d;]*m)*', "{", second='"'),
)
