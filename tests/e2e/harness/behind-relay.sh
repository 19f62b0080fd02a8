#!/bin/sh
# What playwright takes for the browser: the browser in a network namespace behind the relay. $RELAY is
# the program with the relay, $RELAY_SHAPE what it does to packets.
# shellcheck disable=SC2086,SC2016
exec "$RELAY" relay $RELAY_SHAPE -- \
  sh -c 'ip route replace default via "$BEEKEEPR_RELAY_OUTSIDE" && exec "$@"' browser "$RELAY_BROWSER" "$@"
