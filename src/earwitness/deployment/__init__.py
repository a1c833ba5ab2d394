"""Deployment: a decision as the files that put it into service on another machine."""
