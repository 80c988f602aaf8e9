"""Questions to a run, as a marimo notebook: `marimo edit docs/guide/questions.py`."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    import sweep

    return mo, pl, sweep


@app.cell
def _(mo):
    mo.md("""
    # Two kernels, one host

    A spec is a grid. `sweep.run` simulates what its folder lacks: the second time, nothing.
    """)


@app.cell
def _(sweep):
    spec = sweep.Spec(
        name="notebook",
        bench=["uprobe-nop", "uretprobe-nop"],
        flavour=["v6.11", "v6.13"],
        cpus=[1, 2, 4, 8],
        warmup="50us",
        duration="100us",
        sample="50us",
    )
    out = sweep.run(spec).out
    run = sweep.scan(out)
    return out, run


@app.cell
def _(mo):
    mo.md("""
    Answers never pool cells that differ in a key: benches, designs and CPUs are lines of their own.
    """)


@app.cell
def _(run):
    speedup = run.uprobe.speedup(over="v6.11")
    speedup
    return (speedup,)


@app.cell
def _(run):
    knee = run.uprobe.knee()
    peak = run.uprobe.peak()
    knee.join(peak, on=["bench", "flavour", "machine"], suffix="_peak")
    return knee, peak


@app.cell
def _(mo):
    mo.md("""
    Why: the share of the CPUs' time that goes to the counter of hits.
    """)


@app.cell
def _(out, run, sweep):
    waits = run.uprobe.share(sweep.scan_attribution(out), "trace_uprobe.nhit")
    waits
    return (waits,)


@app.cell
def _(pl, run):
    best = run.group_by("bench", "flavour").agg(pl.max("hits_per_s")).sort("hits_per_s").collect()
    best
    return (best,)


if __name__ == "__main__":
    app.run()
