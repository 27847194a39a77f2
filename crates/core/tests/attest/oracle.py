"""What other implementations of signing say: `oracle.py COMMAND ARGUMENTS…`; status 1 when something does not verify."""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

import nacl.secret
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError as Unverified
from securesystemslib.signer import CryptoSigner, SSlibKey
from sigstore import dsse
from sigstore.errors import VerificationError
from sigstore_models.bundle.v1 import Bundle


def verify_securesystemslib(envelope, public):
    """Verifies an envelope as in-toto's and TUF's libraries do."""
    key = SSlibKey.from_crypto(load_pem_public_key(Path(public).read_bytes()))
    # As in the envelopes; this library insists on equal ids, which the specification does not.
    key.keyid = ""
    Envelope.from_dict(json.loads(Path(envelope).read_bytes())).verify([key], 1)


def sign_securesystemslib(payload, payload_type, private, out):
    """Signs an envelope as in-toto's and TUF's libraries do."""
    signer = CryptoSigner(load_pem_private_key(Path(private).read_bytes(), None))
    envelope = Envelope(Path(payload).read_bytes(), payload_type, {})
    envelope.sign(signer)
    Path(out).write_text(json.dumps(envelope.to_dict()))


def verify_sigstore(bundle, public, digest):
    """Verifies the envelope of a bundle as Sigstore's client does, and that its statement is about a digest."""
    bundle = Bundle.from_json(Path(bundle).read_bytes())
    key = load_pem_public_key(Path(public).read_bytes())
    payload = dsse._verify(key, dsse.Envelope(bundle.dsse_envelope))
    subjects = dsse.Statement(payload)._inner.subjects
    if [subject.digest.root for subject in subjects] != [{"sha256": digest}]:
        raise VerificationError("another subject")


def seal(private, password, out):
    """Encrypts a private key as cosign does, at cosign's cost."""
    der = base64.b64decode("".join(Path(private).read_text().splitlines()[1:-1]))
    salt, nonce = os.urandom(32), os.urandom(24)
    key = hashlib.scrypt(password.encode(), salt=salt, n=65536, r=8, p=1, maxmem=1 << 27, dklen=32)
    sealed = nacl.secret.SecretBox(key).encrypt(der, nonce).ciphertext
    text = lambda data: base64.b64encode(data).decode()
    document = {
        "kdf": {"name": "scrypt", "params": {"N": 65536, "r": 8, "p": 1}, "salt": text(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": text(nonce)},
        "ciphertext": text(sealed),
    }
    label = "ENCRYPTED SIGSTORE PRIVATE KEY"
    body = text(json.dumps(document).encode())
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    Path(out).write_text("\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]))


try:
    globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
except (Unverified, VerificationError) as error:
    sys.exit(f"refused: {error}")
