# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hotfix_package_info
short_description: Tell whether files on the controller are the hotfix of Q229097
version_added: 1.1.0
description:
  - Compares every file of a package with the tables of the article, before anything is copied anywhere.
  - The package is a directory with a folder for each platform, C(x86) (or C(i386), C(intel)) and C(alpha), in any case, with the files in
    it.
  - The date tells the builds apart. The size does not, because two builds of C(Wuser32.exe) for x86 have the same one, and the version
    does not, because C(786) is the number of the product build and stands on all of them. Dates are compared with 24 hours of tolerance,
    because
    clocks, time zones and file systems move them by hours.
  - No host is contacted.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.hotfix
  - sms.helpdesk.hotfix.platforms
attributes:
  check_mode:
    support: full
    details: It only reads, so check mode is the normal mode.
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
  platform:
    platforms: posix
options:
  path:
    description: The directory of the package on the controller. A relative path counts from the playbook.
    type: path
    required: true
notes:
  - Copy the files from the media with their times, for example with C(cp -p), or the date says nothing.
  - The files themselves come from Microsoft's support and are no part of this collection.
seealso:
  - name: Q229097
    description: The article about the port conflicts of the help desk.
    link: https://jeffpar.github.io/kbarchive/kb/229/Q229097/
  - module: sms.helpdesk.hotfix_files
"""

EXAMPLES = r"""
- name: Check what came with the mail
  sms.helpdesk.hotfix_package_info:
    path: files/Q229097
  register: package
  delegate_to: localhost
  failed_when: not package.usable

- name: Check the German files for x86, one of which is known
  sms.helpdesk.hotfix_package_info:
    path: /srv/hotfixes/Q229097-de
    language: de
    platforms: [x86]
    trusted_sha256:
      x86/Wuser32.exe: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""

RETURN = r"""
usable:
  description: >-
    Whether every expected file of the platforms in the package, or of O(platforms), is V(match) or V(later), and there is at least one.
  returned: success
  type: bool
  sample: true
hotfix:
  description: The hotfix.
  returned: success
  type: str
  sample: Q229097
language:
  description: The language whose table counted.
  returned: success
  type: str
  sample: en
platforms:
  description: The platforms that have a folder in the package.
  returned: success
  type: list
  elements: str
  sample: [alpha, x86]
files:
  description: One entry for each expected file.
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
      description: Where it goes, V(administrator) or V(clients) for Q229097.
      type: str
      sample: clients
    path:
      description: The file that was looked at, null if there is none.
      type: str
      sample: /srv/hotfixes/Q229097/x86/WUSER32.EXE
    status:
      description:
        - V(match), it has size and date of the table, or a trusted hash.
        - V(later), it is a later build. The article says "or later".
        - V(older), it is an earlier build.
        - V(undetermined), it has a late date and the size of a known earlier build, as a copy that lost its time has; or it cannot be read.
        - V(mismatch), it is another file, of another platform, another product, no program, or incomplete.
        - V(missing), it is not there.
        - V(misnamed), it is not there, but a file of a known wrong name is. Step 2 of Q229097 prints C(Chat32.exe) for C(Wchat32.exe).
      type: str
      sample: match
    size:
      description: Its size in bytes, null if it is not there or is no regular file.
      type: int
      sample: 170720
    time:
      description: The time of its last change, ISO 8601 in UTC.
      type: str
      sample: '2000-04-03T23:41:00+00:00'
    sha256:
      description: The hash of its content.
      type: str
      sample: 5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e
    machine:
      description: The platform its header names, null if it is no program.
      type: str
      sample: x86
    file_version:
      description: The fixed file version of its version resource, null if it has none. It is told and not compared.
      type: str
      sample: 1.20.786.0
    expected:
      description: What the table says of it.
      type: dict
      contains:
        size:
          description: The size as printed.
          type: str
          sample: 170,720
        time:
          description: The time, in the clock of the article's author.
          type: str
          sample: '2000-04-03T23:41:00'
        label:
          description: What is printed as its version, which is the number of the product build.
          type: str
          sample: '786'
    message:
      description: One sentence that says why, and what to do if it cannot be used.
      type: str
      sample: Wuser32.exe for x86 has size and date of Q229097, 170,720 bytes of 2000-04-03.
problems:
  description: The messages of the files that cannot be used.
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: >-
    One stable word for what went wrong, for counting. The words are listed in the guide C(docs/staging_the_hotfix.md).
  returned: failure
  type: str
  sample: package-missing
"""
