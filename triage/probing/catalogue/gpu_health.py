"""The health of the GPUs of NVIDIA: memory errors, spare rows, heat, power, and what the driver wants done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import DEVICES
from triage.probing.catalogue.nvidia_smi import REPORT, gpu_reports, number, output, unreachable
from triage.probing.probe import Probe, Transcript, fixed

_Gpu = Mapping[str, str]
# Reasons that are no fault: nothing to do, or what the operator has set.
_HARMLESS = frozenset({"Idle", "Applications Clocks Setting", "Display Clock Setting", "Sync Boost"})
_REASONS = lazy_regex(r"Clocks (?:Event|Throttle) Reasons/(?:[^/]+/)?([^/]+)")
# Until Volta: a table of single and double bit errors; from Ampere on: one line a memory.
_UNCORRECTED = lazy_regex(r"ECC Errors/(Volatile|Aggregate)/(?:[SD]RAM Uncorrectable[^/]*|Double Bit/Total)")


def parse(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts on health, over all GPUs. Raises NotApplicable without a GPU, ValueError if the report is missing."""
    text = output(transcripts, REPORT.label)
    lost = unreachable(text)
    if lost and "Product Name" not in text:
        yield "gpu.unreachable", lost
        return
    gpus = gpu_reports(text)
    yield "gpu.unreachable", lost
    yield from _ecc(gpus)
    yield from _rows(gpus)
    yield from _clocks(gpus)
    yield from _wishes(gpus)


def _ecc(gpus: Sequence[_Gpu]) -> Iterator[tuple[str, Value]]:
    for span, name in (("Volatile", "gpu.ecc_uncorrected"), ("Aggregate", "gpu.ecc_uncorrected_ever")):
        counts = [
            number(value)
            for gpu in gpus
            for key, value in gpu.items()
            if (found := _UNCORRECTED.fullmatch(key)) is not None and found[1] == span
        ]
        known = [int(count) for count in counts if count is not None]
        if known:
            yield name, sum(known)


def _rows(gpus: Sequence[_Gpu]) -> Iterator[tuple[str, Value]]:
    for key, name in (
        ("Remapped Rows/Pending", "gpu.remapped_rows_pending"),
        ("Remapped Rows/Remapping Failure Occurred", "gpu.remapped_rows_failed"),
        ("Retired Pages/Pending Page Blacklist", "gpu.retired_pages_pending"),
        ("ECC Errors/Channel Repair Pending", "gpu.channel_repair_pending"),
        ("ECC Errors/Unrepairable Memory", "gpu.unrepairable_memory"),
    ):
        values = {gpu.get(key, "") for gpu in gpus}
        if values & {"Yes", "No"}:
            yield name, "Yes" in values
    for keys, name in (
        (("Remapped Rows/Correctable Error", "Remapped Rows/Uncorrectable Error"), "gpu.remapped_rows"),
        (("Retired Pages/Single Bit ECC", "Retired Pages/Double Bit ECC"), "gpu.retired_pages"),
    ):
        counts = [number(gpu.get(key, "")) for gpu in gpus for key in keys]
        known = [int(count) for count in counts if count is not None]
        if known:
            yield name, sum(known)


def _clocks(gpus: Sequence[_Gpu]) -> Iterator[tuple[str, Value]]:
    reasons: set[str] = set()
    seen = False
    for gpu in gpus:
        for key, value in gpu.items():
            found = _REASONS.fullmatch(key)
            if found is not None and value in ("Active", "Not Active"):
                seen = True
                if value == "Active" and found[1] not in _HARMLESS:
                    reasons.add(found[1])
    if seen:
        # A cap on power is normal under load; a slowdown is heat or a power supply in trouble.
        yield "gpu.throttled", any("Slowdown" in reason for reason in reasons)
    if reasons:
        yield "gpu.throttle_reasons", tuple(sorted(reasons))
    degrees = [number(gpu.get("Temperature/GPU Current Temp", "")) for gpu in gpus]
    known = [int(value) for value in degrees if value is not None]
    if known:
        yield "gpu.temperature_max_c", max(known)


def _wishes(gpus: Sequence[_Gpu]) -> Iterator[tuple[str, Value]]:
    """What the driver recommends, what it cannot read, and modes that matter to a server."""
    actions = {action for gpu in gpus if (action := gpu.get("GPU Recovery Action", ""))} - {"N/A", ""}
    if actions:
        yield "gpu.recovery_action", next(iter(sorted(actions - {"None"})), "None")
    yield "gpu.requires_reset", any("requires reset" in value for gpu in gpus for value in gpu.values())
    persistence = {gpu.get("Persistence Mode", "") for gpu in gpus}
    if persistence & {"Enabled", "Disabled"}:
        yield "gpu.persistence_mode", "Disabled" not in persistence
    widths = [
        (number(gpu.get(f"PCI/GPU Link Info/Link Width/{which}", "")) for which in ("Current", "Max")) for gpu in gpus
    ]
    pairs = [(now, most) for now, most in widths if now is not None and most is not None]
    if pairs:
        yield "gpu.pcie_width_reduced", any(now < most for now, most in pairs)


PROBES = (
    Probe(
        "gpu-health",
        "The health of the GPUs: memory errors, spare rows, heat",
        fixed(REPORT, DEVICES),
        parse,
        cost_s=2.0,
    ),
)
