"""Rawi measured: question sets, runs, metrics and reports.

::

    cli                   the commands
    sets                  what is asked, read and checked; files: JSON, read and written
    run_qa                a question set over a folder, put to Rawi or the starter (baseline)
    run_squad             a SQuAD file's paragraphs as the corpus
    run_given             questions that bring their documents: refusing, orders within a text
    run, corpus           what these share: a folder that survives a kill, an index of a set's texts
    identity              what a run is a run of
    metrics, score        formulas; one value a question → tables with intervals
    statistics            intervals, and two runs compared
    results … report      a run's folder → tables, figures → page → report.md and report.html
    bench                 speed and growth

``eval/training`` is beside it and no part of the wheel.
"""
