"""A program that logs: python3 app.py [URL]"""
import logging
import sys

from varve_logging import VarveHandler

handler = VarveHandler(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3100", {"app": "shop"})
handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
logging.basicConfig(level=logging.INFO, handlers=[handler, logging.StreamHandler()])
log = logging.getLogger("shop.checkout")


def charge(user, card, token):
    log.info("charging %s, card=%s", user, card)
    raise ConnectionError(f"payment gateway refused token={token}")


log.info("login of user=alice password=correct-horse-battery")
log.info("request to https://bob:s3cr3t-of-bob@example.org/stock")
log.info('headers {"Authorization": "Bearer eyJhbGciOi.eyJzdWIi.c2ln", "Accept": "*/*"}')
log.warning("stock of item 17 is low")
try:
    charge("alice", "4111 1111 1111 1111", "tok_live_51Hx9")
except ConnectionError:
    log.exception("order 4711 failed")
