from __future__ import annotations

import pytest

from sweep.errors import UsageError
from sweep.service.ray_jobs import DEFAULT_ADDRESS, VARIABLE, dashboard_url

BAD = ["nohost", "127.0.0.1:8265", "ftp://x", "http://", "http://x:port", "http://x:0", "http://[x"]


def test_the_option_goes_before_the_environment() -> None:
    there = {VARIABLE: "http://there:1"}
    assert dashboard_url("https://here", there) == "https://here"
    assert dashboard_url(None, there) == "http://there:1"
    assert dashboard_url(None, {}) == dashboard_url("", {VARIABLE: ""}) == DEFAULT_ADDRESS


@pytest.mark.parametrize("url", BAD)
def test_what_is_no_url_is_named_by_where_it_comes_from(url: str) -> None:
    for option, environment, source in ((url, {}, "--address"), (None, {VARIABLE: url}, VARIABLE)):
        with pytest.raises(UsageError, match="write a URL like http://") as raised:
            dashboard_url(option, environment)
        assert str(raised.value).startswith(f"{source} {url}: ")
