"""Entry points for the opening hours of an office: change its rules, all at once or not at all."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, update

from server.audit import record
from server.clock import business_date
from server.db import Transaction, locked, transaction
from server.errors import Conflict, Invalid
from server.events import OpeningChanged
from server.offices.models import Office, OpeningRule
from server.offices.opening_changes import WITH_DATES, RuleChange, digest, faults_of
from server.offices.opening_rules import Rule
from server.offices.queries import calendar_of, offers_of


class RulesChanged(Conflict):
    """Somebody else has changed the opening hours since this change was looked at."""

    code = "rules_changed"


class RuleUnusable(Invalid):
    """An opening rule cannot be meant; the facts name its faulty fields."""

    code = "rule_unusable"


def change_rules(office_id: int, change: RuleChange, seen: str, by: str, now: datetime) -> None:
    """Change an office's rules. `seen` names the state they were in when the change was looked at (`digest`).

    Places follow after the commit (OpeningChanged). Raises RulesChanged, RuleUnusable.
    """
    with transaction() as tx:
        office = tx.session.scalars(locked(select(Office).where(Office.id == office_id))).one()
        if digest(calendar_of(tx.session, office_id).rules) != seen:
            raise RulesChanged
        rules = apply_change(tx, office, change)
        facts = {"added": len(change.add), "removed": len(change.remove), "ended": len(change.end)}
        record(tx, now, by, "opening.change", office.uid, **facts)
        tx.publish(OpeningChanged(office.id, *_days_of(rules, business_date(now))))


def apply_change(tx: Transaction, office: Office, change: RuleChange) -> list[Rule]:
    """Step: write a change; gives the rules it concerns. Raises RuleUnusable."""
    offered = [offer.service.code for offer in offers_of(tx.session, office.id)]
    for rule in change.add:
        if faults := faults_of(rule, offered):
            raise RuleUnusable(fields=faults)
    old = [r for r in calendar_of(tx.session, office.id).rules if r.id in change.remove or r.id in change.end]
    mine = OpeningRule.office_id == office.id
    tx.session.execute(delete(OpeningRule).where(mine, OpeningRule.id.in_(change.remove)))
    for rule_id, last_day in change.end.items():
        tx.session.execute(update(OpeningRule).where(mine, OpeningRule.id == rule_id).values(valid_to=last_day))
    for rule in change.add:
        tx.session.add(OpeningRule(office_id=office.id, **values_of(rule)))
    tx.session.flush()
    return [*old, *change.add]


def values_of(rule: Rule) -> dict[str, Any]:
    """A rule as its row keeps it."""
    values = asdict(rule)
    del values["id"]
    return {**values, "services": None if rule.services is None else sorted(rule.services)}


def _days_of(rules: list[Rule], today: date) -> tuple[date, date | None]:
    """The days of which these rules say something, from today on."""
    dates = [day for r in rules if r.on_date and r.kind in WITH_DATES for day in (r.on_date, r.until_date or r.on_date)]
    if any(r.kind not in WITH_DATES for r in rules) or not dates:
        return today, None
    return max(min(dates), today), max(*dates, today)
