"""What to bring (pure): the sentences of the catalogue for a service, alike on the web and on the phone.

Lists by case will be data that an office edits; documents change by law more often than programs do.
"""

_BY_SERVICE = {
    "pickup": ("web.bring.notice", "web.bring.identity", "web.bring.old"),
    "certificate": ("web.bring.card",),
    "pin": ("web.bring.card",),
}
_ELSE = ("web.bring.identity",)


def to_bring(service_code: str) -> tuple[str, ...]:
    """Keys of the sentences, in the order in which they are read."""
    return _BY_SERVICE.get(service_code, _ELSE)
