#!/bin/sh
# Sends sshd's lines to Varve as they are written, each once: follow.sh FILE...
# ADDR and STATE say where to, and where it is remembered how far that has come.
set -eu

address='[0-9a-fA-F.:]*[0-9a-fA-F]'
exec "${VARVE:-varve}" push --follow --state "${STATE:-/var/lib/varve-push/ssh.json}" \
  --addr "${ADDR:-http://127.0.0.1:3100}" --label job=sshd \
  --timestamp-format syslog --time-zone "${LOG_TIME_ZONE:-Asia/Seoul}" \
  --fields "(?:Failed|Accepted) \\S+ for (?:invalid user )?(?P<user>\\S*) from (?P<ip>$address) port (?P<port>\\d+)" \
  --fields "[Ii]nvalid user (?P<user>\\S*) from (?P<ip>$address)(?: port (?P<port>\\d+))?" \
  --fields "rhost=(?P<ip>$address)(?:\\s+user=(?P<user>\\S+))?" \
  --fields "(?:from|by) (?P<ip>\\d$address)(?: port (?P<port>\\d+))?" \
  --fields "\\[(?P<ip>\\d+\\.\\d+\\.\\d+\\.\\d+)\\]" \
  --level 'error=Failed password|error:|fatal:|POSSIBLE BREAK-IN ATTEMPT' \
  --level 'warn=[Ii]nvalid user|authentication failure' \
  --level 'info=.' \
  "$@"
