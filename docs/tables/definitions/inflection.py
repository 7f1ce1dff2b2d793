"""inflection_soft.json in every language of the shared task's table."""
from figures import number
from steps import Evaluate, Train
from tables import Table

DATA = "datasets/sigmorphon2017-task1"
# The shared task's own baseline on the test split, per cent (Cotterell et al. 2017, high).
BASELINE = {"english": 94.7, "german": 82.4, "finnish": 78.2, "spanish": 90.7, "turkish": 72.6, "arabic": 50.7}


def trained(language):
    return Train(f"inflection/{language}", "configs/inflection_soft.json",
                 {"data.train": f"{DATA}/{language}-train-high", "data.valid": f"{DATA}/{language}-dev",
                  "data.test": f"{DATA}/{language}-uncovered-test"})


runs = {language: trained(language) for language in BASELINE}


def rows():
    lines = [["language", "dev", "test", "baseline, test", "minutes"]]
    for language, run in runs.items():
        summary = run.summary()
        lines.append([language, number(100 * summary["best"]["exact_match"]), number(100 * summary["test"]["exact_match"]),
                      number(BASELINE[language]), number(run.seconds() / 60)])
    return lines


table = Table(document="configs/README.md", minutes=36, steps=list(runs.values()), rows=rows,
              needs=[f"{DATA}/{language}-train-high" for language in BASELINE])
