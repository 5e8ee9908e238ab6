"""`fake_kms`, the fake without the fixture: as a context manager and as a decorator."""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import unittest
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import botocore.endpoint
import botocore.handlers
import hypothesis
import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from hypothesis import strategies

from pytest_kms import FakeKMS, NotSupported, UsageError, fake_kms

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


@pytest.fixture(autouse=True)
def no_aws_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Take away what the developer has configured."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let no request leave the process: answer those that would, and return where they were to go."""
    left: list[str] = []

    def send(_: URLLib3Session, request: Any) -> Any:
        left.append(request.url)
        response: Any = AWSResponse(request.url, 200, {}, io.BytesIO())  # type: ignore[arg-type]
        response._content = b'{"Keys": [], "Truncated": false}'  # noqa: SLF001
        return response

    monkeypatch.setattr(URLLib3Session, "send", send)
    return left


@pytest.fixture
def client() -> KMSClient:
    """Return a client of the application's own."""
    return boto3.Session().client(
        "kms", region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example"
    )


@pytest.fixture
def as_before(client: KMSClient, network: list[str]) -> Iterator[None]:
    """See that the test leaves the process as it was: its environment, botocore, and that no fake is active."""
    environment = _environment()
    handlers = list(botocore.handlers.BUILTIN_HANDLERS)
    time = vars(botocore.endpoint)["time"]
    yield
    assert environment == _environment()
    assert handlers == botocore.handlers.BUILTIN_HANDLERS
    assert time is vars(botocore.endpoint)["time"]
    client.list_keys()
    assert ["https://kms.us-east-1.amazonaws.com/"] == network


def _environment() -> dict[str, str]:
    # pytest writes the phase of a test there.
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def _ids(client: KMSClient) -> list[str]:
    return [key["KeyId"] for key in client.list_keys()["Keys"]]


def _run(case: type[unittest.TestCase]) -> unittest.TestResult:
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    return unittest.TextTestRunner(stream=io.StringIO()).run(suite)


# a context manager


@pytest.mark.usefixtures("as_before")
def test_a_with_block_has_a_fake(client: KMSClient, network: list[str]) -> None:
    """Inside the block the fake answers, and no request leaves the process."""
    with fake_kms() as kms:
        assert isinstance(kms, FakeKMS)
        key = kms.create_key("orders")
        client.encrypt(KeyId="alias/orders", Plaintext=b"7")
        kms.assert_used(key, "Encrypt", times=1)

    assert [] == network


def test_each_block_has_a_new_fake(client: KMSClient) -> None:
    """Nothing leaks from one block to the next, not even of one object."""
    lifespan = fake_kms()
    with lifespan as first:
        first.create_key("orders")
        assert 1 == len(_ids(client))
    with lifespan as second:
        assert [] == _ids(client)

    assert first is not second


@pytest.mark.usefixtures("as_before")
def test_the_inner_of_two_fakes_answers(client: KMSClient) -> None:
    """A fake inside another stands in for it, and after it the outer one answers again."""
    with fake_kms() as outer:
        outside = outer.create_key("orders")
        with fake_kms() as inner:
            inside = inner.create_key("orders")
            assert [inside.id] == _ids(client)
        assert [outside.id] == _ids(client)
        assert 1 == len(inner.trail)
        assert 1 == len(outer.trail)


@pytest.mark.usefixtures("as_before")
def test_one_object_may_be_entered_while_it_is_active(client: KMSClient) -> None:
    """It is reentrant: each `with` has a fake of its own."""
    lifespan = fake_kms()
    with lifespan as outer:
        outside = outer.create_key("orders")
        with lifespan as inner:
            assert inner is not outer
            assert [] == _ids(client)
        assert [outside.id] == _ids(client)


@pytest.mark.usefixtures("as_before")
def test_an_exception_inside_leaves_the_process_as_before(client: KMSClient) -> None:
    """Whatever happens in the block goes through, and the fake is gone."""
    with pytest.raises(KeyboardInterrupt), fake_kms() as kms:
        kms.throttle("ListKeys")
        client.list_keys()
        raise KeyboardInterrupt


@pytest.mark.usefixtures("as_before", "without_generate_mac")
def test_a_refusal_inside_leaves_the_process_as_before(client: KMSClient) -> None:
    """A part of KMS that is not supported ends the block, and the fake is gone."""
    with pytest.raises(NotSupported), fake_kms() as kms:
        kms.create_key("orders")
        client.generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")


def test_the_fake_is_as_the_arguments_say(client: KMSClient) -> None:
    """Region, account, quotas and seed are those of FakeKMS."""
    with fake_kms(region="eu-west-1", account="111122223333", quotas={"ListKeys": 7}, seed=1) as kms:
        first = kms.create_key("orders")
        assert 7 == kms.quotas["ListKeys"]
    with fake_kms(region="eu-west-1", account="111122223333", quotas=False, seed=1) as kms:
        second = kms.create_key("orders")

    assert f"arn:aws:kms:eu-west-1:111122223333:key/{first.id}" == first.arn
    assert first.arn == second.arn


def test_quotas_off_lets_any_number_of_calls_through(client: KMSClient) -> None:
    """`quotas=False` enforces none."""
    with fake_kms(quotas=False) as kms:
        kms.clock.freeze()
        for _ in range(6):
            client.create_key()

        assert [1] * 6 == [len(event.attempts) for event in kms.trail]


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"account": "12"}, "pytest-kms: an account has 12 digits, '12' has not", id="account"),
        pytest.param(
            {"quotas": {"ListKeys": -1}},
            "pytest-kms: a quota is a number of calls per second or of resources, not -1",
            id="quota",
        ),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    """An argument that AWS could not have is a UsageError, and no fake becomes active."""
    with pytest.raises(UsageError) as excinfo, fake_kms(**arguments):
        pass  # pragma: no cover  # the block is never entered

    assert message == str(excinfo.value)


# a decorator of functions


@pytest.mark.usefixtures("as_before")
def test_a_decorated_function_is_given_its_fake(client: KMSClient) -> None:
    """It gets the fake as `kms`, and its own arguments and result go through."""

    @fake_kms(region="eu-west-1")
    def vault(first: str, kms: FakeKMS, *, second: str) -> tuple[str, str, str]:
        """Keep a secret."""
        return first, kms.create_key("orders").region, second

    assert ("a", "eu-west-1", "b") == vault("a", second="b")
    assert "vault" == vault.__name__
    assert "Keep a secret." == vault.__doc__


def test_the_fake_may_stand_before_other_arguments() -> None:
    """The others are given by place or by name, as if `kms` were not there."""

    @fake_kms()
    def vault(kms: FakeKMS, first: str, second: str = "b") -> tuple[str, str]:
        assert isinstance(kms, FakeKMS)
        return first, second

    assert ("a", "b") == vault("a")
    assert ("a", "c") == vault("a", "c")
    assert ("a", "c") == vault(first="a", second="c")


@pytest.mark.usefixtures("as_before")
def test_a_decorated_function_need_not_ask_for_its_fake(client: KMSClient, network: list[str]) -> None:
    """Without a parameter `kms` it is called as it is, with a fake active."""

    @fake_kms()
    def ids() -> list[str]:
        return _ids(client)

    assert [] == ids()
    assert [] == network


def test_a_decorated_function_shows_the_arguments_that_are_left() -> None:
    """pytest and Hypothesis look at the signature: `kms` is not theirs to give."""

    @fake_kms()
    def vault(first: str, kms: FakeKMS, *, second: int = 2) -> None: ...

    assert ["first", "second"] == list(inspect.signature(vault).parameters)


def test_each_call_of_a_decorated_function_has_a_new_fake() -> None:
    """Nothing leaks from one call to the next, nor to a call within a call."""
    seen: list[FakeKMS] = []

    @fake_kms()
    def vault(depth: int, kms: FakeKMS) -> int:
        seen.append(kms)
        kms.create_key("orders")
        if depth:
            vault(depth - 1)
        return len(kms.client.list_keys()["Keys"])

    assert 1 == vault(1)
    assert 1 == vault(0)
    assert 3 == len({id(kms) for kms in seen})


@pytest.mark.usefixtures("as_before")
def test_an_exception_of_a_decorated_function_goes_through() -> None:
    """The fake is gone all the same."""

    @fake_kms()
    def vault() -> None:
        raise KeyError("seven")

    with pytest.raises(KeyError, match="seven"):
        vault()


@fake_kms(seed=7)
def test_pytest_runs_a_decorated_test(network: list[str], kms: FakeKMS) -> None:
    """Fixtures are still pytest's to give, `kms` is the decorator's."""
    kms.create_key("orders")

    assert 1 == len(kms.client.list_keys()["Keys"])
    assert [] == network


@hypothesis.given(strategies.binary(min_size=1, max_size=64))
@hypothesis.settings(max_examples=5, database=None)
@fake_kms()
def test_hypothesis_runs_a_decorated_test(kms: FakeKMS, secret: bytes) -> None:
    """Each example has a fake of its own."""
    kms.create_key("orders")
    sealed = kms.client.encrypt(KeyId="alias/orders", Plaintext=secret)["CiphertextBlob"]

    assert secret == kms.client.decrypt(CiphertextBlob=sealed)["Plaintext"]
    assert 2 == len(kms.trail)


@pytest.mark.usefixtures("as_before")
def test_a_decorated_method_is_given_its_fake() -> None:
    """A single method of a class may be decorated too."""

    class Case(unittest.TestCase):
        @fake_kms()
        def test_vault(self, kms: FakeKMS) -> None:
            kms.create_key("orders")
            self.assertEqual(1, len(kms.client.list_keys()["Keys"]))  # noqa: PT009  # as unittest is written

    assert _run(Case).wasSuccessful()


@pytest.mark.usefixtures("as_before")
def test_a_decorated_coroutine_is_given_its_fake(client: KMSClient) -> None:
    """The fake is active while the coroutine runs, not only while it is made."""

    @fake_kms()
    async def vault(name: str, kms: FakeKMS) -> list[str]:
        await asyncio.sleep(0)
        key = kms.create_key(name)
        await asyncio.sleep(0)
        return [key.id, *_ids(client)]

    assert inspect.iscoroutinefunction(vault)
    made, listed = asyncio.run(vault("orders"))
    assert made == listed


@pytest.mark.usefixtures("as_before")
def test_a_decorated_coroutine_need_not_ask_for_its_fake(client: KMSClient, network: list[str]) -> None:
    """Without a parameter `kms` it is awaited as it is, with a fake active."""

    @fake_kms()
    async def ids() -> list[str]:
        await asyncio.sleep(0)
        return _ids(client)

    assert [] == asyncio.run(ids())
    assert [] == network


@pytest.mark.parametrize("kind", ["generator", "asynchronous generator"])
def test_a_generator_function_is_refused(kind: str) -> None:
    """Its fake would be gone before its first line runs, so the decorator says so at once."""

    def generator(kms: FakeKMS) -> Any:
        yield kms  # pragma: no cover  # never run

    async def asynchronous(kms: FakeKMS) -> Any:
        yield kms  # pragma: no cover  # never run

    with pytest.raises(UsageError, match="^pytest-kms: .*generator"):
        fake_kms()(generator if kind == "generator" else asynchronous)


# a decorator of classes


@pytest.mark.usefixtures("as_before")
def test_a_decorated_test_case_has_one_fake() -> None:
    """It is there from setUpClass on, as `self.kms`, and gone after the class."""
    seen: list[FakeKMS] = []

    @fake_kms(region="eu-west-1")
    class Case(unittest.TestCase):
        kms: FakeKMS

        @classmethod
        def setUpClass(cls) -> None:
            seen.append(cls.kms)
            cls.kms.create_key("orders")

        def test_one(self) -> None:
            seen.append(self.kms)
            boto3.client("kms", "eu-west-1").encrypt(KeyId="alias/orders", Plaintext=b"7")

        def test_two(self) -> None:
            seen.append(self.kms)
            self.kms.assert_used("alias/orders", "Encrypt", times=1)

        @classmethod
        def tearDownClass(cls) -> None:
            seen.append(cls.kms)
            cls.kms.client.list_keys()

    result = _run(Case)

    assert [] == result.errors + result.failures
    assert 2 == result.testsRun
    assert 4 == len(seen)
    assert 1 == len({id(kms) for kms in seen})


@pytest.mark.usefixtures("as_before")
def test_a_decorated_test_case_without_set_up_has_a_fake() -> None:
    """setUpClass may be unittest's own; each run of the class has a new fake."""
    seen: list[FakeKMS] = []

    @fake_kms()
    class Case(unittest.TestCase):
        kms: FakeKMS

        def test_one(self) -> None:
            seen.append(self.kms)

    assert "Case" == Case.__name__
    assert _run(Case).wasSuccessful()
    assert _run(Case).wasSuccessful()
    assert 2 == len({id(kms) for kms in seen})


@pytest.mark.usefixtures("as_before")
def test_a_subclass_of_a_decorated_test_case_has_a_fake() -> None:
    """The decorator is inherited, also through a setUpClass that calls the one above it."""

    @fake_kms()
    class Parent(unittest.TestCase):
        kms: FakeKMS

    class Child(Parent):
        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            cls.kms.create_key("orders")

        def test_one(self) -> None:
            self.kms.client.describe_key(KeyId="alias/orders")

    assert _run(Child).wasSuccessful()


@pytest.mark.usefixtures("as_before")
def test_a_set_up_that_fails_leaves_the_process_as_before() -> None:
    """The fake of the class is gone when setUpClass raises."""

    @fake_kms()
    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            raise KeyError("seven")

        def test_one(self) -> None: ...  # pragma: no cover  # never run

    result = _run(Case)

    assert 1 == len(result.errors)
    assert 0 == result.testsRun


@pytest.mark.usefixtures("without_generate_mac")
def test_a_refusal_in_a_set_up_leaves_the_process_as_before(client: KMSClient, network: list[str]) -> None:
    """unittest cleans up after an Exception alone; a refusal is none, and the fake must go all the same."""

    @fake_kms()
    class Case(unittest.TestCase):
        kms: FakeKMS

        @classmethod
        def setUpClass(cls) -> None:
            cls.kms.client.generate_mac(KeyId="alias/orders", Message=b"7", MacAlgorithm="HMAC_SHA_256")

        def test_one(self) -> None: ...  # pragma: no cover  # never run

    with pytest.raises(NotSupported):
        _run(Case)
    try:
        client.list_keys()
    finally:
        Case.doClassCleanups()  # there is nothing left to do, or this test has failed

    assert ["https://kms.us-east-1.amazonaws.com/"] == network


def test_another_class_is_refused() -> None:
    """Only unittest has setUpClass; for other classes there is the fixture."""

    class TestVault: ...

    with pytest.raises(UsageError) as excinfo:
        fake_kms()(TestVault)

    expected = "pytest-kms: TestVault is no unittest.TestCase; put @pytest.mark.usefixtures('kms') on it instead"
    assert expected == str(excinfo.value)
