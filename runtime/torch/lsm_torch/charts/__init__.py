"""Pictures of a run: loss.svg and forecast.svg, to the byte what the other targets draw of the same numbers."""

from .forecast import ChannelForecast, forecast_chart
from .loss import Baseline, loss_chart
from .points import Point

__all__ = ["Baseline", "ChannelForecast", "Point", "forecast_chart", "loss_chart"]
