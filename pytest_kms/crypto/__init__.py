"""The cryptography of KMS: key specs, ciphertext blobs, algorithms. It knows nothing of requests."""
