# Makes folders and files the root of a process, read only but /tmp, in a user namespace and a mount namespace of its own: where there is no
# bwrap.
# enter.sh NEW TMP PART... -- ALSO... -- VARIABLE=VALUE... COMMAND...
#   NEW   an empty folder      PART  what the root consists of, by its last name
#   TMP   is /tmp there        ALSO  folders that are in /.local-aws there, by their last name
set -eu
new=$1 tmp=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs "$new"
put() {
  mount --rbind "$1" "$2"
  mount -o "remount,bind,$3,nosuid,nodev" "$2"
}
while [ "$1" != -- ]; do
  name=${1##*/}
  if [ -L "$1" ]; then ln -s "$(readlink "$1")" "$new/$name"
  elif [ -d "$1" ]; then mkdir "$new/$name" && put "$1" "$new/$name" ro
  else : >"$new/$name" && put "$1" "$new/$name" ro
  fi
  shift
done
shift
mkdir "$new/proc" "$new/dev" "$new/tmp" "$new/.local-aws"
mount -t proc proc "$new/proc" 2>/dev/null || mount --rbind /proc "$new/proc"
mount --rbind /dev "$new/dev"
put "$tmp" "$new/tmp" rw
while [ "$1" != -- ]; do
  mkdir "$new/.local-aws/${1##*/}" && put "$1" "$new/.local-aws/${1##*/}" rw
  shift
done
shift
mount -o remount,ro "$new"
# It stays the first process of its namespace, to which signals without a handler are nothing; its status is the command's.
env -i "$@"
