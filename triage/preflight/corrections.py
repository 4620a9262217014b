"""The command as it should read: for each fault that has a mechanical cure the words that change, for the others why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from triage.preflight import cure_values, flags, network, resources, settings
from triage.preflight.command import Option
from triage.preflight.cure_sizes import better_sizes, fitting_sizes
from triage.preflight.edits import Edits
from triage.preflight.plan import Derived, Plan
from triage.preflight.shell_words import Word
from triage.records import dataclass

_SIZES = frozenset((
    "launch.heads_remainder", "launch.kv_heads_remainder", "launch.experts_remainder", "launch.quant_block_remainder",
    "launch.ranks_over_gpus", "launch.nodes_remainder", "launch.dp_attention_remainder", "launch.ep_remainder",
    "launch.weights_exceed_memory",
))  # fmt: skip
_NOT_MECHANICAL = {
    "launch.pd_without_transfer_backend_package": "install the package; the command is right",
    "launch.pd_without_peermem": "load the kernel module (modprobe nvidia_peermem); the command is right",
    "launch.pd_without_router": "the router is a command of its own (python -m sglang_router.launch_router --pd-disaggregation)",
    "launch.deepgemm_cache_cold": "run python -m sglang.compile_deep_gemm with the same options first",
    "launch.model_path_missing": "which folder is meant cannot be told",
    "launch.nccl_ifname_missing": "which interface reaches the other nodes cannot be told from here",
}


@dataclass(frozen=True, slots=True)
class Change:
    """Words that change: ``was`` to ``now`` (both may be empty). ``now`` None: nothing is changed, ``reason`` says why."""

    fact: str
    was: tuple[str, ...]
    now: tuple[str, ...] | None
    reason: str


@dataclass(frozen=True, slots=True)
class Correction:
    """The whole command, the changes in it, and the faults that were left alone. ``words`` is None if nothing changed."""

    words: tuple[str, ...] | None
    changes: tuple[Change, ...]


def correct(words: Sequence[str], faults: Iterable[tuple[Plan, Derived]]) -> Correction:
    """The correction of ``words`` for these faults: same words, same order, as few changes as there can be."""
    edits, changes, sized = Edits(), list[Change](), set[int]()
    for plan, fault in faults:
        if fault.name in _SIZES:
            # One choice of sizes cures all of them.
            if id(plan) not in sized:
                sized.add(id(plan))
                changes.extend(_sizes(plan, fault, edits))
            continue
        cure = _CURES.get(fault.name)
        if cure is None:
            reason = _NOT_MECHANICAL.get(fault.name, "there is no mechanical cure")
            changes.append(Change(fault.name, tuple(word.text for word in fault.words), None, f"{fault.why}: {reason}"))
        else:
            changes.extend(cure(plan, fault, edits))
    return Correction(edits.apply(words) if edits else None, tuple(changes))


def _sizes(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    better = better_sizes(plan)
    if better is None:
        yield Change(fault.name, _texts(fault.words), None, f"{fault.why}: no other --tp cures that on these GPUs")
        return
    for field, value in better:
        yield _set(plan, fault, edits, field, str(value))


def _set(plan: Plan, fault: Derived, edits: Edits, field: str, value: str) -> Change:
    """Give an option another value, or add it."""
    option = plan.command.option(field)
    if option is None or not option.name:
        words = ("--" + field.replace("_", "-"), value)
        edits.insert_behind(plan.command.last_word, *words)
        return Change(fault.name, (), words, fault.why)
    return _new_value(fault, edits, option, value)


def _new_value(fault: Derived, edits: Edits, option: Option, value: str) -> Change:
    last = option.words[-1]
    edits.replace(last, value if len(option.words) > 1 else f"{option.name}={value}")
    now = (option.words[0].text, value) if len(option.words) > 1 else (f"{option.name}={value}",)
    return Change(fault.name, _texts(option.words), now, fault.why)


def _flags(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    """Removed and misspelt options: the one that was meant in their place; removed for good without a successor: left out."""
    removed = fault.name == "launch.removed_flags"
    for option in flags.refused_options(plan):
        if flags.is_released(option.name) is not removed:
            continue
        words = _meant(plan, option)
        given = bool(words) and any(item.name == words[0] for item in plan.command.options)
        if words and not given:
            first, equals, value = option.words[0].text.partition("=")
            now = (*words[:-1], words[-1] + equals + value)
            edits.replace(option.words[0], *now)
            yield Change(fault.name, (first + equals + value,), now, f"{option.name} is not an option of this release")
        elif given or removed:
            for word in option.words:
                edits.replace(word)
            why = f"{words[0]} is given already" if given else "this release has no such option any more"
            yield Change(fault.name, _texts(option.words), (), f"{option.name}: {why}")
        else:
            why = f"{option.name} is no option of sglang, and no option is like it"
            yield Change(fault.name, (option.words[0].text,), None, why)


def _meant(plan: Plan, option: Option) -> tuple[str, ...]:
    words = flags.meant(plan, option.name)
    sizes = fitting_sizes(plan)
    # Its successor takes the size that the whole command will have.
    return ("--ep-size", str(sizes.tp)) if words and option.name == "--enable-ep-moe" and sizes else words


def _variables(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    for variable in plan.command.variables:
        if not settings.is_deprecated(variable.name):
            continue
        new, text = settings.successor(variable.name), variable.word.text
        if new and plan.command.variable(new) is None:
            now = text.replace(f"{variable.name}=", f"{new}=", 1)
            edits.replace(variable.word, now)
            yield Change(fault.name, (text,), (now,), f"{variable.name} is deprecated")
        else:
            why = settings.NO_PLAIN_SUCCESSOR.get(variable.name, f"{new} is set too")
            yield Change(fault.name, (text,), None, f"{variable.name} is deprecated: {why}")


def _dispatch(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    variable = plan.command.variable(settings.DISPATCH_TOKENS)
    if variable is None:
        yield Change(fault.name, (), None, f"{fault.why}: it is set outside the command")
        return
    text = edits.text(variable.word)
    now = (
        text.partition(f"{settings.DISPATCH_TOKENS}=")[0]
        + f"{settings.DISPATCH_TOKENS}={settings.MOST_DISPATCH_TOKENS}"
    )
    edits.replace(variable.word, now)
    yield Change(fault.name, (text,), (now,), fault.why)


def _docker(plan: Plan, fault: Derived, edits: Edits, name: str, value: str) -> Iterator[Change]:
    """Give an option of ``docker run`` another value, or add it."""
    container = plan.command.container
    if container is None:
        yield Change(fault.name, (), None, f"{fault.why}: it is a matter of the host, not of the command")
        return
    setting = container.last(name)
    if setting is None:
        edits.insert_behind(container.run, f"--{name}", value)
        yield Change(fault.name, (), (f"--{name}", value), fault.why)
    else:
        now = (setting.words[0].text, value) if len(setting.words) > 1 else (f"--{name}={value}",)
        edits.replace(setting.words[-1], now[-1])
        yield Change(fault.name, _texts(setting.words), now, fault.why)


def _proxy(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    command = plan.command
    hosts = ",".join(dict.fromkeys(("localhost", "127.0.0.1", network.own_host(plan))))
    stated = command.variable("no_proxy") or command.variable("NO_PROXY")
    if stated is not None:
        text = edits.text(stated.word)
        now = text + ("," if stated.value else "") + hosts
        edits.replace(stated.word, now)
        yield Change(fault.name, (text,), (now,), fault.why)
        return
    inherited = plan.text("env.no_proxy")
    # Clients read the small letters first, so what is inherited there must be repeated.
    word = f"no_proxy={inherited},{hosts}" if inherited else f"NO_PROXY={hosts}"
    proxy = next((item for item in command.variables if item.name.lower() in ("http_proxy", "all_proxy")), None)
    if command.container is not None:
        edits.insert_behind(command.container.run, "-e", word)
        yield Change(fault.name, (), ("-e", word), fault.why)
        return
    if proxy is not None and proxy.word.text.startswith(f"{proxy.name}="):
        edits.insert_behind(proxy.word, word)
    else:
        edits.insert_before(command.start, word)
    yield Change(fault.name, (), (word,), fault.why)


def _port(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    found = cure_values.free_port(plan, fault.value)
    if found is None:
        yield Change(fault.name, _texts(fault.words), None, f"{fault.why}: no port above it is free")
        return
    name, port = found
    field = name.partition(".")[2]
    if field != "dist_init_addr":
        yield _set(plan, fault, edits, field, str(port))
        return
    option = plan.command.option(field)
    if option is not None:
        where = option.words[-1]
        yield _new_value(fault, edits, option, cure_values.with_port(edits.text(where).rpartition("=")[2], port))


def _rendezvous(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    option, address = plan.command.option("dist_init_addr"), cure_values.own_address(plan)
    if option is None or not address:
        yield Change(
            fault.name, _texts(fault.words), None, f"{fault.why}: which of its addresses is meant is not known"
        )
        return
    where = edits.text(option.words[-1]).rpartition("=")[2]
    yield _new_value(fault, edits, option, cure_values.with_host(where, address))


def _fraction(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    value = cure_values.fraction(plan)
    if value is None:
        yield Change(
            fault.name, _texts(fault.words), None, f"{fault.why}: no fraction leaves room for both; use more GPUs"
        )
        return
    yield _set(plan, fault, edits, "mem_fraction_static", f"{value:g}")


def _context(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    most = settings.derived_context(plan)
    if most is not None:
        yield _set(plan, fault, edits, "context_length", str(most))


def _pd_mode(plan: Plan, fault: Derived, edits: Edits) -> Iterator[Change]:
    edits.insert_behind(plan.command.program[-1], "--pd-disaggregation")
    yield Change(fault.name, (), ("--pd-disaggregation",), fault.why)


def _texts(words: Iterable[Word]) -> tuple[str, ...]:
    return tuple(word.text for word in words)


_CURES: dict[str, Callable[[Plan, Derived, Edits], Iterator[Change]]] = {
    "launch.removed_flags": _flags,
    "launch.unknown_flags": _flags,
    "launch.deprecated_variables": _variables,
    "launch.dispatch_tokens_over_limit": _dispatch,
    "launch.shm_too_small": lambda plan, fault, edits: _docker(plan, fault, edits, "shm-size", resources.SHM_SIZE),
    "launch.container_without_gpu": lambda plan, fault, edits: _docker(plan, fault, edits, "gpus", "all"),
    "launch.proxy_intercepts_loopback": _proxy,
    "launch.port_taken": _port,
    "launch.dist_init_addr_foreign": _rendezvous,
    "launch.mem_fraction_too_high": _fraction,
    "launch.mem_fraction_too_low": _fraction,
    "launch.context_over_model": _context,
    "launch.router_without_pd_mode": _pd_mode,
}
