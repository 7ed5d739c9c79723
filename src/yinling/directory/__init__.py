"""The map: areas, organisations, sites, staff, grants."""
