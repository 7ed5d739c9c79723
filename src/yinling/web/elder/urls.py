"""Addresses of the pages for elders and families."""

from django.urls import path

from yinling.web.elder import applications, bills, complaints, messages, views

urlpatterns = [
    *applications.urlpatterns,
    *bills.urlpatterns,
    *complaints.urlpatterns,
    *messages.urlpatterns,
    path("e/", views.home),
    path("e/agreements/", views.agreements),
    path("e/file/", views.own_file),
    path("e/book/", views.book),
    path("e/book/<str:code>/", views.book_item),
    path("e/services/", views.services),
    path("e/benefits/", views.benefits),
    path("e/rate/<int:pk>/", views.rate),
]
