"""Rawi measured: question sets, metrics, runs and reports."""
