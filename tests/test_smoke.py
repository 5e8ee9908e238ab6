def test_smoke(kms):
    key = kms.create_key("orders")
    kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x")
    kms.assert_used(key, "Encrypt")
