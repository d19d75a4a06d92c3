#!/usr/bin/env bash
# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# debian_packages.sh LIST: install the Debian packages named in LIST if they are missing and we are root; else say how.
set -euo pipefail

missing=()
while read -r package; do
  [[ -z $package || $package == \#* ]] && continue
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done <"$1"
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
  echo "Installing the Debian packages ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi
echo "These Debian packages are missing: ${missing[*]}"
echo "Install them with: sudo apt-get install ${missing[*]}"
if [[ ${CI:-} == true || ${SMS_HELPDESK_STRICT:-} == 1 ]]; then
  exit 1
fi
echo "Going on without them; the tests that need them are skipped."
