#!/usr/bin/env bash
# The Debian package: built from this build, unpacked into an empty folder, run from there; its unit file as systemd reads it.
. "$(dirname "$0")/../support/target.sh"
command -v dpkg-shlibdeps >/dev/null || skip "needs dpkg-dev"
(cd "$bin/.." && cpack -G DEB -B "$work/deb" >"$work/cpack.log" 2>&1) || fail "no package: $(tail -3 "$work/cpack.log")"
deb=$(ls "$work"/deb/copymgr_*.deb)
dpkg-deb --field "$deb" Depends >"$work/depends"
for needed in libiscsi7 liburing2 libboost-program-options libfmt9 libsqlite3-0 libssl3 libisal2 adduser; do
  grep -q "$needed" "$work/depends" || fail "it does not depend on $needed: $(cat "$work/depends")"
done
dpkg-deb --extract "$deb" "$work/root"
for file in usr/bin/copymgrd usr/bin/copymgr usr/bin/copymgr-run usr/lib/systemd/system/copymgrd.service etc/default/copymgr \
  usr/share/doc/copymgr/copyright usr/share/doc/copymgr/README.md; do
  [ -s "$work/root/$file" ] || fail "it has no /$file"
done
for page in man1/copymgr.1 man8/copymgrd.8; do
  gzip -dc "$work/root/usr/share/man/$page.gz" >"$work/page" || fail "no manual page $page"
  command -v man >/dev/null || continue
  man --warnings -l "$work/page" >"$work/shown" 2>"$work/warnings" || fail "man cannot show $page"
  [ ! -s "$work/warnings" ] || fail "$page: $(head -3 "$work/warnings")"
done
grep -q 'lun create' "$work/root/usr/share/doc/copymgr/quickstart.md" || fail "the documents are not there"
gzip -dc "$work/root/usr/share/man/man1/copymgr.1.gz" | grep -q '^.SS copymgr lun create' || fail "copymgr(1) has no lun create"

# What a shell completes, with the file that is installed.
completed() { bash -c 'PATH=$1:$PATH; . "$2"; COMP_WORDS=(copymgr "${@:3}"); COMP_CWORD=$(($# - 2)); _copymgr; printf "%s\n" "${COMPREPLY[@]}"' \
  - "$work/root/usr/bin" "$work/root/usr/share/bash-completion/completions/copymgr" "$@"; }
[ "$(completed doc)" = doctor ] || fail "no verb is completed: $(completed doc)"
[ "$(completed token sh)" = show ] || fail "no verb of a family is completed: $(completed token sh)"
[ "$(completed doctor --req)" = --require ] || fail "no option is completed: $(completed doctor --req)"

dpkg-deb --control "$deb" "$work/control"
for script in postinst prerm postrm; do
  sh -n "$work/control/$script" || fail "$script is no shell script"
done
grep -qx /etc/default/copymgr "$work/control/conffiles" || fail "settings would be overwritten"

# shellcheck disable=SC2016  # for the command's own shell
timeout 60 "$work/root/usr/bin/copymgr-run" -- sh -c '"$0" copy "$COPYMGR_URL/0" "$COPYMGR_URL/1" --verify' "$work/root/usr/bin/copymgr" >"$work/out" ||
  fail "it does not run: $(cat "$work/out")"

unit=$work/root/usr/lib/systemd/system/copymgrd.service
# Without it hot parts of files are never read by a mapping (docs/adr/0012), and nothing else tells.
grep -q '^SystemCallFilter=.*\bmincore\b' "$unit" || fail "the unit does not allow mincore"
if command -v systemd-analyze >/dev/null; then
  sed -i "s|/usr/bin/copymgrd|$work/root/usr/bin/copymgrd|" "$unit"
  MANPATH=$work/root/usr/share/man systemd-analyze verify "$unit" >"$work/verify" 2>&1 || fail "the unit: $(cat "$work/verify")"
  grep -q copymgrd.service "$work/verify" && fail "the unit: $(cat "$work/verify")"
fi
exit 0
