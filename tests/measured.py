"""What a model gives that is off everywhere by the same share."""

from __future__ import annotations

from frames import letter_frame

from sweep.letter.comparison import beside_letter
from sweep.letter.curves import CurveErrors, CurvePoint
from sweep.letter.later import Alone
from sweep.letter.published import LETTER_KEY
from sweep.letter.targets import CURVES, Measured
from sweep.store.settings import figures


def accuracy_off_by(share: float) -> Measured:
    """Off by `share`, on a machine with too few CPUs for one point of each curve but the first."""
    point = CurvePoint(8, 100.0, 100.0 * (1 + share), share)
    absent, *others = CURVES
    curves = (CurveErrors(absent, ()), *(CurveErrors(c, (point,), (144, 160)) for c in others))
    letter = beside_letter(figures(letter_frame(1 + share), LETTER_KEY))
    alone = {("tasks-trace+percpu-nhit", "uprobe-nop", n): Alone(share, None) for n in (2, 3)}
    return Measured(letter, curves, alone, {("blind locked operation", "same cache"): share})
