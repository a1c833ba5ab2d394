"""OpenAI's own JavaScript client in a real browser, on a page of another site that --cors names."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.browser.chromium import chromium
from tests.server.serving import PIECES, running, script_folder, wav

pytestmark = pytest.mark.real
PACKAGES = ("openai@6.49.0", "esbuild@0.28.2")
ASK = """
const [url, model, stream, done] = arguments;
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0, dangerouslyAllowBrowser: true });
(async () => {
  const file = new File([await (await fetch("clip.wav")).blob()], "clip.wav");
  const answer = await client.audio.transcriptions.create({ file, model, stream });
  if (!stream) return answer.text;
  let text = "";
  for await (const event of answer) text += event.delta ?? "";
  return text;
})().then(done, (error) => done(`${error.constructor.name} ${error.status} ${Boolean(error.requestID)}`));
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """A site of its own, with the client in a page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join(timeout=30)


def write_page(folder: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here: apt-get install npm")
    folder.mkdir()
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
    if subprocess.run(install, cwd=folder, capture_output=True, timeout=120).returncode:
        pytest.skip(f"there are no {', '.join(PACKAGES)} here: npm install could not get them")
    (folder / "main.js").write_text('import OpenAI from "openai"; globalThis.OpenAI = OpenAI;\n')
    bundle = ["node_modules/.bin/esbuild", "main.js", "--bundle", "--outfile=bundle.js", "--log-level=error"]
    subprocess.run(bundle, cwd=folder, check=True, timeout=60)
    (folder / "index.html").write_text('<!doctype html><title>another site</title><script src="bundle.js"></script>')
    (folder / "clip.wav").write_bytes(wav(PIECES))


def test_openais_client_on_a_page_of_another_site_gets_texts_and_its_own_errors(tmp_path: Path) -> None:
    write_page(tmp_path / "site")
    model = f"fake:{script_folder(tmp_path / 'model')}"
    with (
        site(tmp_path / "site") as origin,
        running(tmp_path / "server", "--model", model, "--cors", origin) as server,
        running(tmp_path / "closed", "--model", model) as closed,
        chromium(tmp_path / "profile") as browser,
    ):
        browser.get(origin)
        browser.set_script_timeout(60)
        assert browser.execute_async_script(ASK, server.url, "whisper-1", False) == "One. Two. Three."
        assert browser.execute_async_script(ASK, server.url, "whisper-1", True) == "One. Two. Three."
        missing = browser.execute_async_script(ASK, server.url, "nobody", False)
        assert missing == "NotFoundError 404 true", "it can read the refusal, and the id of the request"
        assert "ConnectionError" in browser.execute_async_script(ASK, closed.url, "whisper-1", False)
