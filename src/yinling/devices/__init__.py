"""Things that call for help: devices, what they report, alarms and their escalation."""
