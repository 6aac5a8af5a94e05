"""Many fits, answers and trials at once, on a Ray cluster; the commands do each of them.

from keras_recipes import fleet

report = fleet.fit("lstm-anomaly", ["metrics/*.parquet"], "models")
report.failed  # {'web-7': 'metrics/web-7.parquet: expected at least 30 records, received 2'}
"""

from keras_recipes.fleet.answering import predict
from keras_recipes.fleet.fitting import fit
from keras_recipes.fleet.running import Report
from keras_recipes.fleet.searching import Searched, search

__all__ = ["Report", "Searched", "fit", "predict", "search"]
