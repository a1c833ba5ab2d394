"""Monitoring: metrics, drift against the benchmark, traces, canary rounds."""
