"""Alignment: reference words against hypothesis words."""
