# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specifications of every action, equal by test to the documentation in plugins/modules. Private to the collection."""

from __future__ import annotations

import typing as t

_PORTS: dict[str, t.Any] = {
    "port_set": {"type": "str", "choices": ["original", "hotfix", "all"], "default": "all"},
    "ports": {
        "type": "list",
        "elements": "dict",
        "options": {
            "port": {"type": "int", "required": True},
            "protocol": {"type": "str", "choices": ["tcp", "udp", "both"], "default": "both"},
            "purpose": {"type": "str", "default": ""},
        },
    },
}

_EVIDENCE: dict[str, t.Any] = {
    "expected_processes": {"type": "list", "elements": "str", "default": ["wuser32.exe"]},
    "reserved_ranges": {"type": "bool", "default": True},
}

_SERVICE: dict[str, t.Any] = {"service": {"type": "str", "default": "Wuser32"}}

_TABLE: dict[str, t.Any] = {
    "hotfix": {"type": "str", "default": "Q229097"},
    "language": {"type": "str", "default": "en"},
}

_HOTFIX: dict[str, t.Any] = {
    **_TABLE,
    "platforms": {"type": "list", "elements": "str"},
}

_TRUSTED: dict[str, t.Any] = {"trusted_sha256": {"type": "raw"}}

PORT_CONFLICT_INFO: dict[str, t.Any] = {
    "argument_spec": {
        **_PORTS,
        **_EVIDENCE,
        "source": {"type": "str", "choices": ["client", "capture"], "default": "client"},
        "capture": {"type": "path"},
    },
    "required_if": [("source", "capture", ["capture"])],
}

FLEET_AUDIT: dict[str, t.Any] = {
    "argument_spec": {
        **_PORTS,
        **_EVIDENCE,
        "status": {"type": "bool", "default": False},
        **_SERVICE,
        **_TABLE,
        **_TRUSTED,
        "sha256": {"type": "bool", "default": False},
        "hosts": {"type": "list", "elements": "str"},
        "concurrency": {"type": "int", "default": 100},
        "connect_timeout": {"type": "float", "default": 15.0},
        "host_deadline": {"type": "float", "default": 120.0},
        "deadline": {"type": "float", "default": 3600.0},
        "retries": {"type": "int", "default": 1},
    },
}

CLIENT_STATUS_INFO: dict[str, t.Any] = {
    "argument_spec": {
        **_SERVICE,
        **_EVIDENCE,
        **_TABLE,
        **_TRUSTED,
        "sha256": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 0},
        "wait_interval": {"type": "int", "default": 15},
    },
}

REMOTE_CONTROL_AGENT: dict[str, t.Any] = {
    "argument_spec": {
        **_SERVICE,
        "state": {"type": "str", "choices": ["started", "restarted", "stopped", "disabled", "restored"], "required": True},
        "timeout": {"type": "int", "default": 180},
    },
}

REMOTE_CONTROL_PROTOCOL: dict[str, t.Any] = {
    "argument_spec": {
        **_SERVICE,
        "protocol": {"type": "str", "choices": ["ip", "netbios", "ipx"], "required": True},
        "lana": {"type": "int", "default": 0},
        "override": {"type": "bool", "default": True},
        "command_line_type": {"type": "str", "choices": ["REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ"], "default": "REG_SZ"},
        "override_type": {"type": "str", "choices": ["REG_DWORD", "REG_SZ"], "default": "REG_DWORD"},
        "timeout": {"type": "int", "default": 180},
    },
}

CLIENT_UPGRADE: dict[str, t.Any] = {
    "argument_spec": {
        **_SERVICE,
        **_EVIDENCE,
        **_TABLE,
        **_TRUSTED,
        "sha256": {"type": "bool", "default": False},
        "logon_server": {"type": "str"},
        "share": {"type": "str", "default": "SMS_SHR"},
        "script": {"type": "str", "default": "Upgrade.bat"},
        "drive": {"type": "str"},
        "timeout": {"type": "int", "default": 300},
        "require_replicated": {"type": "bool", "default": False},
        "replication": {"type": "dict"},
        "force": {"type": "bool", "default": False},
    },
}

CLIENT_RESTART: dict[str, t.Any] = {
    "argument_spec": {
        "delay": {"type": "int", "default": 5},
        "message": {"type": "str", "default": "The help desk restarts this computer."},
        "down_timeout": {"type": "int", "default": 300},
        "up_timeout": {"type": "int", "default": 600},
        "since_boot": {"type": "str"},
        "once_for": {"type": "str"},
    },
    "mutually_exclusive": [["since_boot", "once_for"]],
}

FLEET_SUMMARY: dict[str, t.Any] = {
    "argument_spec": {
        "results": {"type": "list", "elements": "str", "default": ["port_audit_result"]},
        "subject": {"type": "str", "choices": ["ports", "clients"], "default": "ports"},
        "title": {"type": "str"},
        "hosts": {"type": "list", "elements": "str"},
        "max_fail_percentage": {"type": "float", "default": 100.0},
    },
}

COMPLIANCE_REPORT: dict[str, t.Any] = {
    "argument_spec": {
        "dest": {"type": "path", "required": True},
        "formats": {
            "type": "list",
            "elements": "str",
            "choices": ["html", "json", "csv", "junit"],
            "default": ["html", "json", "csv", "junit"],
        },
        "title": {"type": "str", "default": "Help desk compliance"},
        "fail_on": {"type": "list", "elements": "str", "default": ["conflict", "vulnerable"]},
        "records": {"type": "list", "elements": "raw", "default": []},
        "clients": {"type": "list", "elements": "str"},
        "servers": {"type": "list", "elements": "str"},
        "port_results": {"type": "str", "default": "port_audit_result"},
        "status_results": {"type": "str", "default": "client_status_result"},
        "stage_results": {"type": "str", "default": "hotfix_stage_result"},
        "replication_results": {"type": "str", "default": "hotfix_stage_replication_result"},
        "package_results": {"type": "str", "default": "hotfix_package_result"},
    },
}

_ACCOUNT: dict[str, t.Any] = {
    "port": {"type": "int", "default": 445},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "timeout": {"type": "int", "default": 30},
}

HOTFIX_PACKAGE_INFO: dict[str, t.Any] = {
    "argument_spec": {"path": {"type": "path", "required": True}, **_HOTFIX, **_TRUSTED},
}

HOTFIX_FILES: dict[str, t.Any] = {
    "argument_spec": {
        "root": {"type": "str", "required": True},
        **_ACCOUNT,
        **_HOTFIX,
        **_TRUSTED,
        "package": {"type": "path"},
        "components": {"type": "list", "elements": "str"},
        "layout": {"type": "str", "choices": ["site_server", "logon_server"], "default": "site_server"},
        "backup_dir": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
        "purge_backups": {"type": "bool", "default": False},
    },
    "required_if": [("state", "present", ["package"])],
}

HOTFIX_REPLICATION_INFO: dict[str, t.Any] = {
    "argument_spec": {
        "root": {"type": "str"},
        "logon_servers": {"type": "list", "elements": "str"},
        "package": {"type": "path"},
        "site_root": {"type": "str"},
        "site_port": {"type": "int", "default": 445},
        "site_username": {"type": "str"},
        "site_password": {"type": "str", "no_log": True},
        **_ACCOUNT,
        **_HOTFIX,
        **_TRUSTED,
        "wait_timeout": {"type": "int", "default": 0},
        "wait_interval": {"type": "int", "default": 30},
    },
    "mutually_exclusive": [("root", "logon_servers"), ("package", "site_root")],
    "required_one_of": [("root", "logon_servers"), ("package", "site_root")],
}

COPY_LIST_REFRESH: dict[str, t.Any] = {
    "argument_spec": {
        "root": {"type": "str", "required": True},
        **_ACCOUNT,
        **_HOTFIX,
        **_TRUSTED,
        "logon_servers": {"type": "list", "elements": "str", "required": True},
        "touch_every_client": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 0},
        "wait_interval": {"type": "int", "default": 30},
    },
}
