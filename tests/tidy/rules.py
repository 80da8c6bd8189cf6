"""The rules of the source tree. Each takes the root folder and yields "path: what is wrong"."""
import os
import re

SOURCE_DIRS = ("engine", "query", "ingest", "alerting", "http", "tools")
CODE_DIRS = SOURCE_DIRS + ("tests", "bench")
LINES_MAX = 800

# What the files under a folder may include of ours; the longest matching folder decides. An entry
# "engine/*.h" means the files directly in engine/. tests/ and bench/ may include anything.
ENGINE_FACE = ["engine/*.h", "engine/base/", "engine/model/"]
LAYERS = {
    "engine/base/": ["engine/base/"],
    "engine/model/": ["engine/base/", "engine/model/"],
    "engine/": ["engine/"],
    "query/logql/": ENGINE_FACE + ["query/logql/", "query/templates/"],
    "query/templates/": ENGINE_FACE + ["query/templates/", "query/logql/values/"],
    "query/": ENGINE_FACE + ["query/"],
    "ingest/": ENGINE_FACE + ["ingest/"],
    "alerting/": ENGINE_FACE + ["query/", "ingest/", "alerting/", "engine/base/json_writer.h", "engine/base/rfc3339.h"],
    "http/": ENGINE_FACE + ["query/", "ingest/", "alerting/", "http/"],
    "tools/": ENGINE_FACE + ["query/", "ingest/", "alerting/", "http/", "tools/"],
}
BANNED_NAME = re.compile(r"(^|_)(utils?|common|helpers?|managers?|misc)(_|\.|$)")


def files(root, folders, *suffixes):
    """Paths relative to the root, sorted."""
    found = []
    for folder in folders:
        for where, dirs, names in os.walk(os.path.join(root, folder)):
            dirs[:] = [d for d in dirs if not d.startswith(("build", ".", "__pycache__"))]
            found += [os.path.relpath(os.path.join(where, n), root) for n in names if n.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def allowed(included, patterns):
    for pattern in patterns:
        if pattern.endswith("*.h"):
            folder = pattern[:-3]
            if included.startswith(folder) and "/" not in included[len(folder):]:
                return True
        elif included.startswith(pattern):
            return True
    return False


def include_layers(root):
    for path in files(root, SOURCE_DIRS, ".h", ".cc"):
        layer = max((p for p in LAYERS if path.startswith(p)), key=len)
        for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(root, path), re.M):
            if included.startswith(".") or not os.path.exists(os.path.join(root, included)):
                yield f"{path}: include of {included}: write ours from the root, theirs in <>"
            elif not allowed(included, LAYERS[layer]):
                yield f"{path}: includes {included}, which {layer} must not know"


def registered_sources(root):
    """Every source named by a CMakeLists.txt."""
    sources = set()
    for path in files(root, CODE_DIRS, "CMakeLists.txt"):
        text = re.sub(r"#.*", "", read(root, path))
        for name in re.findall(r"[^\s()\"]+\.cc\b", text):
            if name.startswith("${PROJECT_SOURCE_DIR}/"):
                sources.add(name.split("/", 1)[1])
            else:
                sources.add(os.path.normpath(os.path.join(os.path.dirname(path), name)))
        for name in re.findall(r"^varve_micro_bench\((\w+)", text, re.M):  # bench/CMakeLists.txt
            sources.add(f"bench/micro/{name}.cc")
    return sources


def unregistered_sources(root):
    registered = registered_sources(root) | {"tests/fuzz/replay_main.cc"}  # cmake/VarveModule.cmake
    for path in files(root, CODE_DIRS, ".cc"):
        if path not in registered:
            yield f"{path}: in no CMake target"


def unregistered_python_tests(root):
    named = "\n".join(read(root, p) for p in files(root, ("tests",), "CMakeLists.txt"))
    for path in files(root, ("tests",), "_test.py"):
        stem = os.path.basename(path)[:-len(".py")]
        if not re.search(rf"\b{stem}\b", named):
            yield f"{path}: in no ctest entry"


def banned_names(root):
    for path in files(root, CODE_DIRS + ("cmake", "scripts", "docs"), ""):
        if BANNED_NAME.search(os.path.basename(path)):
            yield f"{path}: name it for the one thing it holds"


def long_files(root):
    for path in files(root, CODE_DIRS, ".cc", ".h", ".py"):
        count = read(root, path).count("\n")
        if count > LINES_MAX:
            yield f"{path}: {count} lines; past {LINES_MAX} it is two things"


def dead_links(root):
    """Relative links in Markdown, and mentions of docs/*.md in comments."""
    tops = [n for n in sorted(os.listdir(root)) if n.endswith(".md")]
    for path in tops + files(root, ("docs", "bench", "tests"), ".md"):
        text = re.sub(r"```.*?```", "", read(root, path), flags=re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:|#", link):
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), link.split("#")[0]))
            if not os.path.exists(os.path.join(root, target)):
                yield f"{path}: dead link {link}"


def undocumented_packages(root):
    """docs/dependencies.md gives a reason for each package of scripts/packages.txt, and for no other."""
    lists = ("scripts/packages.txt", "docs/dependencies.md")
    if not all(os.path.exists(os.path.join(root, p)) for p in lists):
        return
    listed = set(re.findall(r"^(?:build|develop) (\S+)$", read(root, lists[0]), re.M))
    first_cells = re.findall(r"^\| (`[^|]*) \|", read(root, lists[1]), re.M)
    documented = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    for name in sorted(listed ^ documented):
        yield f"{lists[1 if name in listed else 0]}: {name} is missing"


ALL = (include_layers, unregistered_sources, unregistered_python_tests, banned_names, long_files,
       dead_links, undocumented_packages)
