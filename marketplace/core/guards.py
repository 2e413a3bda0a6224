"""Triggers that hold for everybody: rules of the database that no session can wave away.

`pgtrigger`'s own triggers can be switched off by any session with `SET pgtrigger.ignore`, and act
with the rights of whoever caused them. A guard knows no such setting, and runs with the rights of
the schema's owner, so that the role that serves the product can be refused what the guard does.
"""

from typing import Any

import pgtrigger
from pgtrigger import compiler


class GuardSql(compiler.UpsertTriggerSql):
    """SQL that installs a guard; migrations keep pointing here, so do not change it in place."""

    def get_template(self) -> str:
        # pg_temp comes last, or a caller's temporary table could pose as one of ours.
        return """
            CREATE OR REPLACE FUNCTION {pgid}() RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class Guard(pgtrigger.Trigger):
    """A trigger that cannot be ignored and acts as the owner of the schema."""

    def compile(self, model: Any) -> compiler.Trigger:
        plain = super().compile(model)
        return compiler.Trigger(name=self.name, sql=GuardSql(**plain.sql.kwargs))


def append_only() -> list[Guard]:
    """Guards of a table whose rows are written once: no UPDATE, no DELETE, no TRUNCATE."""
    refuse = (
        "RAISE EXCEPTION '% on % is refused: rows are written once', TG_OP, TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation';"
    )
    return [
        Guard(
            name="append_only",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            func=refuse,
        ),
        Guard(
            name="no_truncate",
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            func=refuse,
        ),
    ]
