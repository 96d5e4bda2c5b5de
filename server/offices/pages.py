"""管理の画面: offices as they are set up and how full they are today, devices, staff accounts, the newest deeds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.audit import AuditEntry, newest_entries
from server.auth import service as auth
from server.auth.forms import LONGEST, line_of
from server.auth.guards import needs, staff
from server.auth.passwords import MIN_LENGTH
from server.auth.rules import Right, Role
from server.auth.words import scanner_words
from server.booking.queries import PlacesOfDay, places_of_day, walk_in_places
from server.clock import business_date
from server.db import read_session
from server.edge import caller, keyring, now, parts
from server.offices.models import Office
from server.offices.opening_rules import OpenSession
from server.offices.queries import (
    all_offices,
    calendar_of,
    offers_of,
    office_by_code,
    ranges_of,
    services_of_window,
    steps_of,
    windows_of,
)
from server.offices.service_rules import offered_on

blueprint = Blueprint("office_pages", __name__, url_prefix="/admin")

ENTRIES = 50
ROLES = {Role.OPERATOR: "電話受付", Role.CLERK: "窓口担当", Role.SUPERVISOR: "責任者", Role.ADMIN: "管理者"}
VERBS = {
    "affected.move": "枠がなくなった予約を移した",
    "affected.strike": "枠がなくなった予約を対応済みにした",
    "affected.tell": "枠がなくなった予約の方に連絡した",
    "booking.book": "予約した",
    "booking.cancel": "予約を取り消した",
    "booking.hold": "仮予約した",
    "booking.leave": "家族の一人が予約から抜けた",
    "booking.move": "予約の日時を変えた",
    "booking.overbook": "枠を超えて予約した",
    "daylist.look": "事前準備一覧を見た・出力した",
    "daylist.make": "事前準備一覧を作成した",
    "device.add": "端末・案内表示を登録した",
    "device.renew_token": "端末のトークンを出し直した",
    "device.start_pairing": "案内表示の接続を始めた",
    "device.unpair": "端末・案内表示の接続を切った",
    "emergency.failed": "非常用一覧を保存できなかった",
    "emergency.look": "非常用一覧を出力した",
    "emergency.write": "非常用一覧を保存した",
    "holiday.set": "祝日を定めた",
    "holiday.strike": "祝日から外した",
    "holidays.differ": "祝日の表とライブラリの違いを見つけた",
    "holidays.fill": "祝日の表に年を加えた",
    "intake.decide": "予約なしの受付の再開・終了を決めた",
    "kiosk.numbers_closed": "通知書番号での受付を15分止めた（続けて見つからない）",
    "kiosk.scanner_tested": "読み取り機を点検した",
    "kiosk.staff_call_taken": "職員呼出に応じた",
    "kiosk.staff_called": "端末から職員を呼んだ",
    "mailing.promise": "後日郵送に本人が同意した",
    "mailing.returned": "郵送をやめた・返ってきた",
    "mailing.sent": "カードを発送した",
    "mailing.to_send": "発送を取り消した",
    "marks.add": "しるしの言葉を加えた",
    "marks.remove": "しるしの言葉を除いた",
    "notice.credentials": "予約用シールを作った",
    "notice.import": "交付通知書を読み込んだ",
    "notice.locked": "誤りが続き、交付通知書の予約を閉じた",
    "notice.assign": "来庁期間・日時を変えた",
    "notice.register": "交付通知書を登録した",
    "notice.reissue": "予約用シールを作り直した",
    "notice.restrict": "支援措置の対象にした",
    "notice.unrestrict": "支援措置の対象から外した",
    "office.load": "庁舎を登録した",
    "opening.change": "開庁の規則を変えた",
    "policy.set": "庁舎の設定を変えた",
    "print.failed": "番号札を印字できなかった",
    "print.reprint": "番号札を再発行した",
    "queue.close_past_days": "前日までの番号を閉じた",
    "reception.check_in": "来庁受付をした",
    "reception.let_in": "予約なしの方に番号を出した",
    "reception.walk_in": "予約なしの受付をした",
    "service.edit": "手続を変えた",
    "slots.check": "枠の数を予約と照らし合わせた",
    "slots.mend": "枠の数を予約に合わせて直した",
    "staff.add": "職員を登録した",
    "staff.sign_in": "サインインした",
    "staff.sign_in_failed": "サインインに失敗した",
    "ticket.call": "次を呼んだ",
    "ticket.call_by_hand": "番号を選んで呼んだ",
    "ticket.missed": "不在にした",
    "ticket.recall": "再呼出した",
    "terminal.down": "統合端末を故障中にした",
    "terminal.up": "統合端末を使えるようにした",
    "visit.add_procedure": "手続を追加した",
    "visit.come_back": "戻った方を待ち列に入れた",
    "visit.finish": "対応を終えた",
    "visit.park": "保留にした",
    "visit.ready": "暗証番号決定済にした",
    "visit.undo": "操作を元に戻した",
    "visit.pass_on": "次の窓口へ送った",
    "window.close": "窓口を閉じた",
    "window.open": "窓口を開いた",
    "window.take_over": "窓口を引き継いだ",
}
WORDS: dict[str | bool, str] = {
    "handed_over": "交付した",
    "kind": "種類",
    "kiosk": "受付端末",
    "board": "案内表示",
    "count": "人数",
    "day": "日",
    "how": "方法",
    "screen": "画面",
    "paper": "PDF",
    "file": "Excel",
    "restricted": "支援措置",
    "late": "遅れて到着",
    "not_handed_over": "交付せず終了",
    "papers_missing": "書類不備",
    "later_by_mail": "後日郵送",
    "stopped": "取止め",
    "left": "帰った",
    "refused": "書き込めない",
    "full": "容量不足",
    "slow": "応答なし",
    "done": "済",
    "people": "何人目",
    "act": "操作",
    "missing": "不足の書類",
    "terminal": "統合端末",
    "papers": "書類を取りに",
    "choosing": "考え中",
    "other": "その他",
    "finish": "終了",
    "missed": "不在",
    "park": "保留",
    "pass_on": "次へ",
    "number": "番号",
    "office": "庁舎",
    "outcome": "結果",
    "reason": "理由",
    "service": "手続",
    "role": "役割",
    "visits": "件数",
    "window": "窓口",
    **{role.value: word for role, word in ROLES.items()},
    False: "いいえ",
    True: "はい",
}
ACTORS = {
    "command": "コマンド",
    "nobody": "登録のない名前",
    "notice": "住民",
    "sample": "見本データ",
    "timetable": "自動処理",
    "web": "住民",
}


@dataclass(frozen=True)
class OfficeView:
    """One office as it is set up, and how full it is today."""

    office: Office
    windows: list[dict[str, Any]]
    services: list[dict[str, str]]
    lanes: list[dict[str, Any]]
    sessions: list[OpenSession]
    places: list[PlacesOfDay]
    walk_ins: dict[int, int]


@blueprint.get("")
@needs(Right.ADMIN)
def overview() -> ResponseReturnValue:
    """All offices."""
    moment = now()
    names = {account.id: account.name for account in auth.all_staff(read_session())}
    views = [_office_view(office, names, moment) for office in all_offices(read_session())]
    return render_template("staff/admin.html", tab="offices", views=views, today=business_date(moment))


@blueprint.get("/devices")
@needs(Right.ADMIN)
def devices() -> ResponseReturnValue:
    """Kiosks and boards."""
    offices = all_offices(read_session())
    return render_template(
        "staff/admin_devices.html",
        tab="devices",
        devices=auth.all_devices(read_session()),
        offices=offices,
        office_names={office.id: office.name_ja for office in offices},
        scanner_words=scanner_words,
        today=business_date(now()),
        now=now(),
    )


@blueprint.post("/kiosks")
@needs(Right.ADMIN)
def add_kiosk() -> ResponseReturnValue:
    """A new kiosk; its token is on the page that answers, and nowhere else ever again."""
    name, office = line_of(request.form, "name"), _office_asked_for()
    if not name:
        return _back_to("devices", "端末の名前を40文字以内で入れてください。")
    asking = caller(_me())
    try:
        _, token = auth.add_kiosk(keyring(), office.id, name, asking.actor, now(), asking.request_id)
    except auth.ShownOnce:
        return _back_to(
            "devices",
            "この端末は登録済みです。トークンは一度しか表示しません。「トークンを出し直す」を使ってください。",
        )
    return _token_page(name, token)


@blueprint.post("/kiosks/<uuid:uid>/token")
@needs(Right.ADMIN)
def renew_token(uid: UUID) -> ResponseReturnValue:
    """Another token for a kiosk that was unpaired or whose token was lost."""
    token = auth.renew_token(keyring(), uid, _me(), now())
    return _token_page(_name_of(uid), token)


@blueprint.post("/boards")
@needs(Right.ADMIN)
def add_board() -> ResponseReturnValue:
    """A new board, to be paired next."""
    name, office = line_of(request.form, "name"), _office_asked_for()
    if not name:
        return _back_to("devices", "案内表示の名前を40文字以内で入れてください。")
    asking = caller(_me())
    auth.add_board(office.id, name, asking.actor, now(), asking.request_id)
    flash(f"案内表示「{name}」を登録しました。次に「接続を始める」を押してください。", "good")
    return redirect(url_for("office_pages.devices"), 303)


@blueprint.post("/boards/<uuid:uid>/pairing")
@needs(Right.ADMIN)
def start_pairing(uid: UUID) -> ResponseReturnValue:
    """The link with which a browser becomes this board, for a quarter of an hour."""
    moment = now()
    code = auth.start_pairing(keyring(), uid, _me(), moment)
    return render_template(
        "staff/admin_pairing.html",
        tab="devices",
        name=_name_of(uid),
        link=url_for("board.pair", code=code, _external=True),
        until=moment + auth.PAIRING_TIME,
    )


@blueprint.post("/devices/<uuid:uid>/unpair")
@needs(Right.ADMIN)
def unpair(uid: UUID) -> ResponseReturnValue:
    """Whatever the device was given opens nothing any more."""
    auth.unpair(uid, _me(), now())
    flash(f"「{_name_of(uid)}」の接続を切りました。", "good")
    return redirect(url_for("office_pages.devices"), 303)


@blueprint.get("/staff")
@needs(Right.ADMIN)
def accounts() -> ResponseReturnValue:
    """Who may sign in."""
    return _accounts_page()


@blueprint.post("/staff")
@needs(Right.ADMIN)
def add_account() -> ResponseReturnValue:
    """A new account: one person, one account."""
    name, password = line_of(request.form, "name"), request.form.get("password", "")
    try:
        role = Role(request.form.get("role", ""))
    except ValueError:
        return _accounts_page("役割を選んでください。")
    if not name:
        return _accounts_page("名前を40文字以内で入れてください。")
    if len(password) > LONGEST:
        return _accounts_page(f"パスワードは{LONGEST}文字以内にしてください。")
    office_id = _office_asked_for().id if request.form.get("office") else None
    try:
        auth.add_staff(parts().passwords, name, role, password, office_id, _me(), now())
    except auth.PasswordTooShort:
        return _accounts_page(f"最初のパスワードは{MIN_LENGTH}文字以上にしてください。")
    except auth.NameTaken:
        return _accounts_page(f"「{name}」は登録済みです。別の名前にしてください。")
    flash(f"職員「{name}」を登録しました。", "good")
    return redirect(url_for("office_pages.accounts"), 303)


@blueprint.get("/audit")
@needs(Right.ADMIN)
def audit() -> ResponseReturnValue:
    """The newest deeds: who did what when."""
    session = read_session()
    names = {f"staff:{account.id}": account.name for account in auth.all_staff(session)}
    names |= {f"device:{device.id}": device.name for device in auth.all_devices(session)}
    rows = [_entry(entry, names) for entry in newest_entries(session, ENTRIES)]
    return render_template("staff/admin_audit.html", tab="audit", rows=rows, most=ENTRIES)


def _office_view(office: Office, names: dict[int, str], moment: datetime) -> OfficeView:
    session, today = read_session(), business_date(moment)
    windows = [
        {
            "number": window.number,
            "services": [service.name_ja for service in services_of_window(session, window.id)],
            "clerk": names.get(window.clerk_id or 0, "") if window.is_open else "",
        }
        for window in windows_of(session, office.id)
    ]
    steps = steps_of(session, office.id)
    services = [
        {"name": offer.service.name_ja, "lane": steps[offer.service_id][0].lane.name_ja}
        for offer in offers_of(session, office.id)
        if offered_on(offer, today)
    ]
    lanes = [{"name": lane.name_ja, "first": s.first, "last": s.last} for lane, s in ranges_of(session, office.id)]
    sessions = list(calendar_of(session, office.id, today).plan(today).sessions)
    return OfficeView(
        office,
        windows,
        services,
        lanes,
        sessions,
        places_of_day(session, office.id, today),
        walk_in_places(session, office.id, moment),
    )


def _accounts_page(refused: str = "") -> ResponseReturnValue:
    offices = all_offices(read_session())
    page = render_template(
        "staff/admin_staff.html",
        tab="staff",
        accounts=auth.all_staff(read_session()),
        offices=offices,
        office_names={office.id: office.name_ja for office in offices},
        roles=ROLES,
        least=MIN_LENGTH,
        refused=refused,
        typed=request.form,
    )
    return (page, 422) if refused else page


def _token_page(name: str, token: str) -> ResponseReturnValue:
    address = request.host_url.rstrip("/")
    return render_template("staff/admin_token.html", tab="devices", name=name, token=token, address=address)


def _entry(entry: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    kind = entry.actor.partition(":")[0]
    who = names.get(entry.actor) or ACTORS.get(kind, entry.actor)
    facts = "、".join(f"{_word(key)} {_word(value)}" for key, value in entry.facts.items())
    return {
        "at": entry.at,
        "who": who,
        "what": VERBS.get(entry.verb, entry.verb),
        "of": entry.subject_uid,
        "facts": facts,
    }


def _word(fact: object) -> object:
    return WORDS.get(fact, fact) if isinstance(fact, str | bool) else fact


def _office_asked_for() -> Office:
    """The office chosen in a form. Raises UnknownOffice."""
    return office_by_code(read_session(), line_of(request.form, "office"))


def _name_of(uid: UUID) -> str:
    return next((device.name for device in auth.all_devices(read_session()) if device.uid == uid), "")


def _back_to(page: str, refused: str) -> ResponseReturnValue:
    flash(refused, "refused")
    return redirect(url_for(f"office_pages.{page}"), 303)


def _me() -> str:
    return f"staff:{staff().id}"
