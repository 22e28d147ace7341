"""Keys and certificates for the soak of signatures: python keys.py FOLDER."""

import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

folder = pathlib.Path(sys.argv[1])
now = datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)
years = datetime.timedelta(days=365)


def key(name, curve=ec.SECP256R1):
    made = ec.generate_private_key(curve())
    (folder / f"{name}.pem").write_bytes(
        made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / f"{name}.pub").write_bytes(
        made.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return made


def certificate(name, own, issuer, issuer_key, ca=False, path=None, usage=None, since=now, until=now + 10 * years):
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=usage == "digital",
                key_cert_sign=ca,
                crl_sign=ca,
                # One without any usage is no certificate to OpenSSL.
                content_commitment=usage != "digital" and not ca,
                **dict.fromkeys(
                    [
                        *["key_encipherment", "data_encipherment", "key_agreement"],
                        *["encipher_only", "decipher_only"],
                    ],
                    False,
                ),
            ),
            critical=True,
        )
    )
    if usage == "code":
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    made = builder.sign(issuer_key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made


key("p256")
key("p384", ec.SECP384R1)
key("p521", ec.SECP521R1)
key("other")
roots = key("root")
root = certificate("root", roots, None, roots, ca=True)
strange = key("strange")
certificate("strange", strange, None, strange, ca=True)
middles = key("middle")
middle = certificate("middle", middles, root, roots, ca=True, path=0)
seconds = key("second")
second = certificate("second", seconds, middle, middles, ca=True)
for name, usage, issuer, issuer_key, dates in [
    ("digital", "digital", middle, middles, {}),
    ("code", "code", middle, middles, {}),
    ("unfit", None, middle, middles, {}),
    ("deep", "digital", second, seconds, {}),
    ("early", "digital", middle, middles, {"since": now - 20 * years, "until": now + years}),
    ("direct", "digital", root, roots, {}),
]:
    certificate(name, key(name), issuer, issuer_key, usage=usage, **dates)
