# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hotfix_files
short_description: Stage the files of the hotfix of Q229097 on a site server, or take them back
version_added: 1.1.0
description:
  - Puts the files of a package where the article wants them. C(Sightnt.dll) goes into C(Site.srv\<Platform>.bin), and C(Wuser32.exe),
    C(Wchat32.exe) and C(Wslave32.exe) go into C(Site.srv\Maincfg.box\Client.src\<Platform>.bin), from where Maintenance Manager copies
    them to the
    logon servers.
  - Only into platform directories that exist; none is created. Names are found without regard to case and keep their spelling.
  - What was there is backed up first, with its content, time and attributes. A later build is kept. Equal content is not written again.
  - A file is copied to a temporary name on the same share, outside of what Maintenance Manager copies, is read back, gets the time of the
    package's file, and then takes the place of the old one in a single rename. All files of a platform are prepared before the first is
    replaced,
    and if one cannot be, the others are put back. Whatever breaks, every file on the server is the old one or the new one, and whole; the
    next run
    completes the work and removes what the broken one left.
  - The package is checked as M(sms.helpdesk.hotfix_package_info) does before the server is contacted.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.hotfix
  - sms.helpdesk.hotfix.platforms
  - sms.helpdesk.hotfix.server
attributes:
  check_mode:
    support: full
    details: It predicts what a run would do, file by file, and writes nothing, not even a time stamp.
  diff_mode:
    support: full
    details: For each file that changes, size, time, hash and build before and after.
  idempotent:
    support: full
options:
  root:
    description:
      - The SMS directory of the server, the one that has C(Site.srv) in it, as a share (V(\\\\server\\SMS_SHRD)) or below one
        (V(\\\\server\\D$\\SMS)), or as a directory on the controller where it is mounted.
      - On a computer that only has the SMS Administrator, the directory that has C(Site.srv) in it there.
      - With O(layout=logon_server), the share C(SMS_SHR) of a logon server.
    type: str
    required: true
  state:
    description:
      - With V(present), the files of the package are there, or later ones.
      - With V(absent), what V(present) replaced is there again, with its time and attributes, and what was not there before is gone. A file
        that is not what was staged is kept.
    type: str
    default: present
    choices: [present, absent]
  package:
    description: The directory of the package on the controller, see M(sms.helpdesk.hotfix_package_info). Required if O(state=present).
    type: path
  components:
    description:
      - Only these components, V(administrator) and V(clients) for Q229097. All by default.
      - A computer that only has the SMS Administrator gets V(administrator).
    type: list
    elements: str
  layout:
    description:
      - With V(site_server), O(root) is an SMS directory.
      - With V(logon_server), O(root) is the share C(SMS_SHR) of a logon server, and the files that Maintenance Manager would bring are put
        there
        directly. They are copies of what the site server has, so nothing is backed up and O(state=absent) is refused.
    type: str
    default: site_server
    choices: [site_server, logon_server]
  backup_dir:
    description:
      - Where originals are kept, as a path below O(root), or as another share or directory. For each hotfix a directory of its number is
        made in it.
      - Without it, C(sms.helpdesk\backup) in O(root).
      - Below C(Site.srv), C(Logon.srv), C(Helper.srv) and C(Primsite.srv) it is refused, because Maintenance Manager would spread what
        lies there,
        or a setup of SMS would remove it.
      - Give the same value to take the hotfix back. Servers that share a directory outside of O(root) need one each.
    type: str
  force:
    description:
      - With O(state=present), also replace a later build.
      - With O(state=absent), also replace a file that is not what was staged. It is backed up too.
    type: bool
    default: false
  purge_backups:
    description: With O(state=absent), remove the backups after all files are what they were. Nothing can be restored after that.
    type: bool
    default: false
notes:
  - Close every SMS Administrator console that uses the server before C(Sightnt.dll) is replaced; a file that is open is told and not
    replaced.
  - The account needs Change rights on the share and on the directories.
seealso:
  - name: Q229097
    description: The article about the port conflicts of the help desk.
    link: https://jeffpar.github.io/kbarchive/kb/229/Q229097/
  - module: sms.helpdesk.hotfix_package_info
  - module: sms.helpdesk.hotfix_replication_info
"""

EXAMPLES = r"""
- name: Stage the hotfix on the site server
  sms.helpdesk.hotfix_files:
    root: \\siteserver\SMS_SHRD
    package: files/Q229097

- name: Give the new viewer to a computer that only has the SMS Administrator
  sms.helpdesk.hotfix_files:
    root: \\console01\C$\SMSADMIN
    package: files/Q229097
    components: [administrator]

- name: Take the hotfix back
  sms.helpdesk.hotfix_files:
    root: \\siteserver\SMS_SHRD
    state: absent
"""

RETURN = r"""
files:
  description: One entry for each file of the hotfix that has a directory on the server.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: Wuser32.exe
    platform:
      description: Its platform.
      type: str
      sample: x86
    component:
      description: The component it belongs to.
      type: str
      sample: clients
    destination:
      description: Where it is, in the spelling of the server.
      type: str
      sample: \\siteserver\SMS_SHRD\Site.srv\Maincfg.box\Client.src\X86.bin\WUSER32.EXE
    action:
      description:
        - With O(state=present), V(created), V(replaced), V(unchanged), or V(kept_later) for a later build.
        - With O(state=absent), V(restored), V(removed), V(unchanged), V(kept_newer) for a file with a later date than the original that is
          not
          what was staged, or V(kept_changed) for any other such file.
      type: str
      sample: replaced
    before:
      description: What was there, null for nothing.
      type: dict
      contains: &version
        size:
          description: Its size in bytes.
          type: int
          sample: 170720
        time:
          description: The time of its last change, ISO 8601 in UTC.
          type: str
          sample: '1998-10-05T16:04:00+00:00'
        sha256:
          description: The hash of its content.
          type: str
          sample: 5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e
        build:
          description: The build it seems to be by size and date, V(Q229097 (en\)), the article of an earlier build, or V(unknown).
          type: str
          sample: Q192788
    after:
      description: What is there now, null for nothing.
      type: dict
      contains: *version
    message:
      description: One sentence that says what was done, and why.
      type: str
      sample: Wuser32.exe for x86 is replaced by the package's.
platforms:
  description: The platforms that have a directory on the server.
  returned: success
  type: list
  elements: str
  sample: [x86]
skipped_platforms:
  description: Platforms of the package that have no directory on the server.
  returned: O(state=present)
  type: list
  elements: str
  sample: [alpha]
unfixable:
  description: One sentence for each platform that is there and for which the hotfix has no files, such as MIPS.
  returned: success
  type: list
  elements: str
  sample: []
backup:
  description: The backups.
  returned: success
  type: dict
  contains:
    directory:
      description: Where they are, null with O(layout=logon_server).
      type: str
      sample: \\siteserver\SMS_SHRD\sms.helpdesk\backup\Q229097
    files:
      description: One entry for each.
      type: list
      elements: dict
      contains:
        path:
          description: The backup.
          type: str
          sample: \\siteserver\SMS_SHRD\sms.helpdesk\backup\Q229097\Site.srv\X86.bin\Sightnt.dll.0123456789abcdef
        original:
          description: The file it is of.
          type: str
          sample: \\siteserver\SMS_SHRD\Site.srv\X86.bin\Sightnt.dll
        size:
          description: Its size in bytes.
          type: int
          sample: 331968
        time:
          description: The time of its last change, ISO 8601 in UTC.
          type: str
          sample: '1998-05-19T00:00:00+00:00'
        sha256:
          description: The hash of its content.
          type: str
          sample: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    purged:
      description: What O(purge_backups) removed, the backups and their list.
      type: list
      elements: str
      sample: []
left_overs:
  description: What a run that broke off had left behind; it is removed.
  returned: success
  type: list
  elements: str
  sample: []
replaced:
  description: Files that were already changed when the run failed. The next run goes on from there.
  returned: failure, once the server was reached
  type: list
  elements: str
  sample: []
reason:
  description: >-
    One stable word for what went wrong, for counting. The words are listed in the guide C(docs/staging_the_hotfix.md).
  returned: failure
  type: str
  sample: file-in-use
"""
