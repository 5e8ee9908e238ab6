"""The records that AWS CloudTrail would write of what a fake was asked, and of what KMS did by itself."""
