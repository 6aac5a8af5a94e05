"""Shared code of the recipes for digits: data, pictures, layers and metrics."""
