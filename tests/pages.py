"""Reads HTML pages for tests."""

from html.parser import HTMLParser

VOID = {"meta", "link"}


class Page(HTMLParser):
    """What a page holds: its text piece by piece, and the tags and attributes in it."""

    def __init__(self, page):
        super().__init__()
        self.open, self.pieces, self.tags, self.attributes = [], [], set(), []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] != "style":
            self.pieces.append(" ".join(data.split()))

    @property
    def text(self):
        return " ".join(self.pieces)
