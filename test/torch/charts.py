"""Charts of the numbers on standard input, as JSON: test/torch-charts.test.ts holds them to those of the other targets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "runtime" / "torch"))

from lsm_torch.charts import Baseline, ChannelForecast, forecast_chart, loss_chart

given = json.load(sys.stdin)
losses = [
    loss_chart(
        title=one["title"],
        training=[(step, loss) for step, loss in one["training"]],
        held_out=[(step, loss) for step, loss in one["heldOut"]],
        baselines=[Baseline(**line) for line in one["baselines"]],
        unit=one["unit"],
    )
    for one in given["losses"]
]
forecasts = [
    forecast_chart(one["title"], [ChannelForecast(**channel) for channel in one["channels"]])
    for one in given["forecasts"]
]
json.dump([*losses, *forecasts], sys.stdout)
