#!/bin/sh
# Runs the scenarios with bad lines in a network namespace of their own, where all servers have one
# address and viewers reach each other. Needs root.
set -eu
# shellcheck disable=SC2016
exec unshare --net sh -c '
  ip link set lo up
  ip address add "$BEEKEEPR_E2E_HOST/32" dev lo
  echo 1 > /proc/sys/net/ipv4/ip_forward
  exec node --test --test-reporter=spec adverse.mjs
'
