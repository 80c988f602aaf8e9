"""Trials: a spec that --set has given other times or another ensemble, which are no axes."""

from __future__ import annotations

import hashlib

from sweep.spec.spec import Spec

NO_AXES = ("warmup", "duration", "sample", "ensemble")
"""What cells of one run have in common: with another value they are not the named run's."""

LONGEST = 100
"""Characters of a name."""


def as_trial(spec: Spec, of: Spec) -> Spec:
    """`spec`, which --set has made `of` another, with a name that says what is no axis and differs.

    So it has a folder of its own beside that of the named run. As it is if nothing of that kind
    differs, or if it has been given another name.
    """
    changed = [key for key in NO_AXES if getattr(spec, key) != getattr(of, key)]
    if not changed or spec.name != of.name:
        return spec
    said = ".".join([of.name, *(f"{key}-{_text(spec, key)}" for key in changed)])
    if len(said) > LONGEST:
        digest = hashlib.blake2b(said.encode(), digest_size=4).hexdigest()
        said = f"{said[: LONGEST - 9]}-{digest}"
    return Spec(**{**spec.model_dump(), "name": said})


def _text(spec: Spec, key: str) -> str:
    return str(spec.model_dump()[key])
