"""The certificate that whoever owns an AWS CloudHSM cluster vouches for it with: `customerCA.crt`."""

from __future__ import annotations

from cryptography import x509

OF_TESTS = """\
-----BEGIN CERTIFICATE-----
MIIBwDCCAWegAwIBAgIUV0NzByP8ZobOksagLkvusvlSz3IwCgYIKoZIzj0EAwIw
NTETMBEGA1UECgwKcHl0ZXN0LWttczEeMBwGA1UEAwwVY3VzdG9tZXIgQ0Egb2Yg
YSB0ZXN0MCAXDTI2MTEyNTA3MzQxM1oYDzIxMjYxMTAxMDczNDEzWjA1MRMwEQYD
VQQKDApweXRlc3Qta21zMR4wHAYDVQQDDBVjdXN0b21lciBDQSBvZiBhIHRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARc/LhtM8Xu5pFKHrtEjz9REWEQXEJ8
GXt/RjpvkrH/tuXtsrnrxCqTRVIIbRjic2sm1wdKZlGRAO0oFL+Ep9nOo1MwUTAd
BgNVHQ4EFgQUHKVbzUMmd4NSxgE3hCdAs8lT/RgwHwYDVR0jBBgwFoAUHKVbzUMm
d4NSxgE3hCdAs8lT/RgwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBE
AiAf9pgMVB9A5CjTZkjzRi9cxGi+lcYiT4mSA+ubH8WuzgIgdEZBcGsGcbjX5mmj
+DxfXLfubmjV7QR2YLouGeROGoE=
-----END CERTIFICATE-----
"""
"""The one of the clusters that tests arrange. Nobody has its private key."""


def is_certificate(text: str) -> bool:
    """Say whether a text is an X.509 certificate in PEM."""
    try:
        x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        return False
    return True
