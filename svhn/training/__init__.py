"""The one training loop, its checkpoints, schedules and summaries."""
