#!/bin/sh
# A client behind a real NAT asks the STUN server: three network namespaces in a row,
#
#   client 10.0.0.2 - 10.0.0.1 router 203.0.113.1 - 203.0.113.10 and .11 server
#
# Usage: BEEKEEPR=binary unshare --map-root-user --net --mount sh nat.sh KIND COMMAND...
# KIND is how the router translates; COMMAND runs at the client. Needs ip and nft.
set -eu
PATH=$PATH:/usr/sbin:/sbin
kind=$1
shift

mount -t tmpfs tmpfs /run
for name in server router client; do
  ip netns add "$name"
  ip -n "$name" link set lo up
done
ip link add inside netns router type veth peer name cli0 netns client
ip link add outside netns router type veth peer name srv0 netns server
ip -n client addr add 10.0.0.2/24 dev cli0
ip -n router addr add 10.0.0.1/24 dev inside
ip -n router addr add 203.0.113.1/24 dev outside
ip -n server addr add 203.0.113.10/24 dev srv0
ip -n server addr add 203.0.113.11/24 dev srv0
ip -n client link set cli0 up
ip -n router link set inside up
ip -n router link set outside up
ip -n server link set srv0 up
ip -n client route add default via 10.0.0.1
ip netns exec router sysctl -q net.ipv4.ip_forward=1

# Linux keeps a client's port where it can, so one mapping serves all destinations, and lets in only
# who was asked: a port-restricted cone. With `random` every destination gets a port of its own.
translate='masquerade'
incoming=''
case $kind in
  full-cone) incoming='iifname "outside" meta l4proto udp dnat to 10.0.0.2' ;;
  port-restricted) ;;
  symmetric) translate='masquerade fully-random' ;;
  *) echo "unknown kind $kind, expected full-cone, port-restricted or symmetric" >&2; exit 64 ;;
esac
ip netns exec router nft -f - <<RULES
table ip nat {
  chain out {
    type nat hook postrouting priority srcnat
    oifname "outside" $translate
  }
  chain in {
    type nat hook prerouting priority dstnat
    $incoming
  }
}
RULES

mkfifo /run/ready
ip netns exec server "$BEEKEEPR" stun --listen 203.0.113.10:3478 --alternate 203.0.113.11:3479 \
  --admin-listen 127.0.0.1:0 >/run/ready &
server=$!
trap 'kill $server' EXIT
read -r line </run/ready
case $line in
  "ready role=stun"*) ;;
  *) echo "the server is not ready: $line" >&2; exit 1 ;;
esac
ip netns exec client "$@"
