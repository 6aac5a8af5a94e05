"""What the recipes for digits share."""
