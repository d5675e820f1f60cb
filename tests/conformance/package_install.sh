#!/usr/bin/env bash
# The Debian package on a clean system: installed into a fresh root by apt, used, removed, purged. Needs root and a mirror of
# Debian; CONTRIBUTING.md tells when. COPYMGR_DEB=FILE: that package, else one is built from this build.
. "$(dirname "$0")/../support/target.sh"
command -v debootstrap >/dev/null || skip "needs debootstrap"
[ "$(id -u)" -eq 0 ] || skip "needs root"
root=$work/root
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf "$work"' EXIT
step() { printf '[%3ds] %s\n' $SECONDS "$*"; }
inside() { DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" "$@"; }

deb=${COPYMGR_DEB:-}
if [ -z "$deb" ]; then
  step "package"
  (cd "$bin/.." && cpack -G DEB -B "$work/deb" >"$work/cpack.log" 2>&1) || fail "no package: $(tail -3 "$work/cpack.log")"
  deb=$(ls "$work"/deb/copymgr_*.deb)
fi
mirror=$(awk '(/^URIs:/ || /^deb /) && !first { first = $2 } END { print first }' \
  /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
step "a fresh Debian 12 from ${mirror:=http://deb.debian.org/debian}"
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 || skip "no fresh root: $(tail -1 "$work/debootstrap.log")"
mount -t proc proc "$root/proc"
for proxy in /etc/apt/apt.conf.d/*proxy*; do [ -f "$proxy" ] && cp "$proxy" "$root/etc/apt/apt.conf.d/"; done
# Nothing is to be started in there.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
# Also what a minimal image leaves out of every package: manual pages.
rm -f "$root"/etc/dpkg/dpkg.cfg.d/*docker*
# What a file tree has besides caches and logs.
tree() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./run -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./tmp \) \
  -prune -o -print | sort); }
cp "$deb" "$root/tmp/copymgr.deb"
inside apt-get update -qq >"$work/apt.log" 2>&1 || fail "apt-get update: $(tail -3 "$work/apt.log")"
# What it depends on stays when it goes: only its own files are looked at below.
needed=$(dpkg-deb --field "$deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/,/ /g')
# shellcheck disable=SC2086  # words
inside apt-get install -y -qq --no-install-recommends $needed systemd man-db >"$work/apt.log" 2>&1 || fail "dependencies: $(tail -3 "$work/apt.log")"
tree >"$work/before"

step "install"
inside apt-get install -y -qq --no-install-recommends /tmp/copymgr.deb >"$work/apt.log" 2>&1 || fail "not installed: $(tail -5 "$work/apt.log")"
inside dpkg --verify copymgr || fail "files are not as they were packed"
inside copymgrd --version | grep -q '^copymgrd [0-9]' || fail "no version"
inside copymgr --help >/dev/null || fail "copymgr does not run"
inside getent passwd copymgr | grep -q ':/var/lib/copymgr:' || fail "no user copymgr"
case "$(inside getent passwd copymgr)" in *:/usr/sbin/nologin | *:/bin/false) ;; *) fail "the user copymgr may log in" ;; esac
inside systemd-analyze verify /lib/systemd/system/copymgrd.service >"$work/verify" 2>&1 || fail "the unit: $(cat "$work/verify")"
[ ! -s "$work/verify" ] || fail "the unit: $(cat "$work/verify")"
for page in copymgr copymgrd; do
  inside man -P cat $page >"$work/man" 2>/dev/null || fail "no man $page"
  grep -q '^NAME' "$work/man" || fail "man $page is empty"
done
step "used as its user"
# As the unit starts it: systemd makes the state directory.
inside install -d -o copymgr -g copymgr -m 750 /var/lib/copymgr
# shellcheck disable=SC2016  # for the shell in there
inside setpriv --reuid copymgr --regid copymgr --clear-groups bash -ec '
  copymgrd --state-dir /var/lib/copymgr --portal 127.0.0.1:0 --target iqn.2026-11.io.copymgr:installed \
    --lun 0=file:/var/lib/copymgr/a.img,size=8M --ready-file /tmp/ready 2>/tmp/log & daemon=$!
  for _ in $(seq 100); do [ -s /tmp/ready ] && break; sleep 0.05; done
  export COPYMGR_SOCKET=/var/lib/copymgr/admin.socket
  copymgr lun create file:/var/lib/copymgr/b.img --size 8M
  url=iscsi://$(head -1 /tmp/ready)/iqn.2026-11.io.copymgr:installed
  copymgr copy "$url/0" "$url/1" --verify
  kill $daemon
  wait $daemon' >"$work/out" 2>&1 || fail "not of use: $(tail -5 "$work/out") $(tail -3 "$root/tmp/log")"

step "remove: settings and state stay"
echo '# mine' >>"$root/etc/default/copymgr"
inside apt-get remove -y -qq copymgr >"$work/apt.log" 2>&1 || fail "not removed: $(tail -5 "$work/apt.log")"
[ ! -e "$root/usr/bin/copymgrd" ] && [ -e "$root/etc/default/copymgr" ] && [ -e "$root/var/lib/copymgr/array.toml" ] ||
  fail "remove takes too much or too little"
step "install again, purge"
inside apt-get install -y -qq --no-install-recommends /tmp/copymgr.deb >"$work/apt.log" 2>&1 || fail "not installed again: $(tail -5 "$work/apt.log")"
grep -qx '# mine' "$root/etc/default/copymgr" || fail "settings were overwritten"
inside apt-get purge -y -qq copymgr >"$work/apt.log" 2>&1 || fail "not purged: $(tail -5 "$work/apt.log")"
grep -i 'error\|warning' "$work/apt.log" | grep -v 'not empty so not removed' && fail "purge complains"
# The files of LUNs are what users have: they stay, and so does their directory. Nothing else does.
tree >"$work/after"
diff "$work/before" "$work/after" >"$work/left" || true
printf '> ./var/lib/copymgr\n> ./var/lib/copymgr/a.img\n> ./var/lib/copymgr/b.img\n' >"$work/wanted"
grep '^[<>]' "$work/left" | grep -v -e '/etc/.*-$' -e '/systemd/deb-systemd' >"$work/left.lines" || true
diff "$work/wanted" "$work/left.lines" || fail "purge leaves, or takes, something else"
inside getent passwd copymgr >/dev/null && fail "the user is still there"
step "done"
exit 0
