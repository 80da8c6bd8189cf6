#!/bin/sh
# Tells the probe how a renewal went: renewed.sh success|failure DOMAIN...
# As a hook of certbot: --deploy-hook 'renewed.sh success $RENEWED_DOMAINS'; after a failure, from what runs certbot:
#   certbot renew -q || renewed.sh failure example.com
set -eu

result=$1
shift
for domain in "$@"; do
  "${VARVE:-varve}" probe tls --config "${CONFIG:-/etc/varve/certificates.json}" \
    --state "${STATE:-/var/lib/varve-probe/tls.json}" --addr "${ADDR:-http://127.0.0.1:3100}" --renewal "$domain=$result"
done
