"""Who may ask for what: every route of the server with its guard. A new route is written down here first."""

GUARDS = {
    # Residents
    "GET /": "public",
    "GET /b/<scan_code>": "public",
    "POST /sign-in": "public",
    "POST /sign-out": "public",
    "POST /language": "public",
    "GET /book": "resident",
    "GET /book/<day>": "resident",
    "POST /book/hold": "resident",
    "GET /book/confirm/<uid>": "resident",
    "POST /book/confirm/<uid>": "resident",
    "GET /book/done": "resident",
    "GET /book/code.svg": "resident",
    "GET /book/booking.ics": "resident",
    "GET /book/change": "resident",
    "GET /book/change/<day>": "resident",
    "POST /book/move": "resident",
    "GET /book/cancel": "resident",
    "POST /book/cancel": "resident",
    "GET /book/cancelled": "resident",
    # Staff
    "GET /staff": "staff",
    "GET /staff/sign-in": "public",
    "POST /staff/sign-in": "public",
    "POST /staff/sign-out": "staff",
    # Telephone
    "GET /phone": "staff:phone",
    "POST /phone/find": "staff:phone",
    "GET /phone/notices/<uuid:uid>": "staff:phone",
    "GET /phone/notices/<uuid:uid>/bookings/<uuid:booking>": "staff:phone",
    "GET /phone/notices/<uuid:uid>/bookings/<uuid:booking>/cancel": "staff:phone",
    "POST /phone/notices/<uuid:uid>/bookings/<uuid:booking>/cancel": "staff:phone",
    "GET /phone/notices/<uuid:uid>/bookings/<uuid:booking>/move": "staff:phone",
    "POST /phone/notices/<uuid:uid>/bookings/<uuid:booking>/move": "staff:phone",
    "POST /phone/notices/<uuid:uid>/hold": "staff:phone",
    "GET /phone/notices/<uuid:uid>/holds/<uuid:booking>": "staff:phone",
    "POST /phone/notices/<uuid:uid>/holds/<uuid:booking>/book": "staff:phone",
    "POST /phone/notices/<uuid:uid>/holds/<uuid:booking>/release": "staff:phone",
    "GET /phone/affected": "staff:phone",
    "POST /phone/affected/move-all": "staff:phone",
    "POST /phone/affected/<uuid:uid>/told": "staff:phone",
    "POST /phone/affected/<uuid:uid>/move": "staff:phone",
    "POST /phone/affected/<uuid:uid>/done": "staff:phone",
    # Windows
    "GET /desk": "staff:desk",
    "POST /desk/office": "staff:desk",
    "GET /desk/windows/<int(max=9999):number>": "staff:desk",
    "GET /desk/windows/<int(max=9999):number>/state": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/open": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/close": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/call-next": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/calls/<uuid:call>": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/call/<uuid:ticket>": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/recall": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/missed": "staff:desk",
    "GET /desk/windows/<int(max=9999):number>/finish": "staff:desk",
    "POST /desk/windows/<int(max=9999):number>/finish": "staff:desk",
    # Administration
    "GET /admin": "staff:admin",
    "GET /admin/audit": "staff:admin",
    "GET /admin/staff": "staff:admin",
    "POST /admin/staff": "staff:admin",
    "GET /admin/devices": "staff:admin",
    "POST /admin/devices/<uuid:uid>/unpair": "staff:admin",
    "POST /admin/boards": "staff:admin",
    "POST /admin/boards/<uuid:uid>/pairing": "staff:admin",
    "POST /admin/kiosks": "staff:admin",
    "POST /admin/kiosks/<uuid:uid>/token": "staff:admin",
    # Kiosk
    "GET /api/kiosk/state": "kiosk",
    "POST /api/kiosk/check-ins": "kiosk",
    "POST /api/kiosk/walk-ins": "kiosk",
    "PUT /api/kiosk/print-jobs/<uuid:job>": "kiosk",
    "POST /api/kiosk/staff-calls": "kiosk",
    # Board
    "GET /boards/pair/<code>": "public",
    "GET /boards/<uuid:uid>": "board",
    "GET /api/boards/<uuid:uid>": "board",
    # The process, and files
    "GET /healthz": "public",
    "GET /readyz": "public",
    "GET /static/<path:filename>": "public",
    "GET /display/<path:filename>": "public",
}

WRITING = [route for route in GUARDS if not route.startswith("GET ")]

STAFF = frozenset({"operator", "clerk", "supervisor", "admin"})
EVERYBODY = STAFF | {"nobody", "resident", "kiosk", "board"}

MAY_ENTER = {
    "public": EVERYBODY,
    "resident": frozenset({"resident"}),
    "staff": STAFF,
    "staff:phone": frozenset({"operator", "clerk", "supervisor"}),
    "staff:desk": frozenset({"clerk", "supervisor"}),
    "staff:admin": frozenset({"admin"}),
    "kiosk": frozenset({"kiosk"}),
    "board": frozenset({"board"}),
}
