/** What bin/lib/launch.sh gives Node so that no program hangs when it exits (nodejs/node#54918); `bin/test` gives it to the tests. */
export const NODE_FLAGS = ["--no-concurrent-recompilation", "--no-concurrent-sparkplug"] as const;
