"""Entry points for staff accounts and devices."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from madoguchi.wire import Message, ScannerFinding
from server.audit import record
from server.auth.attempts import check_open, settle
from server.auth.models import Device, DeviceKind, Staff
from server.auth.passwords import MIN_LENGTH, Passwords
from server.auth.rules import NotPaired, Role, SignInFailed
from server.db import Transaction, locked, new_uid, read_session, transaction
from server.errors import Conflict, Invalid, NotFound
from server.keys import Keyring
from server.repeats import Caller, repeat_of

PAIRING_TIME = timedelta(minutes=15)


class PasswordTooShort(Invalid):
    """A password has at least twelve characters."""

    code = "password_too_short"


class NameTaken(Conflict):
    """There is an account of this name."""

    code = "name_taken"


class UnknownDevice(NotFound):
    """There is no such device."""

    code = "unknown_device"


class ShownOnce(Conflict):
    """The device was added by the same form before; its token was shown then and is not known any more."""

    code = "shown_once"


@dataclass(frozen=True)
class OfDevice(Message):
    """The device of which it was."""

    device: UUID


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in: what a session needs to know of a member of staff."""

    id: int
    name: str
    role: Role
    office_id: int | None
    generation: int


def add_staff(
    passwords: Passwords, name: str, role: Role, password: str, office_id: int | None, by: str, now: datetime
) -> SignedIn:
    """A new account. Raises PasswordTooShort, NameTaken."""
    if len(password) < MIN_LENGTH:
        raise PasswordTooShort(least=MIN_LENGTH)
    hashed = passwords.hash(password)
    with transaction() as tx:
        if tx.session.scalar(select(Staff.id).where(Staff.name == name)):
            raise NameTaken
        staff = Staff(uid=new_uid(now), name=name, role=role, office_id=office_id, password_hash=hashed)
        tx.session.add(staff)
        tx.session.flush()
        record(tx, now, by, "staff.add", staff.uid, role=role.value)
        return _signed_in(staff)


def sign_in(passwords: Passwords, keyring: Keyring, name: str, password: str, now: datetime) -> SignedIn:
    """Whose name and password these are. Raises SignInFailed, Locked; the same, and as slow, for unknown names."""
    key = keyring.key("attempts/staff", name)
    check_open(key, now)
    staff = read_session().scalar(select(Staff).where(Staff.name == name, Staff.active))
    answer = None if staff is None else (_signed_in(staff), staff.uid, staff.password_hash)
    read_session().rollback()  # hashing takes its time, and nobody waits for our connection meanwhile
    right = passwords.check(None if answer is None else answer[2], password)
    with transaction() as tx:
        settle(tx, key, now, right=right)
        actor = "nobody" if answer is None else f"staff:{answer[0].id}"
        verb = "staff.sign_in" if right else "staff.sign_in_failed"
        record(tx, now, actor, verb, None if answer is None else answer[1])
    if answer is None or not right:
        raise SignInFailed
    return answer[0]


def staff_by_id(staff_id: int, generation: int) -> SignedIn | None:
    """The account of a running session, unless it was closed or its password changed."""
    staff = read_session().get(Staff, staff_id)
    if staff is None or not staff.active or staff.generation != generation:
        return None
    return _signed_in(staff)


def _signed_in(staff: Staff) -> SignedIn:
    return SignedIn(staff.id, staff.name, staff.role, staff.office_id, staff.generation)


def add_kiosk(
    keyring: Keyring, office_id: int, name: str, by: str, now: datetime, request_id: str | None = None
) -> tuple[UUID, str]:
    """A new kiosk: its uid, and the token for its configuration, which is shown this once. Raises ShownOnce."""
    token = secrets.token_urlsafe(32)
    with transaction() as tx:
        if request_id is not None:
            repeat = repeat_of(tx, Caller(by, request_id), "device.add", {"office": office_id, "name": name}, now)
            if repeat.answer is not None:
                raise ShownOnce
        device = _new_device(tx, office_id, DeviceKind.KIOSK, name, by, now)
        device.token_key, device.key_id = keyring.key("device", token), keyring.key_id
        if request_id is not None:
            repeat.keep(OfDevice(device.uid))
        return device.uid, token


def add_board(office_id: int, name: str, by: str, now: datetime, request_id: str | None = None) -> UUID:
    """A new board; it is paired by a code."""
    with transaction() as tx:
        if request_id is None:
            return _new_device(tx, office_id, DeviceKind.BOARD, name, by, now).uid
        repeat = repeat_of(tx, Caller(by, request_id), "device.add", {"office": office_id, "name": name}, now)
        if repeat.answer is not None:
            return OfDevice.from_json(repeat.answer).device
        return repeat.keep(OfDevice(_new_device(tx, office_id, DeviceKind.BOARD, name, by, now).uid)).device


def _new_device(tx: Transaction, office_id: int, kind: DeviceKind, name: str, by: str, now: datetime) -> Device:
    device = Device(uid=new_uid(now), office_id=office_id, kind=kind, name=name)
    tx.session.add(device)
    record(tx, now, by, "device.add", device.uid, kind=kind.value)
    return device


def renew_token(keyring: Keyring, kiosk: UUID, by: str, now: datetime) -> str:
    """Another token for a kiosk, shown this once; the one before opens nothing any more. Raises UnknownDevice."""
    token = secrets.token_urlsafe(32)
    with transaction() as tx:
        device = _locked_device(tx, kiosk)
        if device.kind is not DeviceKind.KIOSK:
            raise UnknownDevice
        device.token_key, device.key_id = keyring.key("device", token), keyring.key_id
        record(tx, now, by, "device.renew_token", device.uid)
    return token


def start_pairing(keyring: Keyring, board: UUID, by: str, now: datetime, lasts: timedelta = PAIRING_TIME) -> str:
    """A pairing code with which browsers become this board until its time is over. Raises UnknownDevice."""
    code = secrets.token_urlsafe(12)
    with transaction() as tx:
        device = _locked_device(tx, board)
        if device.kind is not DeviceKind.BOARD:
            raise UnknownDevice
        device.pairing_key, device.pairing_until = keyring.key("pairing", code), now + lasts
        record(tx, now, by, "device.start_pairing", device.uid)
    return code


def unpair(device_uid: UUID, by: str, now: datetime) -> None:
    """End a device's pairing: tokens and cookies given out so far open nothing any more. Raises UnknownDevice."""
    with transaction() as tx:
        device = _locked_device(tx, device_uid)
        device.generation += 1
        device.pairing_key = device.token_key = None
        record(tx, now, by, "device.unpair", device.uid)


def _locked_device(tx: Transaction, uid: UUID) -> Device:
    device = tx.session.scalar(locked(select(Device).where(Device.uid == uid)))
    if device is None:
        raise UnknownDevice
    return device


def all_staff(session: Session) -> Sequence[Staff]:
    """All accounts by name."""
    return session.scalars(select(Staff).order_by(Staff.name)).all()


def all_devices(session: Session) -> Sequence[Device]:
    """All devices by office, kiosks before boards."""
    return session.scalars(select(Device).order_by(Device.office_id, Device.kind.desc(), Device.name, Device.id)).all()


def board_by_pairing(session: Session, keyring: Keyring, code: str, now: datetime) -> Device:
    """The board a pairing code belongs to. Raises NotPaired."""
    device = session.scalar(select(Device).where(Device.pairing_key == keyring.key("pairing", code), Device.active))
    if device is None or device.pairing_until is None or device.pairing_until <= now:
        raise NotPaired
    return device


def board_of_cookie(session: Session, uid: str, generation: int) -> Device:
    """The board a pairing cookie names. Raises NotPaired."""
    device = session.scalar(
        select(Device).where(Device.uid == UUID(uid), Device.kind == DeviceKind.BOARD, Device.active)
    )
    if device is None or device.generation != generation:
        raise NotPaired
    return device


def paired_boards(session: Session, uids: Collection[UUID]) -> set[tuple[UUID, int]]:
    """(uid, generation) of those of these boards that are paired still."""
    rows = session.execute(select(Device.uid, Device.generation).where(Device.uid.in_(uids), Device.active))
    return {(uid, generation) for uid, generation in rows}


def kiosk_of_token(session: Session, keyring: Keyring, token: str) -> Device:
    """The kiosk a token belongs to. Raises NotPaired."""
    device = session.scalar(
        select(Device).where(
            Device.token_key == keyring.key("device", token), Device.kind == DeviceKind.KIOSK, Device.active
        )
    )
    if device is None:
        raise NotPaired
    return device


def kiosk_seen(device_id: int, contract: int, now: datetime) -> None:
    """Note that a kiosk spoke; at most once a minute, for it speaks every few seconds."""
    seen = read_session().get_one(Device, device_id)
    if seen.contract == contract and seen.seen_at is not None and now - seen.seen_at < timedelta(minutes=1):
        return
    with transaction() as tx:
        device = tx.session.get_one(Device, device_id)
        device.contract, device.seen_at = contract, now


def scanner_tested(caller: Caller, device_id: int, finding: ScannerFinding, now: datetime) -> None:
    """Somebody held the self-test card to a kiosk's scanner."""
    with transaction() as tx:
        repeat = repeat_of(tx, caller, "kiosk.scanner_tested", {"finding": finding}, now)
        if repeat.answer is not None:
            return
        device = tx.session.get_one(Device, device_id)
        device.scanner_tested_at, device.scanner_finding = now, finding
        record(tx, now, caller.actor, "kiosk.scanner_tested", device.uid, finding=finding)
        repeat.keep(OfDevice(device.uid))


def kiosks_of(session: Session, office_id: int | None) -> Sequence[Device]:
    """The kiosks in use at an office, or at all."""
    here = () if office_id is None else (Device.office_id == office_id,)
    mine = select(Device).where(Device.kind == DeviceKind.KIOSK, Device.active, *here)
    return session.scalars(mine.order_by(Device.office_id, Device.name)).all()


def boards_seen(uids: Collection[UUID], now: datetime) -> None:
    """Note that these boards have a socket open; at most once a minute, for they are looked at every few seconds."""
    due = or_(Device.seen_at.is_(None), Device.seen_at <= now - timedelta(minutes=1))
    boards = read_session().scalars(select(Device.id).where(Device.uid.in_(uids), due)).all()
    if not boards:
        return
    with transaction() as tx:
        tx.session.execute(update(Device).where(Device.id.in_(boards)).values(seen_at=now))
