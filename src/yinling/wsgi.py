"""Entry of the pages."""

import atexit
import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yinling.settings")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - loads every view before anybody waits for one
# What is loaded stays: the collector of circular garbage need not look through it, nor come round after every seven hundred objects.
gc.freeze()
gc.set_threshold(50_000, 20, 20)
atexit.register(gc.unfreeze)
