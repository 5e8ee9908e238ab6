"""The README's examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wrong_code import MISTAKES

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_there_are_examples() -> None:
    """The manual shows by example."""
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_passes(number: int, pytester: pytest.Pytester) -> None:
    """A block of tests passes in a suite of its own."""
    pytester.makepyfile(BLOCKS[number])
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert 0 == result.ret
    assert result.parseoutcomes()["passed"] >= 1


def test_the_failure_that_is_shown_is_the_one_there_is(pytester: pytest.Pytester) -> None:
    """The text of a failed assertion stands in the README as it is."""
    pytester.makepyfile(
        """
        def test_it(kms):
            kms.create_key("orders")
            kms.client.generate_data_key(
                KeyId="alias/orders", KeySpec="AES_256", EncryptionContext={"order": "7"}
            )
            blob = kms.encrypt("alias/orders", b"secret", {"order": "8"})
            kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": "8"})
            kms.assert_used("alias/orders", "Decrypt", encryption_context={"order": "7"}, times=1)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    shown = re.search(r"^```\n(pytest-kms: expected .*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    told = [line.removeprefix("E").strip() for line in result.outlines if line.startswith("E  ")]

    assert [line.strip() for line in shown[1].splitlines()] == [line.removeprefix("AssertionError: ") for line in told]


def test_the_wrong_code_that_is_listed_is_the_one_that_is_tested() -> None:
    """The page has a row for each mistake, with what AWS says to it, in the order of the examples."""
    page = README.partition("## Wrong code that other fakes let pass")[2].partition("\n## ")[0]
    rows = [tuple(map(str.strip, line.strip("| ").split("|"))) for line in page.splitlines() if line.startswith("| ")]
    meets = {"LookupError": "the code meets what it would meet at AWS"}
    expected = [
        (mistake.what, meets.get(mistake.verdict, f"`{mistake.verdict}`"), f"`{name}`")
        for name, mistake in MISTAKES.items()
    ]

    assert expected == rows[1:]


def test_the_summary_that_is_shown_is_the_one_there_is(pytester: pytest.Pytester) -> None:
    """The suite that stands below it in the README has it."""
    shown = re.search(r"^```\n-+ (pytest-kms: summary) -+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    pytester.makeini("[pytest]\nkms_region = us-east-1\n")
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def frozen(kms):
            kms.clock.freeze()  # a second is long enough for all, on any machine
        """
    )
    pytester.makepyfile(re.findall(r"^```python\n(.*?)^```$", README[shown.end() :], re.MULTILINE | re.DOTALL)[0])
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--kms-summary")
    begin = next(place for place, line in enumerate(result.outlines) if line.strip("- ") == shown[1])
    told = shown[2].splitlines()

    assert told == result.outlines[begin + 1 :][: len(told)]
