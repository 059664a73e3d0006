#!/bin/sh
# Installs, upgrades, rolls back or removes the Coferment agent of one machine. Needs no npm, no internet and no root (with --prefix).
# It touches nothing outside the prefix, and no data folder ever: keys and journal are not its business.
set -eu
umask 022

# What the Node in the archives was linked against; deploy/agent-bundle/installer.spec.ts compares it with the program itself.
OLDEST_GLIBC=2.28
PROGRAMS='coferment-agent coferment-audit'

usage() {
  cat <<'TEXT'
Usage:
  sh install.sh [--prefix DIR] [--archive FILE] [--public-key FILE]   install, or upgrade to, the archive beside this script
  sh install.sh --rollback [--prefix DIR]                             go back to the version before
  sh install.sh --uninstall [--prefix DIR]                            remove the programs; data folders stay

  --prefix DIR       where it goes (default: /opt/coferment-agent)
  --archive FILE     the archive, if there are several beside this script; SHA256SUMS must be in its folder
  --public-key FILE  the release key, got another way than the archive: the signature is checked with it (needs OpenSSL 3)

Example:
  sudo sh install.sh --public-key /root/coferment-release.pub.pem
TEXT
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '  → %s\n' "$2" >&2
  exit 1
}

prefix=/opt/coferment-agent
archive=
key=
action=install
wrong_use() {
  printf 'install.sh: %s\n\n' "$1" >&2
  usage >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --archive | --public-key)
      { [ $# -ge 2 ] && [ -n "$2" ]; } || wrong_use "$1 needs a value"
      case $1 in
        --prefix) prefix=$2 ;;
        --archive) archive=$2 ;;
        --public-key) key=$2 ;;
      esac
      shift 2
      ;;
    --rollback) action=rollback && shift ;;
    --uninstall) action=uninstall && shift ;;
    --help | -h) usage && exit 0 ;;
    *) wrong_use "there is no option \"$1\"" ;;
  esac
done
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac
versions=$prefix/versions

# ---- the machine

target_of_machine() {
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); the archives are for Linux" 'See docs/platforms.md for other systems.'
  case $(uname -m) in
    x86_64 | amd64) echo linux-x64 ;;
    aarch64 | arm64) echo linux-arm64 ;;
    *) fail "this machine is $(uname -m); the archives are for x86_64 and aarch64" ;;
  esac
}

# Compares dotted numbers: is $1 older than $2?
older() {
  awk -v a="$1" -v b="$2" 'BEGIN { n = split(a, x, "."); m = split(b, y, "."); for (i = 1; i <= n || i <= m; i++) if (x[i] + 0 != y[i] + 0) exit !(x[i] + 0 < y[i] + 0); exit 1 }'
}

check_glibc() {
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc=
  case $libc in
    'glibc '*) ;;
    *) fail 'this machine has no glibc (Alpine and other musl systems have not)' 'Use a machine or a container image with glibc, for example Debian 12 or RHEL 9.' ;;
  esac
  ! older "${libc#glibc }" "$OLDEST_GLIBC" ||
    fail "this machine has $libc; the agent needs glibc $OLDEST_GLIBC or newer" 'Use RHEL 8, Debian 10, Ubuntu 20.04 or newer.'
}

# ---- the archive

find_archive() { # sets $archive and $target
  target=$(target_of_machine)
  if [ -z "$archive" ]; then
    here=$(dirname -- "$0")
    found=0
    for each in "$here"/coferment-agent-*-"$target".tar.gz; do
      [ -f "$each" ] || continue
      archive=$each
      found=$((found + 1))
    done
    [ "$found" -gt 0 ] || fail "there is no coferment-agent-…-$target.tar.gz beside this script, and this machine needs $target" 'Copy it here, or name it with --archive.'
    [ "$found" -eq 1 ] || fail "there are $found archives for $target beside this script" 'Name the one you mean with --archive.'
  fi
  [ -f "$archive" ] || fail "there is no file $archive"
  case $(basename -- "$archive") in
    coferment-agent-*-"$target".tar.gz) ;;
    coferment-agent-*.tar.gz) fail "$(basename -- "$archive") is not for this machine, which needs $target" ;;
    *) fail "$archive is not named like an archive of the agent (coferment-agent-<version>-$target.tar.gz)" 'Give it its name back; the sums go by it.' ;;
  esac
  version=$(basename -- "$archive" "-$target.tar.gz")
  version=${version#coferment-agent-}
  case $version in
    '' | *[!0-9A-Za-z.+-]* | .*) fail "\"$version\" in the name of the archive is no version" ;;
  esac
}

check_signature() {
  sums=$(dirname -- "$archive")/SHA256SUMS
  [ -f "$sums" ] || fail "there is no SHA256SUMS beside $archive" 'Copy it from where the archive came from.'
  if [ -z "$key" ]; then
    say 'NOT CHECKED: who made this. Without --public-key only damage is found, not a forgery (docs/installing-the-agent.md).'
    return
  fi
  [ -f "$key" ] || fail "there is no public key $key"
  signature=$sums.sig
  if [ ! -f "$signature" ] && [ -f "$sums.UNOFFICIAL.sig" ]; then
    signature=$sums.UNOFFICIAL.sig
    say 'UNOFFICIAL: this was signed with a key made for one build. Nobody stands behind it; do not use it in a plant.'
  fi
  [ -f "$signature" ] || fail "there is no signature $signature" 'Copy SHA256SUMS.sig from where the archive came from.'
  case $(openssl version 2>/dev/null) in
    'OpenSSL '[3-9]*) ;;
    '') fail 'openssl is not installed, so the signature cannot be checked here' 'Check it on another machine (docs/installing-the-agent.md), then go on without --public-key.' ;;
    *) fail "$(openssl version) cannot check an Ed25519 signature; OpenSSL 3 can" 'Check it on another machine (docs/installing-the-agent.md), then go on without --public-key.' ;;
  esac
  openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$sums" -sigfile "$signature" >/dev/null 2>&1 ||
    fail "the signature of $sums does not fit the key $key" 'Do not install this. Fetch the files again, and compare the fingerprint of the key by telephone.'
  say "The signature fits $key."
}

# The archive that is unpacked, this script, and whatever else of the list is there.
check_sums() {
  name=$(basename -- "$archive")
  expected=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$sums")
  [ -n "$expected" ] || fail "SHA256SUMS does not name $name" 'The files are of different releases; fetch all of them again.'
  found=$(sha256sum "$archive") && found=${found%% *}
  [ "$found" = "$expected" ] ||
    fail "$name is not what SHA256SUMS says: it has $found, expected $expected" 'It is damaged or was changed. Fetch it again; do not install it.'
  say "$name is what SHA256SUMS says."
}

# ---- versions

# What a link points at, by its last name: "0.2.0"
version_behind() { [ -L "$1" ] && basename -- "$(readlink -- "$1")" || :; }

# rename(2) replaces the old link in one step: at no instant is there no agent.
point() { # point LINK TARGET
  ln -s "$2" "$1.new.$$"
  mv -T -f "$1.new.$$" "$1" 2>/dev/null || { rm -f "$1.new.$$" && fail "$1 could not be switched to $2"; }
}

# Starts the program before anybody relies on it: a wrong processor, a missing library or a cut-off file shows here.
check_program() { # check_program FOLDER VERSION
  said=$("$1/bin/coferment-agent" --version 2>&1) || fail "the agent of version $2 does not start on this machine: $said" 'Nothing was switched.'
  [ "$said" = "$2" ] || fail "the agent in $1 says it is version \"$said\", not $2" 'Nothing was switched.'
}

link_programs() {
  mkdir -p "$prefix/bin"
  for program in $PROGRAMS; do point "$prefix/bin/$program" "../current/bin/$program"; done
}

unpack() { # into versions/<version>, unless the same is there
  mkdir -p "$versions" || fail "$prefix cannot be written" 'Run it with sudo, or choose a folder of your own with --prefix.'
  incoming=$versions/.incoming.$$
  trap 'rm -rf "$incoming"' EXIT
  trap 'exit 1' HUP INT TERM
  mkdir "$incoming"
  tar -xzf "$archive" -C "$incoming" --no-same-owner || fail "$archive could not be unpacked" "Is there space on the disk? It needs about 150 MB in $prefix."
  folder=$incoming/coferment-agent-$version-$target
  [ -d "$folder" ] || fail "$archive does not hold coferment-agent-$version-$target"
  (cd "$folder" && sha256sum -c CONTENTS.sha256 >/dev/null 2>&1) || fail "what was unpacked from $archive is not what it should hold"
  check_program "$folder" "$version"
  if [ -e "$versions/$version" ]; then
    cmp -s "$folder/CONTENTS.sha256" "$versions/$version/CONTENTS.sha256" ||
      fail "version $version is installed already, with other content" "Two builds of one version: find out which is right, then remove $versions/$version yourself."
    (cd "$versions/$version" && sha256sum -c CONTENTS.sha256 >/dev/null 2>&1) ||
      fail "version $version is installed already, and files of it were changed" "Remove $versions/$version yourself, then install again."
  else
    mv -T "$folder" "$versions/$version"
  fi
}

install_archive() {
  find_archive
  check_glibc
  check_signature
  check_sums
  unpack
  before=$(version_behind "$prefix/current")
  if [ -n "$before" ] && [ "$before" != "$version" ]; then point "$prefix/previous" "versions/$before"; fi
  point "$prefix/current" "versions/$version"
  link_programs
  if [ "$before" = "$version" ]; then say "Version $version was installed already in $prefix."
  elif [ -n "$before" ]; then
    say "Upgraded from $before to $version in $prefix. A running agent goes on as $before until it is restarted: systemctl restart coferment-agent"
    say "Back again: sh $prefix/current/install.sh --rollback --prefix $prefix"
  else say "Installed version $version: $prefix/bin/coferment-agent"; fi
  for each in "$versions"/*; do
    case $(basename -- "$each") in
      "$version" | "$(version_behind "$prefix/previous")") ;;
      *) say "Older version, no longer needed: $each" ;;
    esac
  done
}

roll_back() {
  now=$(version_behind "$prefix/current")
  before=$(version_behind "$prefix/previous")
  [ -n "$now" ] || fail "no agent is installed in $prefix" 'Say where with --prefix.'
  [ -n "$before" ] || fail "there is no version before $now in $prefix"
  check_program "$versions/$before" "$before"
  point "$prefix/current" "versions/$before"
  point "$prefix/previous" "versions/$now"
  link_programs
  say "Back from $now to $before. Restart the agent: systemctl restart coferment-agent"
  say "If $now has brought the journal to a newer form, $before will refuse it and say so; then go forward again with --rollback."
}

uninstall() {
  [ -d "$versions" ] || fail "no agent is installed in $prefix" 'Say where with --prefix.'
  whole=$(readlink -f -- "$versions")
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe" 2>/dev/null) in
      "$whole"/*) fail "an agent is running from $prefix (process ${process#/proc/})" 'Stop it first: systemctl disable --now coferment-agent' ;;
    esac
  done
  for program in $PROGRAMS; do [ ! -L "$prefix/bin/$program" ] || rm -f "$prefix/bin/$program"; done
  rm -f "$prefix/current" "$prefix/previous"
  rm -rf "$versions"
  rmdir "$prefix/bin" "$prefix" 2>/dev/null || :
  say "Removed the agent from $prefix. Data folders, mappings and units are where they were; delete them yourself once you no longer have to prove anything."
}

case $action in
  install) install_archive ;;
  rollback) roll_back ;;
  uninstall) uninstall ;;
esac
