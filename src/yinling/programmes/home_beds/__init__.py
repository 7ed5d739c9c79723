"""Home sickbeds from application to withdrawal, and stays paid by the day."""
