"""How good is a classifier, and what would make it better? Answers and true classes -> numbers, pictures, a page.

`metrics.measure` gives an Evaluation; `report.run_metrics` puts everything that a run measured into a RunMetrics
(`document.py`), which is metrics.json; `report.write_page` writes report.html. Knows no training, no run folder and no
command.
"""
