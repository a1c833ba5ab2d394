"""What is written for other machines, each file read by the tool that it is for, where that can be had here."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.server.serving import running, script_folder, write_decision

from earwitness.cli import main
from earwitness.deployment.deployment import HEADROOM, DeploymentPlan, contents
from earwitness.deployment.plan import plan_of
from earwitness.server.config import ServerLimits
from earwitness.server.fit import SERVER_BYTES, peak_bytes

HOLDS = ("package_hashes.py", "plan.py", "cli/deploy.py", "server/config.py", "server/plan.py", "server/spec.py")

BIN = Path(sys.executable).parent
PEAK = 700_000_000
FOR_OTHERS = {
    "ALERTMANAGER_IMAGE", "BASE", "EARWITNESS_CACHE", "EARWITNESS_KEY", "GRAFANA_IMAGE", "GRAFANA_PASSWORD",
    "PROMETHEUS_IMAGE", "PYTHON_IMAGE",
}  # fmt: skip
"""Variables that Docker and compose fill in."""
PROMISE = {"wer": 0.12, "latency_p95_s": 0.8, "peak_rss_bytes": float(PEAK)}


WHERE = {
    "amtool": "apt-get install prometheus-alertmanager",
    "hadolint": "make setup",
    "kubectl": "install it from kubernetes.io",
    "systemd-analyze": "apt-get install systemd",
}
"""What to type for a program."""


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=BIN)
    if found is None:
        pytest.skip(f"there is no {name} here: {WHERE[name]}")
    return found


def ran(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def decision(tmp_path: Path) -> Path:
    path = tmp_path / "decision.json"
    write_decision(path, "fake:slow", promise=PROMISE)
    return path


@pytest.fixture
def folder(tmp_path: Path, decision: Path) -> Path:
    out = tmp_path / "out"
    assert main(["deploy", "--no-hashes", "--decision", str(decision), "--out", str(out), "--workers", "2"]) == 0
    return out


def pulled(decision: Path, **changed: Any) -> DeploymentPlan:
    """As it would be for a model with weights and an engine that is an extra."""
    plan = plan_of(decision, None, n_workers=2, program="/bin/true")
    more: dict[str, Any] = {
        "model_id": "faster-whisper:base", "engine": "faster-whisper", "extra": "faster-whisper", "threads": 2,
        "weights_sha256": "ab" * 32, "packages": {"faster-whisper": "1.2.0", "ctranslate2": "4.6.0"},
    }  # fmt: skip
    return replace(plan, **(more | changed))


def variants(decision: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "baked", contents(pulled(decision))
    yield "mounted", contents(pulled(decision, baked=False))
    yield "gpu", contents(pulled(decision, device="cuda:0"))
    yield "own", contents(pulled(decision, extra=None, own_environment=True, rows="[[model]]\n"))
    yield "folder", contents(pulled(decision, folder="/data/my model"))
    yield "unmeasured", contents(pulled(decision, peak_rss_bytes=None, candidate="base on cpu"))


def each(decision: Path, check: Callable[[str, Mapping[str, str]], None]) -> None:
    for name, made in variants(decision):
        check(name, made)


def test_the_image_copies_only_files_that_are_written_and_let_through(decision: Path) -> None:
    def check(_: str, made: Mapping[str, str]) -> None:
        let_through = re.findall(r"^!(.+)$", made[".dockerignore"], re.MULTILINE)
        for line in re.findall(r"^COPY (?!--from)(.+)$", made["Dockerfile"], re.MULTILINE):
            *sources, _target = line.split()
            for source in sources:
                name = source.rstrip("/")
                assert name in let_through, line
                assert any(file == name or file.startswith(f"{name}/") for file in made), line

    each(decision, check)


def test_every_yaml_is_yaml_and_every_json_is_json(decision: Path) -> None:
    def check(_: str, made: Mapping[str, str]) -> None:
        for name, text in made.items():
            if name.endswith((".yaml", ".yml")):
                assert list(yaml.safe_load_all(text))
            if name.endswith(".json"):
                json.loads(text)
            unfilled = set(re.findall(r"\$\{(\w+)", text)) - FOR_OTHERS
            assert name.startswith(("grafana", "prometheus")) or not unfilled, name

    each(decision, check)


def test_nothing_is_overwritten_unless_that_is_said(
    folder: Path, decision: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "README.md").write_text("mine", encoding="utf-8")
    (folder / "Dockerfile").unlink()
    arguments = ["deploy", "--no-hashes", "--decision", str(decision), "--out", str(folder), "--workers", "2"]
    assert main(arguments) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"
    assert not (folder / "Dockerfile").exists(), "nothing is written when something is in the way"
    assert main([*arguments, "--force"]) == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_is_asked_for_is_what_was_measured(folder: Path, decision: Path) -> None:
    deployment, _ = yaml.safe_load_all((folder / "kubernetes/deployment.yaml").read_text("utf-8"))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    needed = (SERVER_BYTES + 2 * PEAK) / (1 << 20)
    allowed = (SERVER_BYTES + HEADROOM * 2 * peak_bytes("fake", PEAK, 0.0, 3600.0)) / (1 << 20)
    asked, limit = container["resources"]["requests"], container["resources"]["limits"]
    assert asked["cpu"] == "2", "two workers of one thread"
    assert 0 <= int(asked["memory"].removesuffix("Mi")) - needed < 1
    assert 0 <= int(limit["memory"].removesuffix("Mi")) - allowed < 1
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))["services"]["earwitness"]
    assert compose["mem_limit"] == limit["memory"].replace("Mi", "m")
    unit = (folder / "systemd/earwitness.service").read_text("utf-8")
    assert f"MemoryMax={limit['memory'].removesuffix('i')}\n" in unit
    unmeasured = dict(variants(decision))["unmeasured"]
    assert "mem_limit" not in yaml.safe_load(unmeasured["compose.yaml"])["services"]["earwitness"]
    assert "memory was not measured" in unmeasured["systemd/earwitness.service"]


def test_the_limits_fit_together_in_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "decision.json", tmp_path / "out"
    write_decision(path, "fake:slow", promise=PROMISE | {"rtf": 0.238})
    arguments = ["deploy", "--no-hashes", "--decision", str(path), "--out", str(out)]
    assert main([*arguments, "--max-seconds", "3600"]) == 2
    assert "set --max-seconds 1260 or --timeout 857." in capsys.readouterr().err
    assert main(arguments) == 0
    for name in ("Dockerfile", "compose.yaml", "systemd/earwitness.service", "kubernetes/deployment.yaml"):
        words = re.findall(r"[\w-]+", (out / name).read_text("utf-8"))
        assert words[words.index("--max-seconds") + 1] == "1260", name
        assert words[words.index("--timeout", words.index("--max-seconds")) + 1] == "300", name
    assert main([*arguments, "--force", "--max-seconds", "60"]) == 0
    shorter = (out / "README.md").read_text("utf-8")
    assert "computed for the longest accepted audio, 60 s" in shorter
    mib = (SERVER_BYTES + HEADROOM * peak_bytes("fake", PEAK, 0.0, 60.0)) / (1 << 20)
    assert f"at most {math.ceil(mib)} MiB" in shorter


def test_the_very_versions_that_were_measured_are_installed(decision: Path) -> None:
    made = contents(pulled(decision))
    assert made["requirements.txt"] == "ctranslate2==4.6.0\nfaster-whisper==1.2.0\n"
    assert "--require-hashes" not in made["Dockerfile"]
    assert "constraints.txt" not in made
    hashed = contents(pulled(decision, hashes={"ctranslate2": "12" * 32, "faster-whisper": "ab" * 32}))
    assert hashed["requirements.txt"] == (
        f"ctranslate2==4.6.0 --hash=sha256:{'12' * 32}\nfaster-whisper==1.2.0 --hash=sha256:{'ab' * 32}\n"
    )
    for name in ("Dockerfile", "README.md"):
        assert "pip install --require-hashes --no-deps --requirement requirements.txt" in hashed[name]
    assert 'models pull "faster-whisper:base"' in made["Dockerfile"]
    mounted = contents(pulled(decision, baked=False))
    assert "models pull" not in mounted["Dockerfile"]
    assert "./cache:/opt/earwitness/cache:ro" in mounted["compose.yaml"]
    own = contents(pulled(decision, extra=None, own_environment=True))
    assert "engines install faster-whisper" in own["Dockerfile"]


def test_every_package_that_the_server_needs_is_pinned_as_it_is_here(folder: Path) -> None:
    pins = dict(line.split("==") for line in (folder / "requirements.txt").read_text("utf-8").splitlines())
    assert {"fastapi", "starlette", "uvicorn", "h11", "av", "numpy", "pydantic-core", "prometheus-client"} <= set(pins)
    assert {name: version(name) for name in pins} == pins
    assert "pytest" not in pins, "what only the tests need is not"


def test_without_an_index_pip_is_said_to_find_no_hashes_and_nothing_is_written(
    decision: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert main(["deploy", "--decision", str(decision), "--out", str(tmp_path / "out")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("pip cannot find the hashes of the packages: No matching distribution"), said
    assert said.endswith("Add --no-hashes."), said
    assert not (tmp_path / "out").exists()


@pytest.mark.long
@pytest.mark.real
def test_what_is_written_installs_with_hashes_into_an_empty_environment_and_nothing_else_does(tmp_path: Path) -> None:
    """The commands of the Dockerfile, for faster-whisper, with packages of the index."""
    from earwitness import weights
    from earwitness.engines.catalog import find

    weights.pull(find("faster-whisper:tiny.en"))
    path, out, bare = tmp_path / "decision.json", tmp_path / "out", tmp_path / "bare"
    write_decision(path, "faster-whisper:tiny.en", promise=PROMISE)
    assert main(["deploy", "--decision", str(path), "--out", str(out)]) == 0
    lines = (out / "requirements.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    root = Path(__file__).parents[2]
    ran(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out / "wheels"), str(root))
    dockerfile = (out / "Dockerfile").read_text("utf-8").replace("\\\n", "").splitlines()
    run = next(line for line in dockerfile if line.startswith("RUN python -m venv")).removeprefix("RUN ")
    run = run.replace("/opt/earwitness", str(bare)).replace("python -m", f"{sys.executable} -m")
    steps = [shlex.split(step) for step in run.split(" && ") if " mkdir " not in f" {step}"]
    assert [step[1:3] for step in steps[1:]] == [["install", "--require-hashes"], ["install", "--no-deps"], ["check"]]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, cwd=out)
        assert done.returncode == 0, done.stdout + done.stderr
    program = bare / "bin" / "python"
    assert version("earwitness") in ran(str(bare / "bin" / "earwitness"), "--version")
    ran(str(program), "-c", "import faster_whisper, fastapi, uvicorn, prometheus_client, multipart")
    (line,) = [line for line in lines if line.startswith("idna==")]
    tampered = out / "tampered.txt"
    tampered.write_text(line[:-4] + ("0000" if not line.endswith("0000") else "1111"), encoding="utf-8")
    command = [str(program), "-m", "pip", "install", "--force-reinstall", "--require-hashes", "--no-deps", "-r"]
    done = subprocess.run([*command, str(tampered)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_a_pod_lingers_longer_than_its_endpoints_take_and_ends_within_its_grace(folder: Path) -> None:
    text = (folder / "kubernetes/deployment.yaml").read_text("utf-8").partition("\n---")[0]
    spec = yaml.safe_load(text)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    at = dict(itertools.pairwise(container["args"]))
    assert spec["terminationGracePeriodSeconds"] >= int(at["--linger"]) + ServerLimits().drain_s + 10
    assert int(at["--linger"]) >= 2 * container["readinessProbe"]["periodSeconds"]
    assert "ephemeral-storage" in container["resources"]["limits"]


def test_whoever_is_called_is_told_of_one_cause_once(folder: Path) -> None:
    assert "SUCCESS" in ran(tool("amtool"), "check-config", str(folder / "alertmanager/alertmanager.yml"))
    config = yaml.safe_load((folder / "alertmanager/alertmanager.yml").read_text("utf-8"))
    rules = yaml.safe_load((folder / "prometheus/alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    named = set(re.findall(r"Earwitness\w+", str(config["inhibit_rules"])))
    assert named <= {rule["alert"] for rule in rules}


def test_every_container_is_shut_in_and_its_log_is_bounded(folder: Path) -> None:
    for name, service in yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name
        assert "mem_limit" in service, name
        assert "pids_limit" in service, name


PROGRAMS = ("Dockerfile", "compose.yaml", "systemd/earwitness.service", "kubernetes/deployment.yaml")
"""Files in which the server is started."""


def started_with(made: Mapping[str, str], name: str, option: str) -> list[str]:
    """The values of an option of the server, in the order in which a file has them."""
    text = made[name].partition("\n---")[0]
    if name == "Dockerfile":
        words = json.loads(next(line for line in text.splitlines() if line.startswith("CMD ")).removeprefix("CMD "))
    elif name == "compose.yaml":
        words = yaml.safe_load(text)["services"]["earwitness"]["command"]
    elif name.startswith("kubernetes"):
        words = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]["args"]
    else:
        words = shlex.split(next(line for line in text.splitlines() if line.startswith("ExecStart=")))
    return [value for word, value in itertools.pairwise(words) if word == option]


def test_hosts_and_proxies_are_in_the_command_of_every_file(decision: Path, tmp_path: Path) -> None:
    out = tmp_path / "named"
    hosts, proxies = ["asr.example.org", "*.example.net"], ["10.0.0.0/8", "fd00::/8"]
    arguments = [word for host in hosts for word in ("--allowed-host", host)]
    arguments += [word for proxy in proxies for word in ("--trusted-proxy", proxy)]
    assert main(["deploy", "--no-hashes", "--decision", str(decision), "--out", str(out), *arguments]) == 0
    made = {name: (out / name).read_text("utf-8") for name in PROGRAMS}
    # Others in the same network ask for the server by the name of its service.
    beside = {"compose.yaml": ["earwitness"], PROGRAMS[3]: ["earwitness", "*.svc", "*.svc.cluster.local"]}
    for name in PROGRAMS:
        assert started_with(made, name, "--allowed-host") == [*beside.get(name, []), *hosts], name
        assert started_with(made, name, "--trusted-proxy") == proxies, name


def test_without_named_hosts_only_compose_names_one(folder: Path) -> None:
    made = {name: (folder / name).read_text("utf-8") for name in PROGRAMS}
    # Compose publishes the port on a loopback address, where a page may point its own name at the server.
    names = {name: started_with(made, name, "--allowed-host") for name in PROGRAMS}
    assert {name: found for name, found in names.items() if found} == {"compose.yaml": ["earwitness"]}
    composed = yaml.safe_load(made["compose.yaml"])["services"]
    (scraped,) = yaml.safe_load((folder / "prometheus/prometheus.yml").read_text("utf-8"))["scrape_configs"][0][
        "static_configs"
    ]
    assert {target.partition(":")[0] for target in scraped["targets"]} == {"earwitness"}
    assert composed["canary"]["command"][1].startswith("http://earwitness:")


@pytest.mark.parametrize(
    "wrong",
    [
        ("--allowed-host", "asr.example.org:443"),
        ("--allowed-host", '"; curl evil'),
        ("--allowed-host", "$HOME"),
        ("--allowed-host", "%h"),
        ("--trusted-proxy", "proxy"),
    ],
)
def test_what_is_no_host_and_no_proxy_is_not_written(decision: Path, tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert main(["deploy", "--no-hashes", "--decision", str(decision), "--out", str(tmp_path / "out"), *wrong]) == 2
    assert not (tmp_path / "out").exists()


def test_keys_are_mounted_as_a_folder_so_that_new_ones_are_seen(folder: Path) -> None:
    # A file that is mounted by itself stays the old one when another takes its name.
    composed = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))["services"]["earwitness"]
    assert "./keys:/etc/earwitness/keys:ro" in composed["volumes"]
    deployment, _ = yaml.safe_load_all((folder / "kubernetes/deployment.yaml").read_text("utf-8"))
    spec = deployment["spec"]["template"]["spec"]
    (mount,) = [one for one in spec["containers"][0]["volumeMounts"] if one["name"] == "keys"]
    assert mount == {"name": "keys", "mountPath": "/etc/earwitness/keys", "readOnly": True}, "no subPath"
    made = {name: (folder / name).read_text("utf-8") for name in PROGRAMS}
    folders = {name: started_with(made, name, "--keys") for name in PROGRAMS}
    assert folders == {
        "Dockerfile": [],
        "compose.yaml": ["/etc/earwitness/keys/keys.json"],
        "systemd/earwitness.service": ["/etc/earwitness/keys.json"],
        "kubernetes/deployment.yaml": ["/etc/earwitness/keys/keys.json"],
    }


def test_the_pod_may_write_no_more_than_it_asked_for(folder: Path) -> None:
    deployment, _ = yaml.safe_load_all((folder / "kubernetes/deployment.yaml").read_text("utf-8"))
    spec = deployment["spec"]["template"]["spec"]
    resources = spec["containers"][0]["resources"]
    asked, most = (int(resources[kind]["ephemeral-storage"].removesuffix("Gi")) for kind in ("requests", "limits"))
    (scratch,) = [volume for volume in spec["volumes"] if volume["name"] == "scratch"]
    assert 0 < asked <= int(scratch["emptyDir"]["sizeLimit"].removesuffix("Gi")) < most
    # Every upload that may be there at once, its samples beside it: an hour of float32 at 16 kHz is 220 MiB.
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_model_that_runs_elsewhere_is_not_deployed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "decision.json"
    write_decision(path, "openai-api:http://127.0.0.1:8000/v1#base")
    assert main(["deploy", "--no-hashes", "--decision", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "runs outside Earwitness" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_weights_is_mounted_where_it_is_looked_for(tmp_path: Path) -> None:
    model = script_folder(tmp_path / "model")
    write_decision(tmp_path / "decision.json", f"fake:{model}")
    assert (
        main(["deploy", "--no-hashes", "--decision", str(tmp_path / "decision.json"), "--out", str(tmp_path / "out")])
        == 0
    )
    compose = yaml.safe_load((tmp_path / "out/compose.yaml").read_text("utf-8"))
    assert f"{model}:{model}:ro" in compose["services"]["earwitness"]["volumes"]


def test_the_dockerfile_is_one_without_faults(decision: Path) -> None:
    hadolint = tool("hadolint")
    for name, made in variants(decision):
        done = subprocess.run([hadolint, "-"], input=made["Dockerfile"], capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stdout}"
        lines = made["Dockerfile"].splitlines()
        assert lines.index("USER 10001:10001") < min(n for n, line in enumerate(lines) if line.startswith("CMD"))
    bad = subprocess.run(
        [hadolint, "-"], input="FROM python\nRUN cd /x && pip install y\n", capture_output=True, text=True
    )
    assert bad.returncode != 0, "it finds faults where there are some"


def test_the_manifests_are_what_kubernetes_takes(decision: Path, tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="there is no kubernetes-validate here: make setup")

    def check(name: str, made: Mapping[str, str]) -> None:
        manifests = made["kubernetes/deployment.yaml"] + "---\n" + made["kubernetes/policies.yaml"]
        for manifest in yaml.safe_load_all(manifests):
            validate.validate(manifest, "1.31", strict=True)
        if name == "baked":
            wrong = yaml.safe_load(
                made["kubernetes/deployment.yaml"].replace("replicas: 1", "replicas: one").split("---")[0]
            )
            with pytest.raises(validate.ValidationError):
                validate.validate(wrong, "1.31", strict=True)

    each(decision, check)


def test_the_manifests_come_together(folder: Path) -> None:
    made = list(yaml.safe_load_all(ran(tool("kubectl"), "kustomize", str(folder / "kubernetes"))))
    kinds = sorted(one["kind"] for one in made)
    assert kinds == ["ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service"]
    labels = {json.dumps(one["metadata"].get("labels", {})) for one in made if one["kind"] != "ConfigMap"}
    assert len(labels) == 1, "all select the same pods"
    (config,) = (one for one in made if one["kind"] == "ConfigMap")
    (deployment,) = (one for one in made if one["kind"] == "Deployment")
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes["decision"]["configMap"]["name"] == config["metadata"]["name"]


def test_the_compose_file_is_one(decision: Path) -> None:
    spec = pytest.importorskip("compose_spec", reason="there is no compose-spec here: make setup")

    def check(_: str, made: Mapping[str, str]) -> None:
        read = yaml.safe_load(made["compose.yaml"])
        spec.ComposeSpecification.model_validate(read)
        for service in read["services"].values():
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), "open to this machine only"

    each(decision, check)


def test_the_unit_is_one_and_is_shut_in(decision: Path, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    out = tmp_path / "out"
    program = str(BIN / "earwitness")
    assert main(["deploy", "--no-hashes", "--decision", str(decision), "--out", str(out), "--program", program]) == 0
    unit = out / "systemd" / "earwitness.service"
    assert ran(analyze, "verify", "--man=no", str(unit)) == ""
    told = ran(analyze, "security", "--offline=yes", "--no-pager", str(unit))
    assert float(told.split("Overall exposure level for earwitness.service: ")[1].split()[0]) <= 2.0


@pytest.mark.real
def test_the_commands_that_were_written_start_a_server_that_is_found_healthy(tmp_path: Path) -> None:
    write_decision(tmp_path / "decision.json", f"fake:{script_folder(tmp_path / 'model')}")
    out, keys, free = tmp_path / "out", tmp_path / "keys.json", free_port()
    assert (
        main(
            [
                "deploy",
                "--no-hashes",
                "--decision",
                str(tmp_path / "decision.json"),
                "--out",
                str(out),
                "--port",
                str(free),
            ]
        )
        == 0
    )
    assert main(["serve", "keys", "add", "first", "--keys", str(keys)]) == 0
    dockerfile = (out / "Dockerfile").read_text("utf-8").replace("\\\n", "").splitlines()
    container = json.loads(next(line for line in dockerfile if line.startswith("CMD")).removeprefix("CMD "))
    healthy = json.loads(next(line for line in dockerfile if line.startswith("HEALTHCHECK")).partition(" CMD ")[2])
    unit = (out / "systemd/earwitness.service").read_text("utf-8").splitlines()
    service = next(line for line in unit if line.startswith("ExecStart=")).split()[1:]
    composed = yaml.safe_load((out / "compose.yaml").read_text("utf-8"))["services"]["earwitness"]["command"]
    deployment = yaml.safe_load((out / "kubernetes/deployment.yaml").read_text("utf-8").partition("\n---")[0])
    (pod,) = deployment["spec"]["template"]["spec"]["containers"]
    for command in (container, service, composed, pod["args"]):
        here = [argument.replace("0.0.0.0", "127.0.0.1") for argument in command]
        assert here.pop(0) == "serve"
        at = dict(itertools.pairwise(here))
        swapped = {at["--decision"]: str(out / "decision.json"), at["--port"]: str(free)}
        swapped |= {at["--keys"]: str(keys)} if "--keys" in at else {}
        arguments = [swapped.get(argument, argument) for argument in here]
        with running(tmp_path / "server", *arguments) as server:
            check = [sys.executable, *(part.replace("8000", str(free)) for part in healthy[1:])]
            assert subprocess.run(check, timeout=20).returncode == 0
            assert server.hear().status == (401 if "--keys" in at else 200)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
