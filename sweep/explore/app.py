"""The page: choices, and their answer. marimo runs it; the browser sees no code and sends none."""

import marimo

app = marimo.App(app_title="uprobe-sweep explore", width="medium")


@app.cell
def _libraries():  # type: ignore[no-untyped-def]
    import marimo as mo

    from sweep.explore import shown

    return mo, shown


@app.cell
def _choices(mo, shown):  # type: ignore[no-untyped-def]
    choices = mo.ui.dictionary(shown.choices())
    mo.vstack(
        [
            mo.md("# How uprobes scale"),
            mo.md("Choose a machine, a kernel and a load; the model answers at once."),
            shown.form(choices),
        ]
    )
    return (choices,)


@app.cell
def _answer(choices, shown):  # type: ignore[no-untyped-def]
    shown.answered(choices.value)
    return


if __name__ == "__main__":
    app.run()
