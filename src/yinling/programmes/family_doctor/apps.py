"""Contracts of elders with family doctors, and what their packages pay for."""

from django.apps import AppConfig


class FamilyDoctorConfig(AppConfig):
    """Contracts of elders with family doctors, and what their packages pay for."""

    name = "yinling.programmes.family_doctor"
