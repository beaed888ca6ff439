#!/bin/sh
# Proves the README's promise on a machine that holds only Node 20, npm and git: a fresh bookworm in namespaces of its own.
#   run.sh [start|test|all]   `npm start` in a fresh clone with an empty HOME (default), `npm test`, or both
# Needs root, debootstrap and a Node 20 with npm on the PATH, which are copied. FRESH_DIR (default /var/tmp/fairlead-fresh)
# keeps the bare system for the next run; what a run made goes, unless FRESH_KEEP is set.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd -P)
repo=$(cd -- "$here/../.." && pwd -P)
dir=${FRESH_DIR:-/var/tmp/fairlead-fresh}
suite=bookworm
mirror=${FRESH_MIRROR:-http://deb.debian.org/debian}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '== %s\n' "$1"; }

# The bare system, made once: packages of Debian's smallest variant, git, and this machine's Node and npm.
make_base() {
  say "making a bare $suite in $dir/base"
  rm -rf "$dir/base.new"
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$dir/base.new" "$mirror" >"$dir/debootstrap.log" 2>&1
  node=$(readlink -f "$(command -v node)")
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  case $("$node" --version) in v20.*) ;; *) say "warning: this machine's Node is $("$node" --version), not 20" ;; esac
  mkdir -p "$dir/base.new/usr/lib/node_modules"
  cp "$node" "$dir/base.new/usr/bin/node"
  cp -a "$npm" "$dir/base.new/usr/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$dir/base.new/usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$dir/base.new/usr/bin/npx"
  mv "$dir/base.new" "$dir/base"
}

# How this machine reaches its registries: package sources, keys, certificates, npm's settings, name servers.
copy_settings() {
  cp -a /etc/apt/sources.list* /etc/apt/apt.conf* /etc/apt/trusted.gpg.d "$root/etc/apt/" 2>/dev/null || true
  cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
  rm -rf "$root/etc/ssl/certs"
  cp -aL /etc/ssl/certs "$root/etc/ssl/certs"
  mkdir -p "$root/usr/etc"
  cat "$(npm config get globalconfig)" "$(npm config get userconfig)" >"$root/usr/etc/npmrc" 2>/dev/null || true
  cat /run/systemd/resolve/resolv.conf >"$root/etc/resolv.conf" 2>/dev/null || cat /etc/resolv.conf >"$root/etc/resolv.conf"
}

# A network of its own, joined to this machine's by one cable with address translation.
network_up() {
  ip netns add "$space"
  ip link add "$cable" type veth peer name eth0 netns "$space"
  ip addr add 192.168.254.1/30 dev "$cable"
  ip link set "$cable" up
  ip -n "$space" link set lo up
  ip -n "$space" addr add 192.168.254.2/30 dev eth0
  ip -n "$space" link set eth0 up
  ip -n "$space" route add default via 192.168.254.1
  forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
  echo 1 >/proc/sys/net/ipv4/ip_forward
  iptables -w -t nat -I POSTROUTING -s 192.168.254.0/30 ! -o "$cable" -j MASQUERADE
  iptables -w -I FORWARD -i "$cable" -j ACCEPT
  iptables -w -I FORWARD -o "$cable" -j ACCEPT
}

clean_up() {
  trap '' INT TERM HUP
  iptables -w -t nat -D POSTROUTING -s 192.168.254.0/30 ! -o "$cable" -j MASQUERADE 2>/dev/null || true
  iptables -w -D FORWARD -i "$cable" -j ACCEPT 2>/dev/null || true
  iptables -w -D FORWARD -o "$cable" -j ACCEPT 2>/dev/null || true
  [ -z "${forwarding-}" ] || echo "$forwarding" >/proc/sys/net/ipv4/ip_forward
  ip link del "$cable" 2>/dev/null || true
  ip netns del "$space" 2>/dev/null || true
  [ -n "${FRESH_KEEP-}" ] || rm -rf --one-file-system "$root"
}

what=${1:-start}
case $what in start | test | all) ;; *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[ "$(id -u)" = 0 ] || { echo "run.sh: needs root, for namespaces" >&2; exit 1; }
mkdir -p "$dir"
[ -d "$dir/base" ] || make_base
root=$(mktemp -d "$dir/run-XXXXXX")
space=fl-fresh-$$
cable=fl-f$$
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
cp -a "$dir/base/." "$root"
copy_settings
cp "$here/inside.sh" "$root/inside.sh"
mkdir -p "$root/repository"
network_up

# Everything started inside dies with the namespace of process ids.
code=0
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8 \
  ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
  ip netns exec "$space" unshare --mount --uts --ipc --pid --fork --kill-child --propagation private \
  sh -c '
    cd "$1"
    mount --bind "$2" repository
    mount -t proc proc proc
    mount -t tmpfs -o mode=755 run run
    mkdir -p dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
    ln -sf pts/ptmx dev/ptmx
    mount -t tmpfs shm dev/shm
    exec chroot . /bin/sh /inside.sh "$3"
  ' sh "$root" "$repo" "$what" || code=$?
exit $code
