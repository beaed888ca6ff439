#!/bin/sh
# What run.sh runs inside the fresh system: the README's commands, timed and checked.
set -eu
what=$1
HOME=/home/fresh
export HOME
mkdir -p $HOME
health=http://127.0.0.1:9090/healthz
patience=400 # seconds for a first start, a slow network's installation included

say() { printf '== %s\n' "$1"; }
fail() {
  say "FAILED: $1"
  [ ! -e /tmp/start.log ] || tail -n 40 /tmp/start.log
  exit 1
}
now() { date +%s%N; }
since() { echo "$((($(now) - $1) / 1000000)) ms"; }

# Prints the status of a GET, 0 when nobody answers; there is no curl here.
status() { node -e 'fetch(process.argv[1]).then((r) => console.log(r.status), () => console.log(0))' "$1"; }

# Starts the agent the README's way and waits until it is healthy; its log is /tmp/start.log.
start() {
  begun=$(now)
  npm start -- "$@" >/tmp/start.log 2>&1 </dev/null &
  npm=$!
  until [ "$(status $health)" = 200 ]; do
    [ -d /proc/$npm ] || fail "npm start ended"
    [ $((($(now) - begun) / 1000000000)) -lt $patience ] || fail "no answer at $health"
    sleep 0.1
  done
  say "npm start is healthy after $(since "$begun")"
}

# Ends npm itself with signal $1 and checks that the agent goes with it.
stop() {
  begun=$(now)
  kill "-$1" $npm
  wait $npm || true
  until [ "$(status $health)" = 0 ]; do
    [ $((($(now) - begun) / 1000000000)) -lt 15 ] || fail "the agent outlives SIG$1 to npm"
    sleep 0.1
  done
  say "SIG$1 to npm ended everything after $(since "$begun")"
}

expect() { # NAME PATTERN COMMAND...
  name=$1
  pattern=$2
  shift 2
  output=$("$@" 2>&1) || fail "$name: $output"
  printf '%s' "$output" | grep -q "$pattern" || fail "$name: no \"$pattern\" in: $output"
  say "ok: $name"
}

refused() { # NAME PATTERN COMMAND...
  name=$1
  pattern=$2
  shift 2
  if "$@" >/tmp/refused.log 2>&1 </dev/null; then fail "$name: it succeeded"; fi
  grep -q "$pattern" /tmp/refused.log || fail "$name: no \"$pattern\" in: $(cat /tmp/refused.log)"
  say "ok: $name"
}

try_start() {
  start
  cat /tmp/start.log
  expect "ctl ps finds the agent and its demo container" fairlead-demo npx ctl ps
  expect "ctl logs reads it" 'line [0-9]' npx ctl logs --tail 1 fairlead-demo
  expect "ctl exec runs in it and sees its files, not the host's" '^busybox$' npx ctl exec fairlead-demo readlink /bin/sh
  [ "$(status http://127.0.0.1:9090/readyz)" = 200 ] || fail "the agent is not ready"

  refused "a second start says that an agent runs already" 'already runs' npm start
  refused "a start beside it says that the port is in use" 'already uses port' \
    npm start -- --data-dir /tmp/other --docker-host unix://$HOME/.local/state/fairlead/engine/docker.sock

  stop TERM
  start
  stop INT
  start --listen-port 9090
  expect "the demo container outlived the agent" fairlead-demo npx ctl ps
  stop TERM

  bin/engine remove $HOME/.local/state/fairlead/engine || fail "the private engine cannot be removed"
  [ ! -e $HOME/.local/state/fairlead/engine ] || fail "the engine's directory is still there"
  if ip -br link | grep -q '^fl-'; then fail "a bridge is left: $(ip -br link)"; fi
  say "ok: one command removes the private engine"
}

try_tests() {
  begun=$(now)
  code=0
  npm test || code=$?
  say "npm test ended with $code after $(since "$begun")"
  [ "$code" = 0 ] || exit "$code"
}

for unwanted in dockerd containerd chromium tmux ip; do
  if command -v $unwanted >/dev/null 2>&1; then fail "this system is not bare: it has $unwanted"; fi
done
say "bare: $(. /etc/os-release && echo "$PRETTY_NAME"), node $(node --version), npm $(npm --version), $(git --version)"
git config --global --add safe.directory '*'
git clone --quiet /repository $HOME/fairlead
rm $HOME/.gitconfig
cd $HOME/fairlead
case $what in start | all) try_start ;; esac
case $what in test | all) try_tests ;; esac
say "all is well"
