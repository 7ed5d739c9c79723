"""Another line that fails as a test says."""

from typing import Any, ClassVar


class FakeLine:
    """Keeps what it was sent, and fails as a test says."""

    sent: ClassVar[list[dict[str, Any]]] = []
    faults: ClassVar[list[Exception]] = []

    def send(self, message: dict[str, Any]) -> str:
        """Fail if told to, else keep the message and give it a number."""
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(message)
        return f"G{message['code'][-4:]}"
