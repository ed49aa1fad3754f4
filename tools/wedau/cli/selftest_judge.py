"""Run the checks of the device suite and judge what the scripts answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from wedau.cli.selftest_check import Answer, Check, Step
from wedau.cli.selftest_places import Place
from wedau.device import scripts
from wedau.device.link import BoardError
from wedau.errors import DeviceError, SimError, WedauError
from wedau.report.selftest import Checked, Outcome

_SHOWN = 40


class Judge:
    """Runs checks one after the other and says how each ended."""

    def __init__(self, place: Place, timeout_s: float, missing: Mapping[str, str]) -> None:
        self._place = place
        self._timeout_s = timeout_s
        self._missing = missing
        self._lost: str | None = None  # by which check the board went away for good

    def check(self, check: Check) -> Checked:
        """Run one check."""
        missing = next((name for name in check.modules if name in self._missing), None)
        if self._lost:
            return _skipped(check, f"the board did not come back after {self._lost}")
        if missing:
            return _skipped(check, f"no {missing}: {self._missing[missing]}")
        answers: list[Answer] = []
        try:
            for step in check.steps:
                for _ in range(step.times):
                    answer = self._run(step)
                    if "skip" in answer:
                        return _skipped(check, answer["skip"])
                    answers.append(answer)
                    wrong = difference(step.expected, answer)
                    if wrong:
                        return _failed(check, f"{step.script}.py: {wrong}")
            wrong = check.rule(answers)
        except _LostError as lost:
            self._lost = check.name
            return _failed(check, str(lost))
        except _BrokenError as broken:
            return _failed(check, str(broken))
        if wrong:
            return _failed(check, wrong)
        return Checked(check.name, check.what, Outcome.PASSED, None, _figures(check, answers))

    def _run(self, step: Step) -> dict[str, Any]:
        text = scripts.program(step.script, {"folder": self._place.folder, **step.given})
        try:
            if step.way:
                self._place.leave_by(step.way, restarts=step.restarts)
            return scripts.answer(self._place.run(text, self._timeout_s))
        except BoardError as error:
            raise _BrokenError(f"{step.script}.py raised {error.last_line}") from None
        except (DeviceError, SimError) as error:
            kind = _LostError if self._gone() else _BrokenError
            raise kind(f"{step.script}.py: {error.message}") from None

    def _gone(self) -> bool:
        """Whether the board does not answer any more, however long one waits."""
        try:
            self._place.run("", self._timeout_s)
        except WedauError:
            return True
        return False


class _BrokenError(Exception):
    """A script did not answer."""


class _LostError(Exception):
    """A script did not answer, and the board has not come back since."""


def _skipped(check: Check, reason: str) -> Checked:
    return Checked(check.name, check.what, Outcome.SKIPPED, reason, {})


def _failed(check: Check, reason: str) -> Checked:
    return Checked(check.name, check.what, Outcome.FAILED, reason, {})


def difference(expected: Answer, answer: Answer) -> str | None:
    """Say what first differs of an answer from what is expected; None if nothing does."""
    for key, right in expected.items():
        if key not in answer:
            return f"{key} is missing"
        wrong = _differs(key, right, answer[key])
        if wrong:
            return wrong
    return None


def _differs(name: str, right: Any, given: Any) -> str | None:
    if isinstance(right, list | tuple) and isinstance(given, list | tuple):
        if len(right) != len(given):
            return f"{name} has {len(given)} items instead of {len(right)}"
        pairs = enumerate(zip(right, given, strict=True))
        return next(filter(None, (_differs(f"{name}[{i}]", *pair) for i, pair in pairs)), None)
    if type(right) is type(given) and right == given:
        return None
    return f"{name} is {_shown(given)} instead of {_shown(right)}"


def _shown(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _figures(check: Check, answers: Sequence[Answer]) -> dict[str, int | float]:
    """Return the numbers in the last answers of each script that nothing is expected of."""
    expected = {key for step in check.steps for key in step.expected}
    found: dict[str, int | float] = {}
    for answer in answers:
        plain = {key: value for key, value in answer.items() if key not in expected}
        plain |= plain.pop("cost", {})
        found |= {key: value for key, value in plain.items() if type(value) in (int, float)}
    return found
