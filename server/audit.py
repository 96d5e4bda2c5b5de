"""操作履歴: who did what when. Rows are written in the same transaction as the deed and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.db import Base, BigId, Transaction


class AuditEntry(Base):
    """One deed. `facts` hold ids and plain values, never a name, a contact or a scanned text."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(80))
    verb: Mapped[str] = mapped_column(String(60))
    subject_uid: Mapped[UUID | None] = mapped_column(index=True)
    facts: Mapped[Any] = mapped_column(JSON)


def record(tx: Transaction, now: datetime, actor: str, verb: str, subject: UUID | None, **facts: Any) -> None:
    """Write down that `actor` did `verb` to `subject`."""
    tx.session.add(AuditEntry(at=now, actor=actor, verb=verb, subject_uid=subject, facts=facts))


def newest_entries(session: Session, limit: int) -> Sequence[AuditEntry]:
    """The newest deeds, newest first."""
    return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)).all()
