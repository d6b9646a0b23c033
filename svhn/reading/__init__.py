"""Photos in; numbers, confidences and drawings out."""
