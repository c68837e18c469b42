"""The passphrase provider must open what the official CLI sealed, and must not weaken it."""

import pytest

from engine import secrets
from engine.secrets import CiphertextError, PassphraseError, Vault

# Sealed by another implementation (Go's crypto/pbkdf2 and crypto/cipher) with the constants of
# sdk/go/common/resource/config/crypt.go: salt 0..7, nonces of 01s and 02s.
PASSPHRASE = "correct horse"
SALT = "v1:AAECAwQFBgc=:v1:AQEBAQEBAQEBAQEB:d3icdyk6y9tIhCGOqRzrwPk8xMnlBA=="
CIPHERTEXT = "v1:AgICAgICAgICAgIC:VMkt9PzD0ZdR8X3RW8dIAW/c12OJoISRrWwNqu9gjOU="
PLAINTEXT = '"pässwörd ✓"'


def test_opens_what_another_implementation_sealed() -> None:
    assert Vault.open(PASSPHRASE, SALT, where="dev.json").decrypt(CIPHERTEXT) == PLAINTEXT


def test_a_new_salt_opens_with_its_passphrase_only() -> None:
    made = Vault.create("")  # the empty passphrase is a legal one
    again = Vault.open("", made.salt, where="dev.json")
    assert again.decrypt(made.encrypt("text")) == "text"
    with pytest.raises(PassphraseError, match=r"incorrect passphrase for /x/dev\.json: .*PULUMI_CONFIG_PASSPHRASE"):
        Vault.open("other", made.salt, where="/x/dev.json")


def test_salts_and_nonces_are_never_used_twice() -> None:
    first, second = Vault.create(PASSPHRASE), Vault.create(PASSPHRASE)
    assert first.salt != second.salt
    sealed = {first.encrypt("text") for _ in range(50)}
    assert len({text.split(":")[1] for text in sealed}) == 50


def test_an_unchanged_value_keeps_its_ciphertext_and_a_changed_one_does_not() -> None:
    vault = Vault.open(PASSPHRASE, SALT, where="dev.json")
    assert vault.decrypt(CIPHERTEXT, slot="a") == PLAINTEXT
    assert vault.encrypt(PLAINTEXT, slot="a") == CIPHERTEXT
    changed = vault.encrypt("other", slot="a")
    assert changed != CIPHERTEXT
    assert vault.encrypt("other", slot="a") == changed
    assert vault.decrypt(changed) == "other"


def test_equal_values_in_two_places_do_not_look_equal() -> None:
    vault = Vault.open(PASSPHRASE, SALT, where="dev.json")
    assert vault.encrypt("same", slot="a") != vault.encrypt("same", slot="b")


@pytest.mark.parametrize(
    "damaged",
    ["", "v1", "v2:" + CIPHERTEXT[3:], CIPHERTEXT[:-4], CIPHERTEXT.replace("VMkt", "VMku"), "v1:AgIC:AAAA", "v1:!:?"],
)
def test_a_damaged_value_is_named_and_never_shown_as_something_else(damaged: str) -> None:
    vault = Vault.open(PASSPHRASE, SALT, where="dev.json")
    with pytest.raises(CiphertextError, match="urn:x/inputs/password"):
        vault.decrypt(damaged, slot="urn:x/inputs/password")


@pytest.mark.parametrize("salt", ["", "v1:AAEC", "v2:AAECAwQFBgc=:v1:a:b", "v1:***:v1:a:b"])
def test_a_damaged_salt_is_no_wrong_passphrase(salt: str) -> None:
    with pytest.raises(CiphertextError, match=r"dev\.json: the encryption salt is damaged"):
        Vault.open(PASSPHRASE, salt, where="dev.json")


def test_the_key_is_derived_once_per_process() -> None:
    secrets._derive.cache_clear()
    for _ in range(3):
        Vault.open(PASSPHRASE, SALT, where="dev.json")
    assert secrets._derive.cache_info().misses == 1, "each derivation costs a third of a second"
