# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.copy_list_refresh; documented in plugins/modules/copy_list_refresh.py."""

from __future__ import annotations

import time
import typing as t

from ..plugin_utils import _copy_lists
from ..plugin_utils._argspec import COPY_LIST_REFRESH
from ..plugin_utils._copy_lists import Touch
from ..plugin_utils._destinations import find
from ..plugin_utils._errors import ActionRefused, BadInput
from ..plugin_utils._hotfix import USABLE, FileFacts, judge
from ..plugin_utils._manifest import Catalogue
from ..plugin_utils._package import choose, choose_language
from ..plugin_utils._plan import moment
from ..plugin_utils._refresh import Map, Refresh, shown_map, where_lists_stand
from ..plugin_utils._replication import Server, Wanted, of_site, result, watch
from ..plugin_utils._server_action import ServerAction
from ..plugin_utils._shares import Share, Survey


class ActionModule(ServerAction):
    """Make Maintenance Manager regenerate the copy lists of a site, once for what is staged."""

    ARGUMENTS = COPY_LIST_REFRESH

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, prove that everything is staged and has arrived, touch, look where the copy lists stand."""
        self._check(arguments)
        catalogue = self.catalogue(arguments)
        language = choose_language(self.host, catalogue, arguments["language"])
        chosen = choose(self.host, "platforms", arguments["platforms"], catalogue.platforms, catalogue.hotfix)
        platforms = chosen or list(catalogue.platforms)
        servers = self.logon_servers(arguments)
        with self.share(self.address("root", arguments["root"]), self.account(arguments)) as share:
            refresh = Refresh(share, f"{catalogue.hotfix}.json")
            now = refresh.map()
            wanted = self._staged(share, arguments, catalogue, language, platforms)
            touches = refresh.touches()
            build = _copy_lists.build_of((each.row.platform, each.row.file, each.version[1]) for each in wanted if each.version)
            known = None if arguments["force"] else _copy_lists.done(touches, build, now.entry.modified_ns)
            if known is None:
                self._require_replicated(servers, catalogue, wanted)
            return self._touch(arguments, refresh, now, touches, build, known, servers)

    def _check(self, arguments: dict[str, t.Any]) -> None:
        if not arguments["touch_every_client"]:
            raise BadInput(
                self.host,
                "the argument touch_every_client",
                "it is not true, and this makes every client of the site, of every operating system, look at all its files at its next "
                "logon, and may reach secondary sites (Q166771, Q107244)",
                "set it to true in a change window, or move clients one by one with sms.helpdesk.client_upgrade",
                "not-confirmed",
            )
        for name, least in (("wait_timeout", 0), ("wait_interval", 1)):
            if arguments[name] < least:
                raise BadInput(self.host, f"the argument {name}", f"{arguments[name]} is less than {least}", "give seconds", "bad-argument")

    def _staged(self, share: Share, arguments: dict[str, t.Any], catalogue: Catalogue, language: str, platforms: list[str]) -> list[Wanted]:
        """What lies in Client.src, if all of it is the hotfix."""
        wanted = of_site(share, catalogue, language, platforms)
        components = [name for name, component in catalogue.components.items() if component.replica]
        trust = self.trust(arguments, catalogue)
        hashes = {(each.row.platform, each.row.file): each.version[1] for each in wanted if each.version is not None}
        problems = []
        for target in find(Survey(share), catalogue, language, platforms, components).targets:
            entry = target.entry
            facts = entry and FileFacts(
                target.path,
                size=entry.size,
                modified=moment(entry.modified_ns),
                sha256=hashes.get((target.row.platform, target.row.file)),
            )
            judgement = judge(catalogue, language, target.row, facts, trust)
            if judgement.status not in USABLE:
                problems.append(judgement.message)
        if problems:
            raise ActionRefused(
                self.host,
                f"what is staged in {share.root}",
                " ".join(problems).rstrip("."),
                "stage the hotfix with sms.helpdesk.hotfix_files first; clients that look too early do not come back",
                "not-staged",
            )
        return wanted

    def _require_replicated(self, servers: list[Server], catalogue: Catalogue, wanted: list[Wanted]) -> None:
        waited = watch(servers, catalogue, wanted, 0, 1, self._tell)
        found = result(servers, catalogue, waited)
        if not found["replicated"]:
            lagging = "; ".join(
                f"{each['name']}: {each['message'].rstrip('.')}" for each in found["servers"] if each["status"] != "replicated"
            )
            raise ActionRefused(
                self.host,
                "the logon servers",
                f"not all of them have what is staged ({lagging})",
                "wait with sms.helpdesk.hotfix_replication_info; clients that look too early find the old files and do not come back",
                "not-replicated",
            )

    def _touch(
        self,
        arguments: dict[str, t.Any],
        refresh: Refresh,
        now: Map,
        touches: list[Touch],
        build: str,
        known: Touch | None,
        servers: list[Server],
    ) -> dict[str, t.Any]:
        before_ns = now.entry.modified_ns
        after_ns, action, limit = before_ns, "already-done", arguments["wait_timeout"]
        versions: t.Mapping[str, str] = refresh.versions() if known is None else known.versions
        if known is None:
            now_ns = time.time_ns()
            after_ns = _copy_lists.new_time(before_ns, now_ns)
            if before_ns > now_ns:
                refresh.warnings.append(
                    f"{refresh.share.full(now.path)} has a time in the future, {moment(before_ns).isoformat()}, and gets a later one; "
                    "let the clocks agree"
                )
            action = "would-touch" if self._task.check_mode else "touched"
            if not self._task.check_mode:
                after_ns = refresh.touch(now, touches, Touch(build, now.sha256, before_ns, after_ns, dict(versions))).entry.modified_ns
        if self._task.check_mode:
            limit = 0
        stand = where_lists_stand(refresh.versions, servers, versions, limit, arguments["wait_interval"], self._tell)
        stand[0]["server"] = self.host
        behind = [each["server"] for each in stand if not each["regenerated"]]
        changed = known is None
        return {
            "changed": changed,
            "action": action,
            "system_map": shown_map(refresh.share, now, after_ns),
            "build": build,
            "copy_lists": stand,
            "regenerated": not behind,
            "lagging": behind,
            "warnings": refresh.warnings,
            **(
                {"diff": {"before": {"modified": moment(before_ns).isoformat()}, "after": {"modified": moment(after_ns).isoformat()}}}
                if self._task.diff
                else {}
            ),
        }

    def _tell(self, line: str) -> None:
        self._display.display(f"{self.host}: {line}")
