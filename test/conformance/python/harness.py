"""Runs the cases of the conformance suite and prints one JSON line for each: name, outcome, detail.

The gateway is at AROUTER_URL. With AROUTER_CONTROL_URL the providers are simulated: prompts carry control words and the
simulator's log can be read. Without it they are real, and cases that need the simulator skip.
"""

import asyncio
import inspect
import json
import os
import time
import traceback
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Callable

GATEWAY = os.environ["AROUTER_URL"]
CONTROL = os.environ.get("AROUTER_CONTROL_URL")
KEY = os.environ.get("AROUTER_CLIENT_KEY", "sk-client")
SIMULATED = CONTROL is not None

GPT = "gpt-4.1"
GPT_MINI = "gpt-4o-mini"
GPT_REASONING = "gpt-5.6-luna"
CLAUDE = "claude-sonnet-5-5"
# Takes sampling parameters, prefill, forced tools and a thinking budget.
CLAUDE_EARLIER = "claude-sonnet-4-5-20250929"
BOTH = (GPT, CLAUDE)
ALL = (GPT, CLAUDE, CLAUDE_EARLIER)

# 1 x 1 pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0tpZHNbMyAwIFJdL0NvdW50IDE+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9QYWdlL01lZGlhQm94WzAgMCAzIDNdL1BhcmVudCAyIDAgUj4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4K"


@dataclass(frozen=True)
class Case:
    name: str
    run: Callable[..., Any]
    model: "str | None"
    simulator_only: bool


CASES: "list[Case]" = []


class Skip(Exception):
    """Ends a case that this SDK release or provider cannot run; the text says why."""


def case(name: str, *models: str, simulator_only: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as a case, once for each model, which it gets as its argument."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        for model in models or (None,):
            title = name if model is None else f"{name} ({model})"
            CASES.append(Case(title, run, model, simulator_only))
        return run

    return register


def prompt(text: str, sim: str = "") -> str:
    """A prompt that also tells the simulator what to answer."""
    return f"{text} [[sim: {sim}]]" if SIMULATED and sim else text


def told(actual: Any, expected: Any) -> None:
    """Asserts what the simulator was told to answer; a real model is free."""
    if SIMULATED:
        assert actual == expected, f"expected {expected!r}, got {actual!r}"


def same(actual: Any, expected: Any) -> None:
    assert actual == expected, f"expected {expected!r}, got {actual!r}"


def raises(run: Callable[[], Any], *names: str, module: Any) -> Any:
    """Runs and returns the exception, whose class is the first of `names` that this SDK release has."""
    expected = next(getattr(module, name) for name in names if hasattr(module, name))
    try:
        result = run()
    except Exception as error:  # noqa: BLE001: the class is what is tested
        assert type(error) is expected, f"expected {expected.__name__}, got {type(error).__name__}: {error}"
        return error
    raise AssertionError(f"expected {expected.__name__}, got {result!r}")


def upstream_log(marker: str) -> "list[dict[str, Any]]":
    """Requests that reached the simulator with `marker` in their body."""
    assert CONTROL is not None
    with urllib.request.urlopen(f"{CONTROL}/log?marker={urllib.parse.quote(marker)}") as answer:
        return json.load(answer)


def wait_for_abort(marker: str, within_seconds: float = 2.0) -> None:
    """Asserts that the one upstream request with `marker` was aborted."""
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        entries = upstream_log(marker)
        if entries and all(entry["aborted"] for entry in entries):
            return
        time.sleep(0.02)
    raise AssertionError(f"not aborted upstream: {upstream_log(marker)}")


def run_all() -> None:
    for one in CASES:
        if one.simulator_only and not SIMULATED:
            report(one.name, "skipped", "needs the simulator")
            continue
        try:
            arguments = () if one.model is None else (one.model,)
            result = one.run(*arguments)
            if inspect.isawaitable(result):
                asyncio.run(with_limit(result))
            report(one.name, "passed", "")
        except Skip as why:
            report(one.name, "skipped", str(why))
        except BaseException as error:  # noqa: BLE001: a case may raise anything
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            report(one.name, "failed", "".join(lines[-4:])[-3000:])


async def with_limit(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, timeout=30)


def report(name: str, outcome: str, detail: str) -> None:
    print(json.dumps({"name": name, "outcome": outcome, "detail": detail}), flush=True)
