"""Secrets that stand in tutorials, debuggers and word lists, and so protect nothing.

Lower case, without surrounding blanks. Long ones count too: length does not help a secret that is printed.
"""

from __future__ import annotations

WEAK_SECRETS: frozenset[bytes] = frozenset(
    b"""
    00000000000000000000000000000000 00112233445566778899aabbccddeeff 0123456789 0123456789abcdef
    0123456789abcdef0123456789abcdef 1234 12345 123456 1234567 12345678 123456789 1234567890
    12345678901234567890123456789012 a-string-secret-at-least-256-bits-long
    a-valid-string-secret-that-is-at-least-384-bits-long
    a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long abc abc123 abcd1234
    abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz012345 abcdefghijklmnopqrstuvwxyz123456
    access-token-secret admin admin123 api-key apikey apisecret app-secret auth authentication change-me
    change-me-please change-this-secret change_me changeit changeme default demo dev development example
    example-key foobar hello helloworld hmac hmac-secret hmackey hs256 hs256-secret insecure jsonwebtoken
    jwt jwt-key jwt-secret jwt-secret-key jwt-token-secret jwt_key jwt_secret jwt_secret_key
    jwt_token_secret jwtkey jwtsecret key keyboardcat letmein my-jwt-secret my-secret my-secret-key
    my-super-secret my-super-secret-key my_jwt_secret my_secret my_secret_key mykey mysecret mysecretkey
    mysupersecret mysupersecretkey mytoken none notasecret null p@ssw0rd pass passw0rd password password1
    password123 private private-key privatekey qwerty qwertyuiopasdfghjklzxcvbnm123456 root s3cr3t s3cret
    sample secret secret-jwt-key secret-key secret-token secret1 secret12 secret123 secret1234 secret_key
    secretkey secretsecret secretsecretsecretsecretsecretsecret shared shared-secret sharedsecret shhhh
    shhhhh shhhhhared-secret signing-key signingkey super-secret super-secret-key super_secret
    super_secret_key supersecret supersecretkey test test-key test-secret test123 test_secret testing
    testkey testsecret this-is-a-secret this-is-a-secret-key thisisasecret thisisasecretkey token
    token-secret token_secret tokensecret toor undefined very-secret verysecret verysecretkey
    your-256-bit-secret your-384-bit-secret your-512-bit-secret your-jwt-secret your-secret
    your-secret-key your_jwt_secret your_secret your_secret_key yoursecret
    """.split()
)
