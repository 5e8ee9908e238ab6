"""What KMS does: its operations in chapters. Importing this package enters them all in `OPERATIONS`."""

from pytest_kms.operations import aliases, data_keys, encryption, key_agreement, keys, macs, signing

__all__ = ["aliases", "data_keys", "encryption", "key_agreement", "keys", "macs", "signing"]
