"""Addresses of the carer's phone."""

from django.urls import path

from yinling.web.mobile import assessments, claims, income, views

urlpatterns = [
    path("m/", views.today),
    path("m/<int:pk>/", views.stop),
    path("m/<int:pk>/add/", views.add),
    path("evidence/<int:pk>/", views.evidence),
    *assessments.urlpatterns,
    *claims.urlpatterns,
    *income.urlpatterns,
]
