"""Drawings of the method, of a training step, of the null-space split, of the cameras and of the networks.

``python -m book._tools.drawings`` writes them to ``book/_static/drawings`` as SVG. A drawing names its colours by
role; a page that holds the SVG itself sets them for light and dark, and an image of it shows those of the light page.
"""
