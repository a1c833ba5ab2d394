"""Serves the chosen model over HTTP: the same workers as in a run, an OpenAI-compatible API, and monitoring.

    run.py              binds, loads, listens to signals, takes over new decisions, drains and ends
    plan.py             from a decision, or a model's id, to what is served
    config.py           what is served, and the server's limits     fit.py    whether the limits fit together
    models.py           which models are in memory, and the change to a new decision
    api_errors.py       errors in the shape that OpenAI's clients know
    request_context.py  what is known of a request while it is worked on
    keys.py logs.py

    http/   connections, who may come in, middleware, routes, upload, parameters, response formats
    pool/   one model's workers, a thread for each, and the queue before them; decoders in processes of their own
    watch/  metrics for Prometheus, drift against the benchmark, traces for OpenTelemetry, canary rounds

What is served comes in as plain values (``config.ServedModel``), which ``plan.py`` reads out of a decision.
"""
