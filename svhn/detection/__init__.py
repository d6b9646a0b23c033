"""Finding digits in photos: what the detector is taught, and what its outputs mean."""
