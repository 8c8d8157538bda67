"""Whatever tells one device, its owner or its network from others, replaced by a placeholder of the same form."""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

_HEX = "[0-9A-Fa-f]"
_NO_VALUES = ("", "n/a", "[n/a]", "none", "unknown", "not specified", "default string", "to be filled by o.e.m.")

# Text that has the form of a secret, whatever it is of.
_UUID = re.compile(rf"(?<!{_HEX}){_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}(?!{_HEX})")
_BARE_UUID = re.compile(rf"(?<!\w){_HEX}{{32}}(?!\w)")
_MAC = re.compile(rf"{_HEX}{{2}}([:_-])(?:{_HEX}{{2}}\1){{4,18}}{_HEX}{{2}}")  # up to 20 bytes on InfiniBand
_INTERFACE = re.compile(r"(?<!\w)(enx|wlx|wwx)([0-9a-f]{12})(?!\w)")
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.-])")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}(?![\w:.])")
_HOME = re.compile(r"(/(?:home|Users)/)([^/\s\0]+)")
_KEYED = re.compile(r"(?i)((?:serial(?:[ _-]?(?:number|no))?|asset[ _-]?tag)[ \t]*[:=][ \t]*)([^\n]+)")
_KEYED_UUID = re.compile(r"(?i)((?:part|guid|luks[._])?(?:uuid|guid)=)([^\s,\0]+)")
_PROGRAM = re.compile(r"(?m)^([ \t]+Name[ \t]*:[ \t]*)([^\n]+)")  # of processes, in what nvidia-smi prints

# Files that hold one secret and nothing else.
_SECRET_FILE = re.compile(
    r".*serial([_-]?(number|no))?|.*(uuid|wwid|nguid|eui64?|unique_id|asset_tag|machine-id|boot_id|chip_id|ecid)"
)


class Masks:
    """One secret has one placeholder in a whole recording, so that what belonged together still does.

    ``known`` are this device's own secrets by kind (``host``, ``user``, ``serial``, ``id``), found as words; secrets
    that have a form of their own are found without being known: UUIDs, addresses of hardware and networks, values
    behind the word "serial", home folders.
    """

    def __init__(self, known: Mapping[str, Iterable[str]]) -> None:
        self.counts: Counter[str] = Counter()
        self._placeholders: dict[tuple[str, str], str] = {}
        self._kinds = {_as_latin(secret): kind for kind, secrets in known.items() for secret in secrets if secret}
        words = sorted(self._kinds, key=len, reverse=True)
        pattern = "|".join(re.escape(word) for word in words)
        self._known = re.compile(rf"(?<![A-Za-z0-9_])(?:{pattern})(?![A-Za-z0-9_])") if words else None

    def content(self, path: PurePosixPath, content: bytes) -> bytes:
        """Return a file's content without secrets. Bytes that are no text stay as they are."""
        text = content.decode("latin-1")
        bare = text.strip("\0 \t\r\n")
        is_address = path.name in ("address", "perm_address", "broadcast") and "net" in path.parts
        if path.name in ("hostname", "domainname"):
            masked = text.replace(bare, self._placeholder("host", bare)) if bare else text
        elif _SECRET_FILE.fullmatch(path.name.lower()) and not is_address and bare.lower() not in _NO_VALUES:
            masked = text.replace(bare, self._placeholder("serial", bare))
        else:
            masked = self.text(text)
        return masked.encode("latin-1")

    def string(self, text: str) -> str:
        """Return a path, a link's target or a label without secrets: names of devices and interfaces can hold some."""
        return _as_text(self.text(_as_latin(text)))

    def text(self, text: str) -> str:
        """Return text, each character a byte, without secrets."""
        text = _KEYED.sub(self._keyed("serial"), text)
        text = _KEYED_UUID.sub(self._keyed("serial"), text)
        text = _PROGRAM.sub(self._keyed("program"), text)
        if self._known:
            text = self._known.sub(lambda found: self._placeholder(self._kinds[found[0]], found[0]), text)
        text = _UUID.sub(lambda found: self._placeholder("uuid", found[0].lower()), text)
        text = _BARE_UUID.sub(lambda found: self._placeholder("id", found[0].lower()), text)
        text = _INTERFACE.sub(lambda found: found[1] + self._mac(found[2]).replace(":", ""), text)
        text = _MAC.sub(lambda found: self._mac(found[0]), text)
        text = _IPV4.sub(self._ip, text)
        text = _IPV6.sub(self._ip, text)
        return _HOME.sub(lambda found: found[1] + self._placeholder("user", found[2]), text)

    def _keyed(self, kind: str) -> Callable[[re.Match[str]], str]:
        def mask(found: re.Match[str]) -> str:
            value = found[2].strip("\0 \t\r")
            if value.lower() in _NO_VALUES or not value.strip("0"):
                return found[0]
            return found[1] + found[2].replace(value, self._placeholder(kind, value))

        return mask

    def _mac(self, address: str) -> str:
        digits = re.sub("[:_-]", "", address).lower()
        pairs = ":".join(digits[index : index + 2] for index in range(0, len(digits), 2))
        return pairs if pairs in self._placeholders.values() else self._placeholder("mac", digits)

    def _ip(self, found: re.Match[str]) -> str:
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:  # numbers with dots, times and bus addresses
            return found[0]
        if address.is_loopback or address.is_unspecified:
            return found[0]
        return self._placeholder(f"ipv{address.version}", address.exploded)

    def _placeholder(self, kind: str, secret: str) -> str:
        if secret in self._placeholders.values():  # masked before, as part of something longer
            return secret
        if (kind, secret) not in self._placeholders:
            self.counts[kind] += 1
            self._placeholders[kind, secret] = _FORMS.get(kind, _word(kind))(self.counts[kind])
        return self._placeholders[kind, secret]


def _word(kind: str) -> Callable[[int], str]:
    return lambda number: f"{kind}-{number}"


# Addresses are those that RFC 5737 and RFC 3849 keep for documents, and locally administered ones for hardware.
_FORMS: dict[str, Callable[[int], str]] = {
    "uuid": lambda number: f"00000000-0000-0000-0000-{number:012x}",
    "id": lambda number: f"{number:032x}",
    "mac": lambda number: "02:00:00:00:" + f"{number:04x}"[:2] + ":" + f"{number:04x}"[2:],
    "ipv4": lambda number: f"192.0.2.{number}" if number < 255 else f"198.51.{100 + number // 256}.{number % 256}",
    "ipv6": lambda number: f"2001:db8::{number:x}",
}


def _as_latin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _as_text(latin: str) -> str:
    return latin.encode("latin-1").decode("utf-8", "surrogateescape")
