"""Reads multi-digit house numbers from street photos.

The method is that of Goodfellow et al., "Multi-digit Number Recognition from Street View
Imagery using Deep Convolutional Neural Networks" (arXiv 1312.6082). Importing this package
is cheap: TensorFlow is imported only by the modules that compute with it.
"""

__version__ = "0.1.0"
