"""What tests read of a page's markup."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Gather what a page refers to, by tag, and the places within it that can be referred to."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.links: list[tuple[str, str, dict[str, str]]] = []
        self.anchors: set[str] = set()
        self.meta: dict[str, str] = {}
        self.inputs: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Note one element."""
        found = {name: value or "" for name, value in attributes}
        self.anchors.add(found.get("id", ""))
        self.links += [(tag, found[name], found) for name in ("href", "src", "poster", "action") if name in found]
        if tag == "input":
            self.inputs.append(found)
        if tag == "meta":
            self.meta[found.get("name", found.get("property", ""))] = found.get("content", "")
