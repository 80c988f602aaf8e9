"""A sweep spec: what to simulate. Each axis is a value or a list; the grid is their product."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import (
    ConfigDict,
    Field,
    FieldSerializationInfo,
    ValidationInfo,
    create_model,
    field_serializer,
    field_validator,
    model_validator,
)

from core.workload import STRESS
from sweep.errors import UsageError, nearest, quoted
from sweep.spec.axes import AXES, DISTURBING, MAX_COUNT, REQUIRED, SpecError, fraction, whole_number
from sweep.spec.cross_checks import CHECKS
from sweep.spec.durations import UNITS, format_duration, parse_duration
from sweep.spec.settings import read_settings

MAX_TIME_PS = 1000 * UNITS["s"]
MAX_ENSEMBLE = 64

AUTO = 0
"""The duration of cells that are simulated for as long as their precision needs."""

AUTO_PRECISION = 0.005
"""Of those, if the spec has none: half the 95 % interval of the mean, as a share of it."""

AUTO_STARTS = 12
"""The most starts of those. Cells whose starts differ by percents need hundreds for 0.5 %."""

TIMES = {"warmup": "3ms", "sample": "1ms"}
AUTO_TIMES = {"warmup": "400us", "sample": "400us"}
"""What a spec has by default, the second if it asks for AUTO: a start's warm-up and samples."""

FEWEST_REPLICATES = 5
"""Of a cell with a precision: of fewer, the interval is too often too narrow by chance."""

ALIASES = {"attach": "attach_kind"}
"""Words for axes; rows have a column `attach` of what measurements hung on."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


_AXES: Any = {"name": (str, "sweep")} | {
    name: (tuple[axis.type, ...], ... if name in REQUIRED else (axis.default,))  # type: ignore[name-defined]
    for name, axis in AXES.items()
}
_Axes: Any = create_model("_Axes", **_AXES)
"""The name of a spec, and a field for every axis of the registry."""


def _usual_duration(given: Mapping[str, Any]) -> int:
    """AUTO, but for cells with writers, which cannot."""
    writers = any(given.get(axis) != (default,) for axis, default in DISTURBING.items())
    return parse_duration("5ms") if writers or STRESS in given.get("bench", ()) else AUTO


def usual(name: str, duration: int) -> Any:
    """What a spec of that duration has under a name by default."""
    if name == "duration":
        return AUTO
    if name in TIMES:
        return parse_duration((AUTO_TIMES if duration == AUTO else TIMES)[name])
    return Spec.model_fields[name].default


class Spec(_Axes):  # type: ignore[misc]
    """A sweep: the product of its AXES, each given as a value or a list and kept as a tuple.

    `replicates` repeats every cell with other random numbers; with a `precision`, a fraction of the
    mean ("0.5%" as text), until the mean is known that well or there are `max_replicates`, see
    `sweep.plan.precision`. Without a `duration` ("auto") each cell is simulated from as many starts
    as it takes to know its own mean that well, by default to 0.5 %, and no replicates are added:
    two samples from each, of 400us by default after as long a warm-up. Cells with writers have
    5ms, after 3ms and in samples of 1ms, which are also the defaults where a duration is given.
    `ensemble` is how many members of the machine's ensemble give each cell its 90 % interval, at
    most; its file may have fewer. `warmup`, `duration` and `sample` are simulated times, given as
    text ("5ms") and kept in integer picoseconds; as the kernel's bench tool does it, means are over
    samples of `sample` each. `name` names the run's folder.
    Raises UsageError, whose one line names the axis and the index, and nothing of pydantic's.

    >>> Spec(bench="uprobe-nop", flavour=["srcu", "tasks-trace"], cpus=[1, 64]).cpus
    (1, 64)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    replicates: int = 1
    precision: float | None = None
    max_replicates: int = 100
    ensemble: int = 0
    duration: int = Field(default_factory=lambda given: _usual_duration(given))
    warmup: int = Field(default_factory=lambda given: usual("warmup", given.get("duration")))
    sample: int = Field(default_factory=lambda given: usual("sample", given.get("duration")))

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, values: dict[str, Any]) -> dict[str, Any]:
        values = _unaliased(values)
        for key in values:
            if key not in cls.model_fields:
                raise SpecError(key, None, f"unknown axis: {nearest(key, cls.model_fields)}")
        for axis in REQUIRED:
            if axis not in values:
                raise SpecError(axis, None, f"is missing; a spec needs {', '.join(REQUIRED)}")
        return values

    @field_validator("name", mode="before")
    @classmethod
    def _name(cls, raw: object) -> str:
        if isinstance(raw, str) and _SAFE_NAME.fullmatch(raw):
            return raw
        allowed = "letters, digits, '.', '_' and '-', a letter or digit first, at most 100"
        raise SpecError("name", None, f"{quoted(raw)} cannot name a folder: allowed are {allowed}")

    @field_validator(*AXES, mode="before")
    @classmethod
    def _axis(cls, raw: object, info: ValidationInfo) -> tuple[Any, ...]:
        axis = str(info.field_name)
        check = AXES[axis].check
        if not isinstance(raw, list | tuple | range):
            return (check(axis, None, raw),)
        if not raw:
            raise SpecError(axis, None, "an empty list; give at least one value")
        seen: dict[Any, int] = {}
        for index, item in enumerate(raw):
            value = check(axis, index, item)
            if value in seen:
                raise SpecError(axis, index, f"{value} is there already, as {axis}[{seen[value]}]")
            seen[value] = index
        return tuple(seen)

    @field_validator("replicates", "max_replicates", mode="before")
    @classmethod
    def _replicates(cls, raw: object, info: ValidationInfo) -> int:
        replicates: int = AXES["probes"].check(str(info.field_name), None, raw)
        return replicates

    @field_validator("precision", mode="before")
    @classmethod
    def _precision(cls, raw: object) -> float | None:
        return None if raw is None else fraction("precision", None, raw)

    @field_validator("ensemble", mode="before")
    @classmethod
    def _ensemble(cls, raw: object) -> int:
        ensemble: int = whole_number(0, MAX_ENSEMBLE, str(MAX_ENSEMBLE))("ensemble", None, raw)
        if ensemble == 1:
            raise SpecError("ensemble", None, "one member has no spread: 0, or 2 and more")
        return ensemble

    @field_validator("warmup", "duration", "sample", mode="before")
    @classmethod
    def _time(cls, raw: object, info: ValidationInfo) -> int:
        axis = str(info.field_name)
        if axis == "duration" and raw == "auto":
            return AUTO
        try:
            time_ps = parse_duration(raw)
        except ValueError as error:
            raise SpecError(axis, None, f"{quoted(raw)} {error}") from None
        least = 0 if axis == "warmup" else 1
        if not least <= time_ps <= MAX_TIME_PS:
            allowed = f"allowed {format_duration(least)} to {format_duration(MAX_TIME_PS)}"
            raise SpecError(axis, None, f"{raw} is out of range: {allowed}")
        return time_ps

    @property
    def cell_precision(self) -> float | None:
        """The precision at which each cell ends by itself; None: its duration is given."""
        return (self.precision or AUTO_PRECISION) if self.duration == AUTO else None

    @property
    def repeats_for(self) -> float | None:
        """The precision for whose sake replicates are added; None: no more than are asked for."""
        return None if self.duration == AUTO else self.precision

    @property
    def first_replicates(self) -> int:
        """Replicates that every cell has; more follow only for the sake of `repeats_for`."""
        if self.repeats_for is None:
            return self.replicates
        return min(max(self.replicates, FEWEST_REPLICATES), self.max_replicates)

    @model_validator(mode="after")
    def _replicates_fit(self) -> Spec:
        if "max_replicates" in self.model_fields_set and self.repeats_for is None:
            if self.max_replicates != type(self).model_fields["max_replicates"].default:
                unless = "without a precision" if self.duration != AUTO else "without a duration"
                raise SpecError("max_replicates", None, f"of no use {unless}")
        elif self.repeats_for is not None and self.max_replicates < max(self.replicates, 2):
            least = max(self.replicates, 2)
            message = f"{self.max_replicates} is fewer than the {least} that are simulated anyway"
            raise SpecError("max_replicates", None, message)
        return self

    @model_validator(mode="after")
    def _samples_fit(self) -> Spec:
        if self.duration == AUTO:
            return self
        sample, duration = format_duration(self.sample), format_duration(self.duration)
        if self.duration < self.sample:
            raise SpecError("duration", None, f"{duration} is shorter than a sample, {sample}")
        if over := self.duration % self.sample:
            below = self.duration - over
            near = f"{format_duration(below)} or {format_duration(below + self.sample)}"
            message = f"{duration} is no multiple of a sample, {sample}; nearest {near}"
            raise SpecError("duration", None, message)
        if self.duration // self.sample >= MAX_COUNT:
            message = f"{duration} makes more than {MAX_COUNT:,} samples of {sample}"
            raise SpecError("duration", None, message)
        return self

    @model_validator(mode="after")
    def _axes_go_together(self) -> Spec:
        for check in CHECKS:
            check(self)
        return self

    @field_serializer("precision")
    def _write_precision(self, precision: float | None) -> str | None:
        return None if precision is None else f"{100 * precision:.12g}%"

    @field_serializer("warmup", "duration", "sample")
    def _write_time(self, time_ps: int, info: FieldSerializationInfo) -> str:
        return (
            "auto"
            if info.field_name == "duration" and time_ps == AUTO
            else format_duration(time_ps)
        )


def _unaliased(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values under the axes' own names. Raises SpecError for an axis under two names."""
    for word, axis in ALIASES.items():
        if word in values and axis in values:
            raise SpecError(word, None, f"is another word for {axis}, which is there too")
    return {ALIASES.get(word, word): value for word, value in values.items()}


def override(spec: Spec, settings: Sequence[str]) -> Spec:
    """`spec` with axes replaced as --set does it: each setting is "axis=value" or "axis=v,v".

    Raises UsageError, naming the setting.
    """
    values = read_settings(settings, "--set ")
    try:
        return Spec(**{**spec.model_dump(exclude_unset=True), **_unaliased(values)})
    except SpecError as error:
        raise UsageError(f"--set {' '.join(settings)}: {error}") from None
