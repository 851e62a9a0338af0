"""Requests about this machine, presets, models of the hub, and issues."""

from agent.offline.markdown import block, blocks, bullets, cell, facts, paragraphs, quote, table, text, texts
from agent.offline.messages import ConversationState, Data
from agent.offline.script import Script, call
from agent.offline.scripts.inspection import experiment_of
from agent.offline.scripts.tasks import NoSubjectError, task


def presets(word: str | None) -> Script:
    answer = yield call("list_presets", text=word)
    found = blocks(answer, "presets")
    if not found:
        return f"There is no preset{f' with “{word}” in it' if word else ''}."
    columns = {"preset": "name", "what for": "description", "engine": "engine", "comes with the tuner": "built_in"}
    return paragraphs(f"Presets ({text(answer, 'shown')}):", table(found, columns), "Say: tune MODEL with preset NAME")


def delete_preset(name: str) -> Script:
    answer = yield call("delete_preset", f"I delete the preset {name}; you are asked first.", name=name)
    return f"The preset {text(answer, 'name')}: {text(answer, 'note')}"


def engines() -> Script:
    answer = yield call("list_engines")
    found = blocks(answer, "engines")
    columns = {"engine": "name", "installed": "installed", "version": "version", "CPU only": "cpu_only",
               "install by": "install"}  # fmt: skip
    return paragraphs("Engines that tasks can name:", table(found, columns), "Ask for `flags of ENGINE about WORD`.")


def flags(engine: str, word: str | None) -> Script:
    answer = yield call("engine_flags", engine=engine, search=word)
    found = blocks(answer, "flags")
    if not found:
        return f"{text(answer, 'engine', engine)} has no flag about “{word}”." if word else f"{engine} lists no flags."
    columns = {"flag": "name", "default": "default", "choices": "choices", "what it does": "help"}
    about = f" about “{word}”" if word else ""
    return paragraphs(f"Flags of {text(answer, 'engine')}{about} ({text(answer, 'shown')}):", table(found, columns))


def install(environment: str) -> Script:
    answer = yield call("install_engine", f"I install {environment}; you are asked first.", environment=environment)
    return f"{text(answer, 'environment')} {text(answer, 'version')} is installed."


def hardware() -> Script:
    answer = yield call("hardware_status")
    gpus = blocks(answer, "gpus")
    return paragraphs(
        f"This machine has {text(answer, 'cpus', '?')} processors, {text(answer, 'memory_gib', '?')} GiB of memory "
        f"({text(answer, 'available_gib', '?')} GiB free), and {len(gpus) or 'no'} GPU{'' if len(gpus) == 1 else 's'}.",
        facts({"gpus": answer.get("gpus")}),
    )


def deployments() -> Script:
    answer = yield call("list_deployments")
    found = blocks(answer, "deployments")
    if not found:
        return "No engine and no load generator of this tuner is running now."
    columns = {
        **{name: name for name in ("id", "kind", "task", "experiment", "pid", "running", "gpus", "url")},
        "memory, GiB": "memory_gib",
        "CPU %": "cpu_percent",
    }
    return paragraphs(f"Running now ({text(answer, 'shown')}):", table(found, columns))


def stop_deployment(id_: str) -> Script:
    answer = yield call("stop_deployment", f"I stop deployment {id_}; you are asked first.", deployment=id_)
    return f"Deployment {text(answer, 'id')}: {text(answer, 'note')}"


def workers() -> Script:
    answer = yield call("worker_status")
    return _workers(answer)


def restart_worker() -> Script:
    answer = yield call("restart_worker", "I restart the worker; you are asked first.")
    return _workers(answer)


def download(repo: str, revision: str | None, only: list[str]) -> Script:
    announced = f"I download {repo}{f' at {revision}' if revision else ''}; you are asked first."
    answer = yield call("hf_download", announced, repo=repo, revision=revision, allow=list(only) or None)
    return (
        f"{text(answer, 'repo', repo)} is here: {text(answer, 'files')} files, {text(answer, 'size')}, in "
        f"{text(answer, 'took')} (commit {text(answer, 'commit')}). Tasks name it {text(answer, 'model')}."
    )


def models(word: str) -> Script:
    answer = yield call("search_hf_models", text=word)
    found = blocks(answer, "models")
    if not found:
        return f"The hub has no model with “{cell(word)}” in its name."
    columns = {"model": "id", "parameters": "parameters", "downloads in 30 days": "downloads", "likes": "likes",
               "gated": "gated"}  # fmt: skip
    return paragraphs(f"Models on the hub ({text(answer, 'shown')}):", table(found, columns), "Say: download ID")


def model(repo: str) -> Script:
    answer = yield call("hf_model_info", repo=repo)
    return paragraphs(f"On the hub, {repo}:", facts(answer))


def cached() -> Script:
    answer = yield call("hf_cache_scan")
    return paragraphs("Models on this machine:", facts(answer))


def issues(word: str) -> Script:
    answer = yield call("search_github_issues", text=word)
    found = blocks(answer, "issues")
    if not found:
        return f"{text(answer, 'repo', 'The repository')} has no issue with “{cell(word)}”."
    columns = {"issue": "number", "title": "title", "state": "state", "updated": "updated_at", "address": "url"}
    return paragraphs(f"Issues of {text(answer, 'repo')} ({text(answer, 'total')} in all):", table(found, columns))


def issue(number: int) -> Script:
    answer = yield call("get_github_issue", number=number)
    return paragraphs(
        f"Issue #{text(answer, 'number')} of {text(answer, 'repo')}, {text(answer, 'state')} ({text(answer, 'url')}):",
        cell(answer.get("title")),
        facts({key: answer[key] for key in ("body", "comments") if key in answer}),
    )


def comment(number: int, body: str) -> Script:
    answer = yield call(
        "comment_github_issue", f"I comment on issue #{number}; you are asked first.", number=number, body=body
    )
    return f"The comment is published: {text(answer, 'url')}"


def report(rest: str, state: ConversationState) -> Script:
    """A failed experiment as an issue: composed, shown, and published where that is approved."""
    number, rest = experiment_of(rest)
    ref = yield from task(rest, state)
    if number is None:
        found = yield call("explain_result", task=ref)
        failed = [one for failure in blocks(found, "failures") for one in _numbers(failure.get("experiments"))]
        if not failed:
            raise NoSubjectError(
                f"No experiment of task {text(found, 'task')} has failed, so there is nothing to report."
            )
        number = min(failed)
    draft = yield call("draft_github_issue", task=ref, experiment=number)
    similar = [
        f"#{text(one, 'number')} {cell(one.get('title'))} ({text(one, 'url')})" for one in blocks(draft, "similar")
    ]
    shown = paragraphs(
        f"A draft about experiment {number} of task {ref}: {cell(draft.get('title'))}",
        quote(draft | {"text": text(draft, "body")}),
        paragraphs("Similar issues; one that fits is better commented on:", bullets(similar)) if similar else "",
        "I publish it now; you are asked first.",
    )
    published = yield call(
        "create_github_issue",
        shown,
        title=text(draft, "title"),
        body=text(draft, "body"),
        labels=list(texts(draft, "labels")),
    )
    return f"Issue #{text(published, 'number')} of {text(published, 'repo')} is published: {text(published, 'url')}"


def now() -> Script:
    answer = yield call("get_current_time")
    return f"It is {text(answer, 'local')}, {text(answer, 'utc')} in UTC."


def wait(seconds: float) -> Script:
    answer = yield call("sleep", seconds=min(seconds, 60))
    return f"{text(answer, 'seconds')} s have passed; it is {text(answer, 'utc')} in UTC."


def _workers(answer: Data) -> str:
    own = block(answer, "own")
    return paragraphs(
        "Workers:", facts(answer, leave=["own"]), paragraphs("The service's own:", facts(own)) if own else ""
    )


def _numbers(value: object) -> list[int]:
    return [one for one in value if isinstance(one, int)] if isinstance(value, list) else []
