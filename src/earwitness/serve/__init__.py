"""The chosen model behind HTTP: the same workers as in a run, an API like OpenAI's, and what it takes to watch it.

    connections.py  how many connections there may be, and how long one may be silent
    door.py      who may come in: hosts, origins, trusted proxies
    outside.py   around every request: its id, keys, the log line, the end of its work when the client is gone
    app.py       routes and the OpenAPI document
    service.py   a request from its first byte to its last: upload, decode, wait, transcribe, answer
    uploads.py   a form that streams to disk under a limit        asked.py    its fields, honoured or refused
    decoder.py   audio is decoded in a process of its own         formats.py  json, text, srt, vtt, events
    models.py    which models are in memory, and the change to a new decision
    pool.py      one model's workers, a thread for each, and the queue before them
    live.py      what was seen of late, beside what was promised  metrics.py  both for Prometheus
    traces.py   a trace of every request, for OpenTelemetry
    keys.py logs.py run.py page/

What is served comes in as plain values (``values.Served``): whoever starts the server reads them out of a decision,
which this room knows nothing of.
"""
