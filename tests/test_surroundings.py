"""What botocore needs around it is lent where nothing is configured, and what is configured is left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from pytest_kms import fake_kms

LENT = {
    "AWS_ACCESS_KEY_ID": "AKIAPYTESTKMS0000000",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "pytest-kms",
}


def _aws_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Take away what the developer has configured; return the home directory that the test has instead."""
    for name in _aws_settings():
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tmp_path.joinpath(".aws").mkdir()
    return tmp_path


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let no socket connect; return the addresses that one was to connect to."""
    asked: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError("this test opens no socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return asked


@pytest.fixture
def config(home: Path) -> Iterator[Path]:
    """Return where the developer's config file stands, and see that its bytes are not changed."""
    file = home / ".aws" / "config"
    yield file
    assert file.with_suffix(".before").read_text() == file.read_text()


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    file.with_suffix(".before").write_text(text)


def test_credentials_and_a_region_are_lent_and_taken_back() -> None:
    """A machine with no AWS settings has some while a fake is active, and no longer."""
    with fake_kms():
        assert LENT == _aws_settings()

    assert {} == _aws_settings()


def test_what_is_lent_is_taken_back_after_an_exception() -> None:
    """A failing test leaves the environment as it was."""
    with pytest.raises(ZeroDivisionError), fake_kms():
        _ = 1 / 0

    assert {} == _aws_settings()


def test_a_client_with_no_arguments_works() -> None:
    """With what is lent, boto3 makes a client where nothing is configured."""
    with fake_kms() as kms:
        client = boto3.Session().client("kms")

        assert "us-east-1" == client.meta.region_name
        assert [] == client.list_keys()["Keys"]
        assert "arn:aws:iam::123456789012:user/tester" == kms.trail.last.principal


def test_the_region_of_the_fake_is_lent() -> None:
    """A fake that is told its Region lends that one."""
    with fake_kms(region="eu-west-3"):
        assert "eu-west-3" == boto3.Session().client("kms").meta.region_name


def test_nested_fakes_lend_once() -> None:
    """What the outer fake has lent stays while it is active."""
    with fake_kms():
        with fake_kms(region="eu-west-3"):
            assert LENT == _aws_settings()
        assert LENT == _aws_settings()

    assert {} == _aws_settings()


def test_settings_of_the_environment_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has credentials and a Region keeps them."""
    mine = {"AWS_ACCESS_KEY_ID": "AKIDMINE", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_DEFAULT_REGION": "eu-west-1"}
    for name, value in mine.items():
        monkeypatch.setenv(name, value)
    with fake_kms():
        assert mine == _aws_settings()

    assert mine == _aws_settings()


def test_a_region_alone_in_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are lent to go with it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with fake_kms() as kms:
        assert LENT | {"AWS_DEFAULT_REGION": "eu-west-1"} == _aws_settings()
        assert "eu-west-1" == kms.create_key().region

    assert {"AWS_DEFAULT_REGION": "eu-west-1"} == _aws_settings()


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ],
)
def test_who_names_a_source_of_credentials_is_lent_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lent credentials would win over the developer's own."""
    monkeypatch.setenv(name, "mine")
    with fake_kms():
        assert {name: "mine", "AWS_DEFAULT_REGION": "us-east-1"} == _aws_settings()

    assert {name: "mine"} == _aws_settings()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"])
def test_an_empty_setting_counts_as_none_and_is_put_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable says nothing; afterwards it is there and empty again."""
    monkeypatch.setenv(name, "")
    with fake_kms():
        assert LENT == _aws_settings()

    assert {name: ""} == _aws_settings()


def test_what_the_test_sets_meanwhile_stays() -> None:
    """Only what was lent is taken back."""
    with fake_kms():
        os.environ["AWS_DEFAULT_REGION"] = "eu-north-1"
        del os.environ["AWS_ACCESS_KEY_ID"]

    assert {"AWS_DEFAULT_REGION": "eu-north-1"} == _aws_settings()
    del os.environ["AWS_DEFAULT_REGION"]


def test_a_credentials_file_is_left_alone(home: Path) -> None:
    """Who has credentials in a file signs with them, and the file stays as it is."""
    file = home / ".aws" / "credentials"
    text = "[default]\naws_access_key_id = AKIDMINE\naws_secret_access_key = mine\n"
    file.write_text(text)
    with fake_kms():
        credentials = boto3.Session().get_credentials()

        assert {"AWS_DEFAULT_REGION": "us-east-1"} == _aws_settings()
        assert credentials is not None
        assert "AKIDMINE" == credentials.access_key

    assert text == file.read_text()


def test_a_credentials_file_elsewhere_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_SHARED_CREDENTIALS_FILE says where it is."""
    file = home / "elsewhere"
    file.write_text("[default]\naws_access_key_id = AKIDMINE\naws_secret_access_key = mine\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    with fake_kms():
        assert "AWS_ACCESS_KEY_ID" not in os.environ


def test_a_process_of_the_config_file_gives_the_credentials(config: Path) -> None:
    """A config file that says where credentials come from is left to do so."""
    _write(config, "[default]\ncredential_process = some-command\n")
    with fake_kms():
        assert {"AWS_DEFAULT_REGION": "us-east-1"} == _aws_settings()


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        pytest.param("[default]\nregion = eu-west-1\n", {}, "eu-west-1", id="default profile"),
        pytest.param(
            "[default]\nregion = eu-west-1\n[profile other]\nregion = eu-north-1\n",
            {"AWS_PROFILE": "other"},
            "eu-north-1",
            id="named profile",
        ),
        pytest.param(
            "[default]\nregion = eu-west-1\n",
            {"AWS_DEFAULT_REGION": "eu-south-2"},
            "eu-south-2",
            id="environment before file",
        ),
        pytest.param("[profile other]\nregion = eu-north-1\n", {}, "us-east-1", id="another profile's"),
        pytest.param("[default]\noutput = json\n", {}, "us-east-1", id="none"),
        pytest.param("# no region here\n", {}, "us-east-1", id="a comment"),
    ],
)
def test_the_fake_lives_where_the_developer_has_configured(
    text: str, environment: dict[str, str], expected: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are made where the application's clients look for them: both are in the same Region."""
    _write(config, text)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with fake_kms() as kms:
        assert expected == kms.create_key("orders").region
        assert expected == boto3.Session().client("kms").meta.region_name


def test_a_profile_that_is_not_in_the_file_is_none(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application will hear of it from botocore; the fake does not mind."""
    _write(config, "[profile other]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with fake_kms() as kms:
        assert "us-east-1" == kms.create_key().region


def test_a_config_file_elsewhere_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_CONFIG_FILE says where it is."""
    file = home / "elsewhere"
    file.write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with fake_kms() as kms:
        assert "eu-west-1" == kms.create_key().region


def test_a_config_file_without_credentials_leaves_them_to_be_lent(config: Path, addresses: list[object]) -> None:
    """A Region in a file is no credential: without lent ones botocore would ask a network for some."""
    _write(config, "[default]\nregion = eu-west-1\n")
    with fake_kms():
        client = boto3.Session().client("kms")

        assert [] == client.list_keys()["Keys"]
        assert [] == addresses


def test_the_default_session_forgets_what_was_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the fake, no request to another service is signed with credentials that are none."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with fake_kms():
        assert [] == boto3.client("kms").list_keys()["Keys"]

    assert boto3.DEFAULT_SESSION is not None
    assert None is boto3.DEFAULT_SESSION.get_credentials()
