"""The door of shared packages: fetched here once, checked, and handed to hosts over their own SSH connections.

``sources.py`` decides what can be shared, ``metadata.py`` reads repositories (both pure); ``upstream.py`` fetches,
``cache.py`` keeps, ``library.py`` joins them so that nothing is fetched twice, and ``server.py`` hands it out.
"""
