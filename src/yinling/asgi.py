"""Entry of the live stream."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yinling.settings")
django.setup()

from yinling.web.stream import Stream  # noqa: E402 - needs the settings

application = Stream()
