"""The addresses that need no log-in."""

from __future__ import annotations

from django.urls import path

from yinling.web.public import complaints, insurance, line, notices, payments, prices, views

urlpatterns = [
    *complaints.urlpatterns,
    *insurance.urlpatterns,
    *line.urlpatterns,
    *notices.urlpatterns,
    *prices.urlpatterns,
    *payments.urlpatterns,
    path("catalogue/", views.catalogue),
    path("prices/", views.catalogue),
    path("public/home-medical/", views.home_medical),
]
