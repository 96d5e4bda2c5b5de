"""Guards of views: every route carries exactly one, or the app does not start."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.http import parse_cookie

from madoguchi.wire import AUTHORIZATION_HEADER, AUTHORIZATION_SCHEME, CONTRACT, CONTRACT_HEADER
from server.auth.models import Device
from server.auth.rules import RIGHTS, NotPaired, Right
from server.auth.service import SignedIn, board_of_cookie, kiosk_of_token, staff_by_id
from server.db import read_session
from server.edge import keyring, now, parts
from server.errors import Conflict, NotAllowed

View = TypeVar("View", bound=Callable[..., Any])
BOARD_COOKIE = "madoguchi_board"


class NoRight(NotAllowed):
    """The role of this account does not include it."""

    code = "no_right"


class ContractMismatch(Conflict):
    """Device and server speak different versions; nothing is guessed."""

    code = "contract_mismatch"


class User(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """The signed-in member of staff, as Flask-Login wants it."""

    def __init__(self, staff: SignedIn) -> None:
        """`staff` as read for this request."""
        self.staff = staff

    def get_id(self) -> str:
        """Account and generation: a changed password ends the session."""
        return f"{self.staff.id}:{self.staff.generation}"


def install(app: Flask) -> None:
    """Give Flask-Login its loader and its sign-in page."""
    manager = LoginManager(app)
    manager.login_view = "auth.sign_in"
    manager.session_protection = "strong"

    @manager.user_loader  # type: ignore[untyped-decorator]  # flask_login has no types
    def _load(text: str) -> User | None:
        staff_id, _, generation = text.partition(":")
        staff = staff_by_id(int(staff_id), int(generation))
        return None if staff is None else User(staff)


def check_all_guarded(app: Flask) -> None:
    """Refuse to start with a route that nobody guards."""
    for rule in app.url_map.iter_rules():
        if guard_of(app, rule.endpoint) is None:
            raise RuntimeError(f"route {rule.rule} ({rule.endpoint}) has no guard: see server/auth/guards.py")


def guard_of(app: Flask, endpoint: str) -> str | None:
    """The guard of a route: public, resident, kiosk, board, staff or staff:<right>; files of ours are public."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return "public"
    return cast("str | None", getattr(app.view_functions[endpoint], "guard", None))


def public(view: View) -> View:
    """For everybody."""
    view.guard = "public"  # type: ignore[attr-defined]  # functions may carry attributes
    return view


def needs(right: Right) -> Callable[[View], View]:
    """For staff whose role has the right; others sign in, or are told that they may not."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return _to_sign_in()
            if right not in RIGHTS[staff().role]:
                raise NoRight
            return cast(ResponseReturnValue, view(*args, **kwargs))

        guarded.guard = f"staff:{right.value}"  # type: ignore[attr-defined]  # functions may carry attributes
        return cast(View, guarded)

    return guard


def staff_only(view: View) -> View:
    """For everybody who works here, whatever the role."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            return _to_sign_in()
        return cast(ResponseReturnValue, view(*args, **kwargs))

    guarded.guard = "staff"  # type: ignore[attr-defined]  # functions may carry attributes
    return cast(View, guarded)


def _to_sign_in() -> ResponseReturnValue:
    """To the sign-in page, and back afterwards."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.sign_in", next=back), 303)


def staff() -> SignedIn:
    """The member of staff who asks."""
    return cast(User, current_user).staff


def office_of_staff() -> int | None:
    """The office for which they work: their own, or the one chosen by somebody who works for all."""
    return staff().office_id or session.get("desk_office")


def resident(view: View) -> View:
    """For the holder of a notice who has signed in with its ID and password."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if notice_id() is None:
            # Somebody who never signed in has no session that could have run out.
            why = "expired" if "notice" in session else "wanted"
            return redirect(url_for("booking_web.start") + f"?{why}=1", 303)
        return cast(ResponseReturnValue, view(*args, **kwargs))

    guarded.guard = "resident"  # type: ignore[attr-defined]  # functions may carry attributes
    return cast(View, guarded)


RESIDENT_MINUTES = 30


def welcome_resident(notice: int) -> None:
    """Begin a resident's session."""
    session["notice"] = {"id": notice, "until": now().timestamp() + RESIDENT_MINUTES * 60}


def goodbye_resident() -> None:
    """End a resident's session."""
    session.pop("notice", None)


def notice_id() -> int | None:
    """The notice with which a resident has signed in, for half an hour."""
    kept = session.get("notice")
    if not isinstance(kept, dict) or kept.get("until", 0) < now().timestamp():
        return None
    return int(kept["id"])


def kiosk(view: View) -> View:
    """For a paired kiosk: bearer token and contract number."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        scheme, _, token = request.headers.get(AUTHORIZATION_HEADER, "").partition(" ")
        if scheme != AUTHORIZATION_SCHEME or not token:
            raise NotPaired
        g.device = kiosk_of_token(read_session(), keyring(), token)
        if request.headers.get(CONTRACT_HEADER) != str(CONTRACT):
            raise ContractMismatch(server=CONTRACT)
        return cast(ResponseReturnValue, view(*args, **kwargs))

    guarded.guard = "kiosk"  # type: ignore[attr-defined]  # functions may carry attributes
    return cast(View, guarded)


def board(view: View) -> View:
    """For a paired board: its HttpOnly cookie, never what the client says."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        g.device = board_of_request()
        return cast(ResponseReturnValue, view(*args, **kwargs))

    guarded.guard = "board"  # type: ignore[attr-defined]  # functions may carry attributes
    return cast(View, guarded)


def device() -> Device:
    """The device that asks."""
    return cast(Device, g.device)


def board_cookie(paired: Device) -> str:
    """The signed cookie of a paired board."""
    return str(_signer(parts().settings.secret_key).dumps([str(paired.uid), paired.generation]))


def board_of_request() -> Device:
    """The board whose cookie came with the request. Raises NotPaired."""
    uid, generation = _read_board_cookie(parts().settings.secret_key, request.cookies.get(BOARD_COOKIE, ""))
    return board_of_cookie(read_session(), uid, generation)


def was_paired(secret_key: str, environ: dict[str, Any]) -> bool:
    """Whether a WSGI request carries a board's cookie that we have signed: asked before a socket is even opened."""
    try:
        _read_board_cookie(secret_key, parse_cookie(environ).get(BOARD_COOKIE, ""))
    except NotPaired:
        return False
    return True


def _read_board_cookie(secret_key: str, text: str) -> tuple[str, int]:
    try:
        uid, generation = _signer(secret_key).loads(text)
        return str(uid), int(generation)
    except (BadSignature, ValueError, TypeError):
        raise NotPaired from None


def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="board")
