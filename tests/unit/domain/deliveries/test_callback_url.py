"""Where a callback may go: one reading of its address, public hosts only, unless a setting names the network."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from lotus_web.domain.deliveries.addresses import is_public, parse_address, parse_networks
from lotus_web.domain.deliveries.callback_url import LONGEST, check_addresses, parse_callback_url
from lotus_web.domain.deliveries.signing import parse_secrets
from lotus_web.domain.errors import InvalidInput

KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# What must not be reached, in every spelling that some program takes for it.
REFUSED_TEXTS = (
    "",
    "hooks.example",
    "//hooks.example/",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://:443/",
    "https://hooks.example:/",
    "https://hooks.example:0/",
    "https://hooks.example:65536/",
    "https://hooks.example:http/",
    "https://hooks.example#@127.0.0.1/",
    "https://user@hooks.example/",
    "https://user:secret@hooks.example/",
    "https://hooks.example@127.0.0.1/",
    "https://@hooks.example/",
    "https://hooks.example\\@127.0.0.1/",
    "https://hooks.example/ path",
    "https://hooks.example/\r\nHost: other",
    "https://hooks.example/\t",
    "https://hooks.example/\x00",
    "https://höoks.example/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://1.2.3.4.5/",
    "https://256.1.1.1/",
    "https://1.1.1.08/",
    "https://a..b/",
    "https://.example/",
    "https://-a.example/",
    "https://a-.example/",
    "https://a%2eb/",
    "https://[::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://[hooks.example]/",
    "https://[1.2.3.4]/",
    f"https://hooks.example/{'x' * LONGEST}",
)
PRIVATE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
)
PUBLIC = ("8.8.8.8", "93.184.216.34", "168.63.129.17", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1")


@pytest.mark.parametrize("text", REFUSED_TEXTS)
def test_what_two_programs_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_callback_url(text, https_only=False)
    assert refused.value.code == "callback_url_refused"
    assert refused.value.loc == ("body", "callback_url")
    assert refused.value.message.startswith("The callback URL ")


@pytest.mark.parametrize(
    ("text", "parts", "host_header"),
    [
        ("https://hooks.example", ("https", "hooks.example", 443, "/"), "hooks.example"),
        ("HTTPS://Hooks.Example./a?b=c@d", ("https", "hooks.example", 443, "/a?b=c@d"), "hooks.example"),
        ("https://xn--hks-sna.example:8443/", ("https", "xn--hks-sna.example", 8443, "/"), "xn--hks-sna.example:8443"),
        ("https://8.8.8.8/x", ("https", "8.8.8.8", 443, "/x"), "8.8.8.8"),
        ("http://[2606:4700::1111]:8080/", ("http", "2606:4700::1111", 8080, "/"), "[2606:4700::1111]:8080"),
        ("http://jobs_1.example:80/", ("http", "jobs_1.example", 80, "/"), "jobs_1.example"),
    ],
)
def test_an_address_has_one_reading(text: str, parts: tuple[str, str, int, str], host_header: str) -> None:
    url = parse_callback_url(text, https_only=False)
    assert (url.scheme, url.host, url.port, url.path) == parts
    assert url.host_header == host_header
    assert url.literal == (ip_address(url.host) if not url.host[-1].isalpha() else None)


def test_in_production_it_is_https() -> None:
    with pytest.raises(InvalidInput, match=r"must begin with https:"):
        parse_callback_url("http://hooks.example/", https_only=True)
    assert parse_callback_url("https://hooks.example/", https_only=True).port == 443


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_public_however_it_is_wrapped(address: str) -> None:
    url = parse_callback_url("https://hooks.example/", https_only=True)
    assert not is_public(parse_address(address))
    with pytest.raises(InvalidInput, match="public address"):
        check_addresses(url, [parse_address(address)], ())
    with pytest.raises(InvalidInput, match="public address"):
        check_addresses(url, [parse_address("8.8.8.8"), parse_address(address)], ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    check_addresses(parse_callback_url("https://hooks.example/", https_only=True), [parse_address(address)], ())


def test_a_name_without_an_address_leads_nowhere() -> None:
    with pytest.raises(InvalidInput, match="public address"):
        check_addresses(parse_callback_url("https://hooks.example/", https_only=True), [], ())


@pytest.mark.parametrize("port", [22, 25, 6379, 8000, 9200])
def test_a_port_of_something_else_is_refused_but_in_a_named_network(port: int) -> None:
    url = parse_callback_url(f"https://hooks.example:{port}/", https_only=True)
    with pytest.raises(InvalidInput, match="one of the ports 80, 443, 8080, 8443"):
        check_addresses(url, [parse_address("8.8.8.8")], parse_networks("10.2.0.0/16"))
    check_addresses(url, [parse_address("10.2.3.4")], parse_networks("10.2.0.0/16"))


def test_a_setting_names_private_networks_and_no_others_open() -> None:
    url, allowed = (
        parse_callback_url("https://hooks.example/", https_only=True),
        parse_networks("10.2.0.0/16, fd00::/64"),
    )
    for address in ("10.2.3.4", "::ffff:10.2.3.4", "fd00::1"):
        check_addresses(url, [parse_address(address)], allowed)
    for address in ("10.3.0.1", "::ffff:10.3.0.1", "fd00:0:0:1::1", "169.254.169.254"):
        with pytest.raises(InvalidInput):
            check_addresses(url, [parse_address(address)], allowed)


@pytest.mark.parametrize("text", ["10.2.0.1/16", "10.2.0.0/33", "hooks.example", "10.2", ",".join(["10.0.0.0/8"] * 65)])
def test_networks_are_written_as_networks(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the setting says what is allowed
        parse_networks(text)


def test_secrets_are_those_of_standard_webhooks() -> None:
    assert parse_secrets(f"whsec_{KEY}, whsec_{KEY}") == (f"whsec_{KEY}", f"whsec_{KEY}")
    for text in (KEY, "whsec_", "whsec_c2hvcnQ=", f"whsec_{KEY}*", f"whsec_{'A' * 88}", ",".join([f"whsec_{KEY}"] * 6)):
        with pytest.raises(ValueError):  # noqa: PT011 - the setting says what is allowed
            parse_secrets(text)
