"""Messages of WeChat."""
