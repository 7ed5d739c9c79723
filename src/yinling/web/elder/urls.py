"""Addresses of the pages for elders and families."""

from django.urls import path

from yinling.web.elder import views

urlpatterns = [
    path("e/", views.home),
    path("e/book/", views.book),
    path("e/book/<str:code>/", views.book_item),
    path("e/services/", views.services),
    path("e/rate/<int:pk>/", views.rate),
]
