"""The NVIDIA driver: version of the kernel module and of its libraries, which kind of module, which options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from triage.lazy_regex import lazy_regex
from triage.model import Value
from triage.probing.catalogue.nvidia_devices import DEVICES, first, require_nvidia
from triage.probing.catalogue.nvidia_smi import BANNER, failure
from triage.probing.probe import File, Probe, Transcript, Unavailable, by_label, fixed

_VERSION_FILE = "/proc/driver/nvidia/version"
_PARAMETERS = "/proc/driver/nvidia/params"
_MODULE = "/sys/module/nvidia/version"

_NUMBER = r"(\d{3}\.\d{1,4}(?:\.\d{1,4})?)"
_KERNEL_MODULE = lazy_regex(rf"NVRM version: NVIDIA UNIX ([^\n]{{0,60}}?)[ \t]{{1,8}}{_NUMBER}(?=\s|$)")
# A new wording says KMD and UMD for the two halves of the driver.
_BANNER = lazy_regex(rf"NVIDIA-SMI {_NUMBER}[ \t]{{1,60}}(?:Driver|KMD) Version: {_NUMBER}")
_CUDA = lazy_regex(r"CUDA (?:UMD )?Version: (\d{1,2}\.\d{1,2})")
_LIBRARY = lazy_regex(r"NVML library version: (\d{3}\.[\d.]{1,12})")
_MISMATCH = "Driver/library version mismatch"
# The newest CUDA of a branch of the driver, for hosts where nvidia-smi cannot be asked.
_CUDA_OF_BRANCH = {
    470: "11.4", 510: "11.6", 515: "11.7", 520: "11.8", 525: "12.0", 530: "12.1", 535: "12.2", 545: "12.3", 550: "12.4",
    555: "12.5", 560: "12.6", 565: "12.7", 570: "12.8", 575: "12.9", 580: "13.0", 590: "13.1",
}  # fmt: skip


def parse(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    """Facts ``driver.*``. Raises NotApplicable without any NVIDIA device, ValueError if nothing tells a version or a failure."""
    banner = first(transcripts, BANNER.label)
    facts = dict(_module(transcripts))
    facts.update(_smi(banner))
    if set(facts) <= {"driver.nvidia_smi"} and banner.status != "timed-out":
        require_nvidia(transcripts)
        raise Unavailable("neither /proc/driver/nvidia nor nvidia-smi tells a version")
    version = facts.get("driver.version")
    if "driver.cuda" not in facts and isinstance(version, str):
        cuda = _CUDA_OF_BRANCH.get(int(version.partition(".")[0]))
        if cuda is not None:
            facts["driver.cuda"] = cuda
    yield from facts.items()


def _module(transcripts: Sequence[Transcript]) -> Iterator[tuple[str, Value]]:
    loaded = by_label(transcripts, _VERSION_FILE)
    found = _KERNEL_MODULE.search(loaded.text) if loaded is not None else None
    if found is not None:
        yield "driver.version", found[2]
        yield "driver.open_module", "Open Kernel Module" in found[1]
    else:
        module = by_label(transcripts, _MODULE)
        plain = re.fullmatch(_NUMBER, module.text.strip()) if module is not None else None
        if plain is not None:
            yield "driver.version", plain[1]
    parameters = by_label(transcripts, _PARAMETERS)
    if parameters is not None:
        yield from _options(parameters.text)


def _options(text: str) -> Iterator[tuple[str, Value]]:
    values = dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))
    switches = {
        "EnableStreamMemOPs": "driver.stream_mem_ops",
        "NvLinkDisable": "driver.nvlink_disabled",
        "CreateImexChannel0": "driver.creates_imex_channel",
    }
    for option, name in switches.items():
        if option in values:
            yield name, values[option].strip() != "0"
    if "RegistryDwords" in values:
        yield "driver.peer_mapping_override", "PeerMappingOverride=1" in values["RegistryDwords"]


def _smi(banner: Transcript) -> Iterator[tuple[str, Value]]:
    """``driver.nvidia_smi`` says how it went: ok, absent, timed-out, denied, failed."""
    if banner.status != "ok":
        yield "driver.nvidia_smi", banner.status
        return
    reason = failure(banner.text)
    yield "driver.nvidia_smi", "failed" if reason else "ok"
    cuda = _CUDA.search(banner.text)
    if cuda is not None:
        yield "driver.cuda", cuda[1]
    if reason:
        yield "driver.nvml_error", reason
        yield "driver.library_mismatch", reason == _MISMATCH
        library = _LIBRARY.search(banner.text)
        if library is not None:
            yield "driver.library_version", library[1].rstrip(".")
        return
    versions = _BANNER.search(banner.text)
    if versions is not None:
        yield "driver.library_version", versions[1]
        yield "driver.version", versions[2]
        yield "driver.library_mismatch", False


PROBES = (
    Probe(
        "driver-version",
        "The NVIDIA driver: its version, its libraries, its options",
        fixed(File(_VERSION_FILE), File(_PARAMETERS), File(_MODULE), BANNER, DEVICES),
        parse,
        cost_s=1.0,
    ),
)
