# The network of a private engine, for bin/engine (sourced, with $dir and $name set): one bridge with a free subnet and its own rules.

# Prints the address $1 as a number.
number() {
  high=${1%.*.*}
  low=${1#*.*.}
  echo $(((${high%.*} << 24) + (${high#*.} << 16) + (${low%.*} << 8) + ${low#*.}))
}

# Every IPv4 network and name server this machine knows, one ADDRESS/LENGTH per line; a default route covers nothing.
known_networks() {
  ip -4 -o addr show 2>/dev/null | awk '{ for (i = 1; i < NF; i++) if ($i == "inet") print $(i + 1) }'
  ip -4 route show table all 2>/dev/null | awk '{ n = ($1 ~ /^[a-z]/) ? $2 : $1; if (n ~ /^[0-9.]+(\/[0-9]+)?$/) print n }'
  awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print $2 }' /etc/resolv.conf 2>/dev/null || true
}

# True when no network of $2 (a list) meets the block $1 ("A.B.C", a /20 from A.B.C.0).
is_free() {
  first=$(number "$1.0")
  last=$((first + 4095))
  for known in $2; do
    bits=${known#*/}
    [ "$bits" != "$known" ] || bits=32
    size=$((1 << (32 - bits)))
    start=$(($(number "${known%/*}") / size * size))
    [ $start -gt $last ] || [ $((start + size - 1)) -lt "$first" ] || return 1
  done
}

# Prints "A.B.C" of a free /20: the one used before if possible, else the first free one.
free_block() {
  networks=$(known_networks | sort -u)
  before=$(cat "$dir/subnet" 2>/dev/null) || before=
  for block in $before $(for net in 10.201 10.202 172.29 172.30 192.168; do
    for part in 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240; do echo $net.$part; done
  done); do
    if is_free "$block" "$networks"; then
      echo "$block"
      return
    fi
  done
  fail "found no free IPv4 network for the engine in $dir. Every candidate is routed already (see: ip -4 route)."
}

# One bridge per engine, named after its directory, with a free subnet; picking one is serialised across this machine.
bridge_up() {
  ip link show "$name" >/dev/null 2>&1 && return
  exec 8>"/run/fairlead.lock"
  flock 8
  block=$(free_block)
  ip link add "$name" type bridge || fail "could not make the network bridge $name. This needs root with CAP_NET_ADMIN."
  ip addr add "$block.1/24" dev "$name"
  ip link set "$name" up
  echo "$block" >"$dir/subnet"
  exec 8>&-
}

# The firewall rules of this engine's networks, one per line; containers reach each other and, by address translation, the world.
rules() {
  net=$(cat "$dir/subnet").0/20
  echo "nat POSTROUTING -s $net ! -d $net -j MASQUERADE"
  echo "filter FORWARD -d $net -j DROP"
  echo "filter FORWARD -d $net -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
  for device in $(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | sort -u); do
    echo "filter FORWARD -s $net -o $device -j ACCEPT"
  done
  echo "filter FORWARD -s $net -d $net -j ACCEPT"
}

# Prints the variant of iptables that this kernel serves; Debian's default speaks nftables only.
working_iptables() {
  for tool in iptables iptables-legacy; do
    if $tool -w -t nat -S POSTROUTING >/dev/null 2>&1; then
      echo $tool
      return
    fi
  done
  return 1
}

# Our own rules instead of the daemon's: starting a second daemon with --iptables flushes the rules of the first.
firewall_up() {
  tool=$(working_iptables) || {
    echo "fairlead: no working iptables: containers of the private engine will not reach the network" >&2
    return 0
  }
  if [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 0 ]; then
    $tool -w -P FORWARD DROP # so that this machine does not become a router for its neighbours
    echo 1 >/proc/sys/net/ipv4/ip_forward 2>/dev/null || true
  fi
  rules | while read -r table rule; do
    # shellcheck disable=SC2086
    $tool -w -t $table -C $rule 2>/dev/null || $tool -w -t $table -I $rule || true
  done
}

network_down() {
  [ -s "$dir/subnet" ] || return 0
  block=$(cat "$dir/subnet")
  ip link show "$name" >/dev/null 2>&1 || return 0
  if tool=$(working_iptables); then
    $tool -w -S FORWARD | sed -n "s|^-A \(.* $block.0/20 .*\)|-D \1|p" | while read -r rule; do
      # shellcheck disable=SC2086
      $tool -w $rule 2>/dev/null || true
    done
    $tool -w -t nat -S POSTROUTING | sed -n "s|^-A \(.* $block.0/20 .*\)|-D \1|p" | while read -r rule; do
      # shellcheck disable=SC2086
      $tool -w -t nat $rule 2>/dev/null || true
    done
  fi
  # The user's own networks live in the upper half of the block, each with a bridge of its own.
  ip -4 -o addr show 2>/dev/null | awk '{ print $2, $4 }' | while read -r device address; do
    is_free "$block" "$address" || ip link del "$device" 2>/dev/null || true
  done
  ip link del "$name" 2>/dev/null || true
}
