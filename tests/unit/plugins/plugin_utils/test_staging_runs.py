# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does with each file of a server, by what is on the disk before and after."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import BadInput
from ansible_collections.sms.helpdesk.plugins.plugin_utils._share_trouble import ShareTrouble
from ansible_collections.sms.helpdesk.plugins.plugin_utils._shares import parse_root
from ansible_collections.sms.helpdesk.plugins.plugin_utils._staging import backup_place, relative_backup
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.programs import put, q229097
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.servers import CLIENT_SOURCE, Site, actions, modified

MANIFEST = "sms.helpdesk/backup/Q229097/manifest.json"
WUSER = f"{CLIENT_SOURCE}/x86.BIN/Wuser32.exe"
WCHAT = f"{CLIENT_SOURCE}/x86.BIN/Wchat32.exe"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


class TestBadInput:
    def test_a_root_without_any_directory_of_the_hotfix(self, site: Site) -> None:
        site.root = site.root.parent
        with pytest.raises(ShareTrouble, match="check root"):
            site.run()

    @pytest.mark.parametrize("place", [r"Site.srv\x", "logon.SRV", r"Helper.srv\a\b", "Primsite.srv", r"sms.helpdesk\staging"])
    def test_backups_where_they_would_be_spread_or_purged(self, site: Site, place: str) -> None:
        with pytest.raises(BadInput, match="Maintenance Manager"):
            site.run(backup_dir=place)

    @pytest.mark.parametrize("place", ["..", r"..\x", r"a\..\..\b", "a:b", "NUL", r"C:\backup"])
    def test_backups_outside(self, place: str) -> None:
        with pytest.raises(BadInput, match="backup_dir"):
            relative_backup("site", place)

    def test_backups_on_a_share_that_is_replicated(self) -> None:
        root, other = (parse_root("site", "root", path) for path in (r"\\site\SMS_SHRD", r"\\logon01\SMS_SHR\backup"))
        with pytest.raises(BadInput, match="Maintenance Manager"):
            backup_place("site", root, other, None, "Q229097")

    def test_backups_below_the_root_by_their_whole_path(self) -> None:
        root, same = (parse_root("site", "root", path) for path in (r"\\Site\SMS_SHRD\SMS", r"//site/sms_shrd/sms/old"))
        assert backup_place("site", root, same, None, "Q229097") == (None, r"old\Q229097")

    @pytest.mark.parametrize("root", ["", "relative/path", r"C:\SMS", r"\\server", r"\\.\pipe\x", r"\\s\a\..\b", "\\\\s\\a\\b:c"])
    def test_roots_that_are_none(self, root: str) -> None:
        with pytest.raises(BadInput, match="root"):
            parse_root("site", "root", root)

    @pytest.mark.parametrize("name", ["X86.bin", "x86.BIN"])
    def test_two_spellings_of_a_directory(self, site: Site, name: str) -> None:
        (site.root / CLIENT_SOURCE / "X86.bin").mkdir()
        assert (site.root / CLIENT_SOURCE / name).is_dir()
        with pytest.raises(ShareTrouble, match="more than once"):
            site.run()

    def test_a_directory_in_the_place_of_a_file(self, site: Site) -> None:
        (site.root / WCHAT).mkdir()
        with pytest.raises(ShareTrouble, match="directory instead of a file"):
            site.run()

    def test_a_link_in_the_place_of_a_file_is_not_followed(self, site: Site, tmp_path: Path) -> None:
        outside = put(tmp_path / "outside", b"precious", 0)
        (site.root / WCHAT).symlink_to(outside)
        with pytest.raises(ShareTrouble, match="link"):
            site.run()
        assert outside.read_bytes() == b"precious"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "no JSON"),
            ('{"format": 9}', "format 1"),
            ('{"format": 1, "hotfix": "Q229097", "root": null, "files": [{"path": "..\\\\x"}]}', "missing|part"),
            ('{"format": 1, "hotfix": "Q1", "root": null, "files": []}', "Q1"),
        ],
    )
    def test_a_list_of_backups_that_cannot_be_used(self, site: Site, text: str, words: str) -> None:
        put(site.root / MANIFEST, text.encode(), 0)
        before = site.state()
        with pytest.raises(ShareTrouble, match=words):
            site.run()
        assert site.state() == before


class TestPresent:
    def test_files_are_put_where_directories_are_and_spellings_stay(self, site: Site) -> None:
        outcome = site.run()
        assert actions(outcome) == {
            "Sightnt.dll": "replaced",
            "Wchat32.exe": "created",
            "Wslave32.exe": "replaced",
            "Wuser32.exe": "replaced",
        }
        assert outcome.destinations.platforms == ["x86"]
        served = site.served()
        assert set(served) == {
            "Site.srv/X86.bin/SIGHTNT.DLL",
            f"{CLIENT_SOURCE}/x86.BIN/Other.exe",
            WUSER,
            WCHAT,
            f"{CLIENT_SOURCE}/x86.BIN/Wslave32.exe",
        }
        for name, (content, time, _mode) in served.items():
            source = site.package / "x86" / {"SIGHTNT.DLL": "Sightnt.dll"}.get(Path(name).name, Path(name).name)
            if source.exists():
                assert (content, time) == (source.read_bytes(), source.stat().st_mtime_ns)
        assert served["Site.srv/X86.bin/SIGHTNT.DLL"][2] == 0o640
        assert not (site.root / "sms.helpdesk" / "staging").exists()

    def test_originals_are_kept_with_their_times(self, site: Site) -> None:
        before = site.served()
        outcome = site.run()
        backups = {Path(entry["path"]): Path(entry["original"]) for entry in outcome.backups}
        assert len(backups) == 3
        for backup, original in backups.items():
            name = str(original.relative_to(site.root))
            assert site.state()[str(backup.relative_to(site.root))] == before[name]
            assert not str(backup.relative_to(site.root)).lower().startswith(("site.srv", "logon.srv"))

    def test_check_mode_predicts_and_writes_nothing(self, site: Site) -> None:
        before = site.touched()
        predicted = site.run(check=True)
        assert site.touched() == before
        done = site.run()
        full = str
        assert predicted.as_result(q229097(), full) == done.as_result(q229097(), full)
        assert predicted.as_result(q229097(), full)["diff"]

    def test_a_second_run_writes_nothing(self, site: Site) -> None:
        site.run()
        before = site.touched()
        assert set(actions(site.run()).values()) == {"unchanged"}
        assert site.touched() == before

    def test_equal_content_keeps_even_a_wrong_time(self, site: Site) -> None:
        site.run()
        modified(site.root / WUSER, dt.datetime(2026, 1, 1))
        before = site.touched()
        assert actions(site.run())["Wuser32.exe"] == "unchanged"
        assert site.touched() == before

    def test_a_later_build_is_kept_unless_forced(self, site: Site) -> None:
        put(site.root / WUSER, b"x" * 171_008, 0)
        modified(site.root / WUSER, dt.datetime(2001, 5, 1))
        before = site.served()[WUSER]
        assert actions(site.run())["Wuser32.exe"] == "kept_later"
        assert site.served()[WUSER] == before
        assert actions(site.run(force=True))["Wuser32.exe"] == "replaced"
        site.run("absent")
        assert site.served()[WUSER] == before

    def test_an_old_build_with_a_new_time_is_no_later_build(self, site: Site) -> None:
        put(site.root / WUSER, b"x" * 170_720, 0)
        modified(site.root / WUSER, dt.datetime(2026, 1, 1))
        assert actions(site.run())["Wuser32.exe"] == "replaced"

    def test_only_one_component(self, site: Site) -> None:
        assert actions(site.run(components=["administrator"])) == {"Sightnt.dll": "replaced"}

    def test_a_platform_without_files_is_told(self, site: Site) -> None:
        (site.root / CLIENT_SOURCE / "MIPS.BIN").mkdir()
        (told,) = site.run().destinations.unfixable
        assert "MIPS" in told

    def test_what_a_broken_run_left_is_removed(self, site: Site) -> None:
        left = put(site.root / "sms.helpdesk/staging/001-x86-Wuser32.exe.new", b"half", 0)
        assert str(left) in site.run(check=True).left_overs
        assert left.exists()
        site.run()
        assert not left.parent.exists()

    def test_somebody_elses_file_becomes_the_original(self, site: Site) -> None:
        site.run()
        put(site.root / WUSER, b"of a service pack, older than the hotfix", 900_000_000)
        theirs = site.served()[WUSER]
        assert actions(site.run())["Wuser32.exe"] == "replaced"
        assert actions(site.run("absent"))["Wuser32.exe"] == "restored"
        assert site.served()[WUSER] == theirs


class TestAbsent:
    def test_everything_is_as_it_was(self, site: Site) -> None:
        before = site.served()
        site.run()
        outcome = site.run("absent")
        assert site.served() == before
        assert sorted(set(actions(outcome).values())) == ["removed", "restored"]
        touched = site.touched()
        assert set(actions(site.run("absent")).values()) == {"unchanged"}
        assert site.touched() == touched

    def test_nothing_was_ever_staged(self, site: Site) -> None:
        before = site.touched()
        outcome = site.run("absent")
        assert set(actions(outcome).values()) == {"unchanged"}
        assert site.touched() == before

    def test_what_is_newer_than_what_we_staged_is_kept_unless_forced(self, site: Site) -> None:
        before = site.served()
        site.run()
        put(site.root / WUSER, b"a later hotfix", 1_000_000_000)
        theirs = site.served()[WUSER]
        assert actions(site.run("absent"))["Wuser32.exe"] == "kept_newer"
        assert site.served()[WUSER] == theirs
        assert actions(site.run("absent", force=True))["Wuser32.exe"] == "restored"
        assert site.served() == before

    def test_an_older_file_that_is_not_ours_is_kept_as_well(self, site: Site) -> None:
        site.run()
        put(site.root / WUSER, b"from an old tape", 1_000)
        assert actions(site.run("absent"))["Wuser32.exe"] == "kept_changed"

    def test_a_damaged_backup_is_not_restored(self, site: Site) -> None:
        outcome = site.run()
        staged = site.served()
        for entry in outcome.backups:
            Path(entry["path"]).write_bytes(b"damaged")
        with pytest.raises(ShareTrouble, match="sha256"):
            site.run("absent")
        assert site.served() == staged

    def test_only_an_order_purges_and_only_after_all_is_back(self, site: Site) -> None:
        site.run()
        site.run("absent")
        assert (site.root / MANIFEST).exists()
        outcome = site.run("absent", purge=True)
        assert str(site.root / MANIFEST) in outcome.purged
        assert not (site.root / MANIFEST).parent.exists()

    def test_no_purge_while_something_stays_staged(self, site: Site) -> None:
        site.run()
        with pytest.raises(BadInput, match="purge"):
            site.run("absent", purge=True, components=["administrator"])
        assert (site.root / MANIFEST).exists()

    def test_the_list_of_backups_can_be_read_by_people(self, site: Site) -> None:
        site.run()
        listed = json.loads((site.root / MANIFEST).read_text(encoding="utf-8"))
        assert listed["hotfix"] == "Q229097"
        assert {entry["path"].rpartition("\\")[2] for entry in listed["files"]} >= {"SIGHTNT.DLL", "Wuser32.exe", "Wchat32.exe"}
        assert [entry["before"] for entry in listed["files"] if entry["path"].endswith("Wchat32.exe")] == [None]
