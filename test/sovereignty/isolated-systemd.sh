#!/bin/sh
# Boots a systemd of its own on a copy of this machine, in name spaces of its own: isolated-systemd.sh FOLDER, where FOLDER/files is laid over the copy.
# Everything that it or its services write goes to memory and is gone with it. That matters: a starting systemd empties /tmp.
set -e
base=$1
mount --make-rprivate /
mkdir "$base/memory"
mount -t tmpfs tmpfs "$base/memory"
cd "$base/memory"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work" root
cp -r "$base/files/." root/
cd root
for name in proc:proc sysfs:sys cgroup2:sys/fs/cgroup tmpfs:run tmpfs:tmp tmpfs:dev; do mount -t "${name%%:*}" "${name%%:*}" "${name#*:}"; done
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"; done
mkdir dev/shm dev/pts
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=666
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir -p .old run/systemd/system run/lock
pivot_root . .old
cd /
umount -l /.old
# Without this, the first unit that starts would clean up the real machine.
real=$(awk '!($3 == "overlay" && $2 == "/") && $3 !~ /^(proc|sysfs|cgroup2|tmpfs|devpts)$/' /proc/self/mounts)
if [ -n "$real" ] || [ "$(stat -f -c %T /)" != overlayfs ]; then
  echo "not isolated: $real" >&2
  exit 1
fi
# Credentials are mounted from a name space of their own and have to come back from there.
mount --make-rshared /
printf '[Unit]\nDefaultDependencies=no\n' >/run/systemd/system/nothing.target
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=docker /lib/systemd/systemd --system --unit=nothing.target
