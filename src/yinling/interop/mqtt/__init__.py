"""Devices that speak MQTT."""
