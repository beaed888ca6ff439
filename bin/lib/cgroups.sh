# Control groups for a private engine, for bin/engine (sourced, with $dir set): mounted where they are not, handed down in containers.

mounted() { grep -q " $1 " /proc/self/mountinfo; }

# Mounts one control group file system and remembers it for `remove`.
mount_group() { # TYPE OPTIONS PLACE
  mkdir -p "$3"
  mount -t "$1" -o "$2" "$1" "$3" || fail "could not mount $1 on $3. The engine needs root with CAP_SYS_ADMIN; a container without --privileged has none."
  printf '%s\n%s' "$3" "$(cat "$dir/mounts" 2>/dev/null)" >"$dir/mounts.new"
  mv "$dir/mounts.new" "$dir/mounts"
}

# Where nothing is mounted (a bare chroot), mounts what the kernel has: version 1 hierarchies as they are combined, else version 2.
cgroups_up() {
  groups_root=/sys/fs/cgroup
  if ! grep -q " ${groups_root}[/ ]" /proc/self/mountinfo; then
    mounted /sys || mount_group sysfs rw,nosuid,nodev,noexec /sys
    groups=$(sed -n 's/^[1-9][0-9]*:\([^:]*\):.*/\1/p' /proc/self/cgroup)
    if [ -n "$groups" ]; then
      mount_group tmpfs mode=755 $groups_root
      for group in $groups; do mount_group cgroup "$group" "$groups_root/${group#name=}"; done
    else
      mount_group cgroup2 rw,nosuid,nodev,noexec $groups_root
    fi
  fi
  # In a container's own version 2 tree the root holds processes; controllers can be handed down only once it does not.
  if [ -e $groups_root/cgroup.type ] && [ -e $groups_root/cgroup.subtree_control ]; then
    mkdir -p $groups_root/init
    while read -r pid; do echo "$pid" >$groups_root/init/cgroup.procs 2>/dev/null || true; done <$groups_root/cgroup.procs
    tr ' ' '\n' <$groups_root/cgroup.controllers | while read -r controller; do
      echo "+$controller" >$groups_root/cgroup.subtree_control 2>/dev/null || true
    done
  fi
}
