#!/usr/bin/env bash
# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# stages.sh TARGET...: make each target, go on after a failure, and say at the end which passed and how long each took.
# With CI=true a skipped test counts as a failed one.
set -uo pipefail

passed=0 failed=0 report=()
mkdir -p .build
for target in "$@"; do
  echo "=== $target"
  began=$SECONDS
  log=.build/$target.log
  if make "$target" 2>&1 | tee "$log"; then
    verdict=passed
  else
    verdict=failed
  fi
  # pytest's closing line; ansible-test units prints the same.
  if [[ ${CI:-} == true ]] && grep -Eq '(^|[ ,])[0-9]+ skipped' "$log"; then
    echo "A skipped test is a failed test here: $(grep -Eo '[0-9]+ skipped' "$log" | head -n 1) in $target"
    verdict=failed
  fi
  if [[ $verdict == passed ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  report+=("$(printf '%-12s %-6s %4d s' "$target" "$verdict" $((SECONDS - began)))")
done
echo "=== stages"
printf '%s\n' "${report[@]}"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
