"""The Grafana dashboard of a server, as the JSON that Grafana imports: live numbers beside those of the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH, _HEIGHT = 8, 8
_BY_MODEL = "by (model, le)"


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot."""

    title: str
    """Above it."""
    unit: str
    """As Grafana names units, such as ``s``."""
    lines: Sequence[tuple[str, str]]
    """What is asked of Prometheus, each with its legend."""
    told: str = ""
    """What it means, for whoever hovers over it."""


def _quantile(q: float, metric: str) -> str:
    return f"histogram_quantile({q}, sum {_BY_MODEL} (rate(earwitness_{metric}_bucket{{model=~'$model'}}[5m])))"


def _rate(counter: str) -> str:
    return f"sum by (model) (rate(earwitness_{counter}_total{{model=~'$model'}}[5m]))"


def _both(measure: str) -> list[tuple[str, str]]:
    which = f"{{model=~'$model', measure='{measure}'}}"
    return [(f"earwitness_live{which}", "{{model}} live"), (f"earwitness_promise{which}", "{{model}} promised")]


def _share(kind: str) -> str:
    of = "earwitness_outputs_total{model=~'$model'"
    return f"sum by (model) (rate({of}, kind='{kind}'}}[15m])) / sum by (model) (rate({of}}}[15m]))"


PANELS = (
    Panel("Drift", "short", [("sum by (model, measure) (earwitness_drift{model=~'$model'})", "{{model}} {{measure}}")],
          "1 where what is seen departs from what was measured before the model was served."),
    Panel("Slower than was measured", "short",
          [("earwitness_slowdown{model=~'$model'}", "{{model}} {{measure}}")],
          "The last answers over what clips of the same lengths took when they were measured; 1 is as measured, and "
          "drift begins at 1.5."),
    Panel("Answers that are compared", "short", [("earwitness_live_answers{model=~'$model'}", "{{model}} looked at"),
                                                 ("earwitness_alike_answers{model=~'$model'}",
                                                  "{{model}} of a length that was measured")],
          "With fewer than 50 clips of a measured length, there is no drift of speed."),
    Panel("Workers", "short", [("earwitness_workers_ready{model=~'$model'}", "{{model}} ready"),
                               ("earwitness_workers{model=~'$model'}", "{{model}} wanted")]),
    Panel("Queue", "short", [("earwitness_queue_depth{model=~'$model'}", "{{model}} waiting"),
                             ("earwitness_in_flight{model=~'$model'}", "{{model}} at work")]),
    Panel("Requests by status", "reqps", [("sum by (status) (rate(earwitness_requests_total[5m]))", "{{status}}")]),
    Panel("Refused, by reason", "reqps", [("sum by (reason) (rate(earwitness_rejected_total[5m]))", "{{reason}}")]),
    Panel("Workers and decoders that ended", "short",
          [("sum by (model, reason) (increase(earwitness_worker_restarts_total{model=~'$model'}[15m]))",
            "{{model}} {{reason}}"),
           ("sum by (reason) (increase(earwitness_decoder_ends_total[15m]))", "decoder {{reason}}")],
          "In the last quarter of an hour."),
    Panel("Time of a request", "s", [(_quantile(q, "request_seconds"), f"{{{{model}}}} p{q * 100:g}")
                                     for q in (0.5, 0.95, 0.99)],
          "From the first byte of a request to the last of its answer."),
    Panel("Time to the first text", "s", [(_quantile(q, "first_text_seconds"), f"{{{{model}}}} p{q * 100:g}")
                                          for q in (0.5, 0.95)]),
    Panel("Where time goes, p95", "s", [(_quantile(0.95, "queue_seconds"), "{{model}} waiting for a worker"),
                                        (_quantile(0.95, "decode_seconds"), "{{model}} decoding")]),
    Panel("Latency p95 in the worker", "s", _both("latency_p95_s"),
          "Of audio of whatever length; the slowdown compares like with like."),
    Panel("RTF", "short",
          [*_both("rtf"), (f"{_rate('work_seconds')} / {_rate('audio_seconds')}", "{{model}} last five minutes")],
          "Seconds of work per second of audio, of whatever length; the slowdown compares like with like."),
    Panel("Empty texts", "percentunit", _both("empty_share"),
          "Promised for clips in which somebody speaks; here silence counts."),
    Panel("Texts that repeat themselves", "percentunit", [(_share("loop"), "{{model}}")]),
    Panel("Audio per second", "short", [(_rate("audio_seconds"), "{{model}}")],
          "Seconds of audio that were transcribed, per second."),
    Panel("Jobs without a transcript", "short",
          [("sum by (model) (increase(earwitness_failed_total{model=~'$model'}[15m]))", "{{model}}")],
          "In the last quarter of an hour."),
    Panel("Memory", "bytes", [("earwitness_memory_bytes{model=~'$model'}", "{{model}}"),
                              ("earwitness_server_memory_bytes", "server itself")],
          "Peak memory of a worker, times the workers."),
    Panel("Processor time of the server itself", "short",
          [("rate(process_cpu_seconds_total[5m]) and on (job, instance) earwitness_server_info", "{{instance}}")],
          "Cores that it keeps busy, its workers and decoders left out."),
    Panel("Open files and connections", "short",
          [("process_open_fds and on (job, instance) earwitness_server_info", "{{instance}}"),
           ("process_max_fds and on (job, instance) earwitness_server_info", "{{instance}} at most")]),
    Panel("Since it began, and since what it serves was taken over", "s",
          [("time() - (process_start_time_seconds and on (job, instance) earwitness_server_info)",
            "since {{instance}} began"),
           ("time() - earwitness_config_last_reload_success_timestamp_seconds", "since {{instance}} took over")],
          "A server that ends and begins again and again shows as a saw."),
    Panel("WER of the canary", "percentunit", [("earwitness_canary_wer", "{{url}}"),
                                               ("earwitness_canary_wer_limit", "{{url}} limit")],
          "Of reference clips, through the live API."),
    Panel("Latency of the canary", "s", [("earwitness_canary_latency_p95_seconds", "{{url}} p95"),
                                         ("earwitness_canary_latency_p50_seconds", "{{url}} p50")]),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Return the dashboard.

    >>> made = dashboard()
    >>> made["title"], len(made["panels"]) == len(PANELS) + 1
    ('Earwitness', True)
    """
    return {
        "uid": "earwitness",
        "title": "Earwitness",
        "tags": ["speech recognition"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_source(), _models()]},
        "panels": [_served(), *(_plot(number, panel) for number, panel in enumerate(PANELS))],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}}


def _models() -> dict[str, Any]:
    return {
        "name": "model",
        "label": "Model",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": "label_values(earwitness_model_info, model)", "refId": "models"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _served() -> dict[str, Any]:
    return {
        "id": 1,
        "title": "What is served",
        "description": "Model, weights, packages, device and settings in force, as the workers report them.",
        "type": "table",
        "datasource": _SOURCE,
        "gridPos": {"x": 0, "y": 0, "w": 3 * _WIDTH, "h": 5},
        "targets": [
            {
                "refId": "A",
                "datasource": _SOURCE,
                "expr": "earwitness_model_info{model=~'$model'}",
                "format": "table",
                "instant": True,
            }
        ],
    }


def _plot(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number + 2,
        "title": panel.title,
        "description": panel.told,
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": {"x": number % 3 * _WIDTH, "y": 5 + number // 3 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for place, (expression, legend) in enumerate(panel.lines)
        ],
    }
