"""GPUs of AMD."""

from __future__ import annotations

import pytest

from triage.model import Value
from triage.probing.catalogue.rocm import _architecture, parse
from triage.probing.probe import NotApplicable, Transcript

NODE = "==> /sys/class/kfd/kfd/topology/nodes/{n}/properties <==\ncpu_cores_count {cpus}\nsimd_count {simds}\nvendor_id 4098\ngfx_target_version {gfx}\n"
NODES = (
    NODE.format(n=0, cpus=96, simds=0, gfx=0)
    + NODE.format(n=1, cpus=0, simds=1216, gfx=90402)
    + NODE.format(n=2, cpus=0, simds=1216, gfx=90402)
)
DEVICES = "/dev/dri/renderD128\n/dev/dri/renderD136\n/dev/kfd\n/sys/class/kfd/kfd\n/sys/module/amdgpu"


def told(
    nodes: str = "", devices: str = DEVICES, *, driver: str = "", amd: str = "", rocm: str = ""
) -> dict[str, Value]:
    """Facts; an empty text is an absent source."""
    texts = {"AMD devices": devices, "/sys/class/kfd/kfd/topology/nodes/*/properties": nodes, "/sys/module/amdgpu/version": driver,
             "/opt/rocm/.info/version": "6.4.1-83\n", "amd-smi list": amd, "rocm-smi --showid": rocm}  # fmt: skip
    return dict(
        parse(
            [
                Transcript(label, "ok" if text or label == "AMD devices" else "absent", text)
                for label, text in texts.items()
            ]
        )
    )


def test_two_cards_and_a_processor() -> None:
    """A node without compute units is no GPU."""
    assert told(NODES, driver="6.12.12\n") == {
        "rocm.gpu_count": 2,
        "rocm.gfx": "gfx942",
        "rocm.mixed": False,
        "rocm.driver_version": "6.12.12",
        "rocm.version": "6.4.1",
        "rocm.kfd_device": True,
        "rocm.render_nodes": 2,
    }


@pytest.mark.parametrize(
    ("version", "name"),
    [(90010, "gfx90a"), (90402, "gfx942"), (90500, "gfx950"), (110000, "gfx1100"), (120001, "gfx1201"), (0, "")],
)
def test_names_of_architectures(version: int, name: str) -> None:
    """The stepping is hexadecimal."""
    assert _architecture(version) == name


def test_the_tools_stand_in_for_the_kernel() -> None:
    """New and old one count GPUs in their own way."""
    listing = "GPU: 0\n    BDF: 0000:05:00.0\n    UUID: 00000000-0000-0000-0000-000000000000\n\nGPU: 1\n    BDF: 0000:26:00.0\n"
    assert told(amd=listing)["rocm.gpu_count"] == 2
    assert told(rocm="GPU[0]\t\t: Device Name: \t\tx\nGPU[0]\t\t: Device ID: \t\t0x74a1\n")["rocm.gpu_count"] == 1


def test_a_container_without_the_device() -> None:
    """The kernel shows the cards of the host; /dev/kfd is what makes them usable."""
    facts = told(NODES, devices="/sys/class/kfd/kfd\n/sys/module/amdgpu")
    assert facts["rocm.gpu_count"] == 2
    assert facts["rocm.kfd_device"] is False
    assert facts["rocm.render_nodes"] == 0


def test_no_amd_gpu() -> None:
    """Another maker's render nodes do not count, nor ROCm that is installed without a card."""
    with pytest.raises(NotApplicable, match="no AMD GPU"):
        told(devices="/dev/dri/renderD128")
