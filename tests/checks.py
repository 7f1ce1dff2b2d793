#!/usr/bin/env python3
"""Checks of the repository itself: what a compiler does not see. Standard library only.

usage: checks.py [--self-test] [--only NAME]

Prints a line a check, `ok NAME` or `FAIL NAME: file:line: what`, and at the end `<N> passed, <N> failed`. With --self-test
every check is also tried on a temporary copy with a breach planted in it, and a check that does not see its breach fails.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCES = (".h", ".cpp")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
# The rooms of train/ in their order: each may include itself and those before it.
ROOMS = ["config", "experiment", "evaluate", "records", "exchange", "learn", "study", "show", "cli"]
BELOW_TRAIN = ["core", "nn", "optim", "data"]
# Who may include whom: core/base <- core/kernels <- core <- {nn, optim, data} <- train. Tests and benchmarks may include everything.
MAY_INCLUDE = {
    "core/base": ["core/base"],
    "core/kernels": ["core/kernels", "core/real.h", "core/destination.h", "core/base/range.h", "core/base/random.h"],
    "core": ["core"],
    "nn": ["core", "nn"],
    "optim": ["core", "optim"],
    "data": ["core/base", "data"],
    **{f"train/{room}": BELOW_TRAIN + [f"train/{r}" for r in ROOMS[:i + 1]] for i, room in enumerate(ROOMS)},
    "train": [],  # every source of train/ is in a room
    "bench": BELOW_TRAIN + ["train", "bench"],
    "tests": BELOW_TRAIN + ["train", "tests"],
}
# Compiled once, and yet clients of one precision. All else that is compiled once knows no number.
CLIENTS = [f"train/{room}" for room in ROOMS[2:]] + ["bench", "tests"]
# Who may name a precision: the border, and those who cross it.
NAME_A_PRECISION = ["core/real.h", "train/study/in_double.h", "train/cli/check.cpp", "train/cli/lab.cpp",
                    "train/study/prove/gradients.cpp", "tests"]
# Sources that are compiled for both precisions say so by their namespace.
PER_PRECISION = re.compile(r"^namespace attend::ATTEND_PRECISION", re.M)
# Libraries that only some folders may know.
ONLY_IN = {
    "nlohmann/": ["core/base/json_text.h", "core/base/json_text.cpp", "core/base/json_events.h", "train", "data", "tests", "bench"],
    "spdlog/": ["train"],
    "CLI/": ["train/cli", "bench"],
    "hwy/": ["core", "tests"],
    "doctest/": ["tests"],
    "benchmark/": ["bench"],
}
MAX_LINES = 500
MAX_KIB = 400


class Tree:
    """The files under version control (or, without git, all but build products) and their text, read once."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(p for p in self._list() if os.path.isfile(os.path.join(root, p)))
        self._text = {}

    def _list(self):
        try:
            command = ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            out = subprocess.run(command, capture_output=True, check=True).stdout
            return [os.fsdecode(p) for p in out.split(b"\0") if p]
        except (OSError, subprocess.CalledProcessError):
            found = []
            for folder, inner, files in os.walk(self.root):
                inner[:] = [d for d in inner if d not in (".git", "build", "runs", "datasets", "__pycache__")]
                found += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
            return found

    def named(self, *endings, under=""):
        return [p for p in self.paths if p.endswith(endings) and p.startswith(under)]

    def text(self, path):
        if path not in self._text:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="surrogateescape") as f:
                self._text[path] = f.read()
        return self._text[path]

    def lines(self, path, pattern, flags=0):
        """(line number, match) of each match in a file."""
        text = self.text(path)
        return [(text.count("\n", 0, m.start()) + 1, m) for m in re.finditer(pattern, text, flags | re.M)]


def within(path, folder):
    return path == folder or path.startswith(folder + "/")


def check_include_directions(tree):
    for path in tree.named(*SOURCES):
        layer = next((f for f in MAY_INCLUDE if within(path, f)), None)
        for line, m in tree.lines(path, INCLUDE.pattern):
            kind, name = m.groups()
            beside = os.path.join(os.path.dirname(path), name)  # tests may name a neighbour without its folder
            ours = kind == '"' and not name.startswith(tuple(ONLY_IN)) and not (layer == "tests" and beside in tree.paths)
            if ours and layer and not any(within(name, f) for f in MAY_INCLUDE[layer]):
                yield f"{path}:{line}: {layer} may not include {name}"
            for library, folders in ONLY_IN.items():
                if name.startswith(library) and not any(within(path, f) for f in folders):
                    yield f"{path}:{line}: {library} belongs to {', '.join(folders)} only"


def reached(tree, path, known):
    """All of our headers that a file includes, directly or not."""
    if path not in known:
        known[path] = set()
        for kind, name in INCLUDE.findall(tree.text(path)):
            beside = os.path.join(os.path.dirname(path), name)
            header = name if name in tree.paths else beside if beside in tree.paths else None
            if kind == '"' and header:
                known[path] |= {header} | reached(tree, header, known)
    return known[path]


def check_precisions(tree):
    """What is compiled once knows no real number but for clients, whose types exist for one precision alone: nothing that is
    compiled for both may see them."""
    known = {}
    per_precision = {p for p in tree.named(*SOURCES) if PER_PRECISION.search(tree.text(p))} | {"core/ops.h"}  # all ops' headers
    for path in tree.named(*SOURCES):
        headers = reached(tree, path, known)
        both = path in per_precision or re.search(r"_test(64|_both)\.cpp$", path)
        if not both and path != "core/real.h" and "core/real.h" in headers and not any(within(path, c) for c in CLIENTS):
            yield f"{path}:1: it is compiled once and no client of a precision, and includes core/real.h"
        for header in sorted(headers) if both and not re.search(r"^(tests|bench)/.*(?<!_test64)(?<!_both)\.(h|cpp)$", path) else []:
            if header not in per_precision and header != "core/real.h" and "core/real.h" in reached(tree, header, known):
                if not header.startswith("tests/"):
                    yield f"{path}:1: it is compiled for both precisions, and sees {header}, which exists for one"
        if not any(within(path, f) for f in NAME_A_PRECISION):
            for line, m in tree.lines(path, r"\b(f32|f64)::|namespace (?:attend::)?(f32|f64)\b|ATTEND_DOUBLE"):
                if not path.startswith("core/kernels/"):
                    yield f"{path}:{line}: only the border names a precision: {m.group(0)}"


def check_one_blas_seam(tree):
    # The library that tests plant in its place is declared as it is.
    users = [p for p in tree.named(*SOURCES) if p != "tests/planted/library.cpp" and re.search(r'#\s*include\s*[<"]cblas\.h', tree.text(p))]
    if len(users) != 1:
        yield f"cblas.h is to be included in one file: found in {len(users)}: {', '.join(users)}"


# The one reader of JSON, and that of configs, which remembers where each value stands. Both refuse what is nested without end.
JSON_READERS = ("core/base/json_text.cpp", "train/config/document.cpp")


def check_one_json_reader(tree):
    for path in tree.named(*SOURCES):
        if path.startswith(("tests/", "bench/")) or path in JSON_READERS:
            continue
        for line, m in tree.lines(path, r"\b\w*[Jj]son::(?:sax_)?(?:parse|accept)\s*\("):
            yield f"{path}:{line}: JSON is read by parse_json() of core/base/json_text.h: {m.group(0)}"


def check_file_length(tree):
    for path in tree.named(*SOURCES, ".py", ".txt", ".cmake", "dev"):
        lines = tree.text(path).count("\n")
        if lines > MAX_LINES:
            yield f"{path}: too long: {lines} lines, limit {MAX_LINES}"


def check_file_size(tree):
    for path in tree.paths:
        size = os.path.getsize(os.path.join(tree.root, path)) // 1024
        if size > MAX_KIB:
            yield f"{path}: data belongs outside the project: {size} KiB, limit {MAX_KIB}"


def headers_compiled_first(tree):
    """Headers that come first in some source file that a build compiles apart, or first in such a header: they were compiled
    alone already. The preset `threads` compiles every source apart, of the rooms up to learn; tests are never joined."""
    first = {}
    for path in tree.named(*SOURCES):
        if path.endswith(".cpp") and path.startswith(tuple(f"train/{room}/" for room in ROOMS[ROOMS.index("learn") + 1:])):
            continue
        m = INCLUDE.search(tree.text(path))
        if m and m.group(1) == '"':
            first[path] = m.group(2)
    proven, ahead = set(), [first[p] for p in first if p.endswith(".cpp")]
    while ahead:
        header = ahead.pop()
        if header not in proven:
            proven.add(header)
            ahead += [first[header]] if header in first else []
    return proven


def check_headers_compile_alone(tree):
    compiler = os.environ.get("CXX", "g++")
    proven = headers_compiled_first(tree)
    # Files named *-inl.h are read once for each vector target by the file that owns them, never alone.
    headers = [h for h in tree.named(".h") if h not in proven and not h.endswith("-inl.h")]

    def compile_alone(header):
        command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-I.",
                   '-DATTEND_SOURCE_DIR="."', '-DATTEND_BINARY_DIR="."', "-x", "c++", "-"]
        done = subprocess.run(command, input=f'#include "{header}"\n', cwd=tree.root, capture_output=True, text=True)
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        return [] if done.returncode == 0 else [f"{header}: does not compile alone: {(errors or ['?'])[0]}"]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for problems in pool.map(compile_alone, headers):
            yield from problems


def check_warnings_not_silenced(tree):
    for path in tree.named(*SOURCES, "CMakeLists.txt", ".cmake", "CMakePresets.json"):
        for line, m in tree.lines(path, r"#\s*pragma\s+(GCC|clang)\s+diagnostic|(?<!\w)-Wno-\w+|NOLINT"):
            yield f"{path}:{line}: a warning is silenced: {m.group(0)}"


def check_nothing_unfinished(tree):
    words = r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|not (yet )?implem" r"ented|CHECK\(true\)|REQUIRE\(true\)"
    for path in tree.named(*SOURCES, ".py", ".cmake", "CMakeLists.txt", "dev"):
        for line, m in tree.lines(path, words):
            yield f"{path}:{line}: unfinished, or a test that cannot fail: {m.group(0)}"


def check_machine_paths(tree):
    for path in tree.paths:
        for line, m in tree.lines(path, r"(?<![\w.$}])/(work|farm|root|home|tmp|mnt)/\w+"):
            yield f"{path}:{line}: a path of one machine: {m.group(0)}"


def check_sources_are_ascii(tree):
    for path in tree.named(*SOURCES, ".py", ".cmake", ".txt", "dev"):
        if path.startswith("tests/golden/values"):
            continue
        for line, m in tree.lines(path, r"[^\x00-\x7f]"):
            yield f"{path}:{line}: not ASCII: U+{ord(m.group(0)):04X}; write it as an escape"
            break


def check_folder_readmes(tree):
    folders = set()
    for path in tree.paths:
        folder = os.path.dirname(path)
        while folder:
            folders.add(folder)
            folder = os.path.dirname(folder)
    for folder in sorted(folders):
        above, name = os.path.split(folder)
        # A folder inside another may be described there, as `name/`.
        described = f"{above}/README.md" in tree.paths and f"`{name}/`" in tree.text(f"{above}/README.md")
        if not folder.startswith(".") and not described and f"{folder}/README.md" not in tree.paths:
            yield f"{folder}: has no README.md, nor does that of the folder above say what `{name}/` is"


def check_configs_described(tree):
    listed = tree.text("configs/README.md") if "configs/README.md" in tree.paths else ""
    for path in tree.named(".json", under="configs/"):
        if os.path.basename(path) not in listed:
            yield f"{path}: has no line in configs/README.md"


def check_links(tree):
    for path in tree.named(".md"):
        for line, m in tree.lines(path, r"^```.*?^```|`[^`\n]+`|\]\(([^)#\s]+)[^)]*\)", re.S):
            target = m.group(1)  # none for code, where brackets mean other things
            if target is None or "://" in target or target.startswith("mailto:"):
                continue
            if not os.path.exists(os.path.join(tree.root, os.path.dirname(path), target)):
                yield f"{path}:{line}: link to nothing: {target}"


def declared_functions(tree, header):
    """Names of the kernels and the free functions a header declares at the outer level."""
    text = re.sub(r"//[^\n]*", "", tree.text(header))
    names = re.findall(r"^(?!\s|#|using|namespace|struct|class|enum|template|return|extern|})[\w:<>*& ]*?\b(\w+)\s*\(", text, re.M)
    return sorted({*names, *re.findall(r"^extern Kernel<[^;]*>\s*(\w+);", text, re.M)})


def check_everything_tested(tree):
    """Kernels and ops by their declarations, rows of seams by their tables: each name must occur in the tests."""

    def words_of(under):
        return {word for path in tree.named(*SOURCES, under=under) for word in re.findall(r"\w+", tree.text(path))}

    anywhere = words_of("tests/")
    for folder, where, words in (("core/kernels", "kernel", words_of("tests/core/kernel")), ("core/ops", "op", words_of("tests/core/"))):
        for header in tree.named(".h", under=folder + "/"):
            if header.endswith("-inl.h"):
                continue
            for name in declared_functions(tree, header):
                if name not in words:
                    yield f"{header}: {where} '{name}' occurs in no test"
    for path in tree.named(".cpp"):
        # The factors of attention are tested from their tables (tests/nn/algebra_test64.cpp).
        if path.startswith(("tests/", "bench/", "nn/attention/")):
            continue
        for line, m in tree.lines(path, r"\b(?:make|row)<[\w, ]+>\(\s*\"(\w+)\""):
            if m.group(1) not in anywhere:
                yield f"{path}:{line}: row '{m.group(1)}' occurs in no test"


def check_test_names(tree):
    """Two cases of one name in one executable would run as one; a semicolon cuts a name in two where CMake registers it."""
    seen = {}
    for path in tree.named(".cpp", under="tests/"):
        folder = os.path.dirname(path)
        for line, m in tree.lines(path, r'\bTEST_CASE(?:_TEMPLATE)?\(\s*"((?:[^"\\]|\\.)*)"'):
            key = (folder, m.group(1).lower())
            if ";" in m.group(1):
                yield f"{path}:{line}: a test's name may not hold a semicolon: '{m.group(1)}'"
            if key in seen:
                yield f"{path}:{line}: test name used before: '{m.group(1)}', {seen[key]}"
            seen.setdefault(key, f"{path}:{line}")


# Documents whose tables of measured figures are remade by ./dev tables. A table counts as measured where a cell of its body, the
# first column aside, begins with a number. Tables written by hand that look like it have the line `<!-- by hand: REASON -->` above.
MEASURED_IN = ("docs/", "configs/README.md", "README.md", "bench/README.md", "nn/")
MEASURED = re.compile(r"^\s*(?:[-+~]\s*)?\d[\d.,]*(?![\w.-]*[a-z]{4})")
PROVENANCE = re.compile(r"^(Made|Not remade yet) by `\./dev tables (\w+)`(?:.|\n(?!\n))*\bcommit\b(?:.|\n(?!\n))*", re.M)


def check_tables(tree):
    """Measured tables stand between the markers of a definition, with processor, commit and command below."""
    folder, placed = "docs/tables/definitions/", {}
    for path in tree.named(".md"):
        if not path.startswith(MEASURED_IN):
            continue
        text = tree.text(path)
        blocks = [(m.start(), m.end(), m.group(1), m.group(2)) for m in
                  re.finditer(r"^<!-- table (\w+) -->\n((?:.|\n)*?)^<!-- end \1 -->$", text, re.M)]
        for begin, _, name, inner in blocks:
            line = text.count("\n", 0, begin) + 1
            placed[name] = path
            if f"{folder}{name}.py" not in tree.paths:
                yield f"{path}:{line}: table '{name}' has no definition {folder}{name}.py"
            said = PROVENANCE.search(inner)
            if not said or said.group(2) != name or not re.search(r"\b(?i:processor|xeon|cpu|cores?)\b", said.group(0)):
                yield f"{path}:{line}: table '{name}' does not say with which processor, commit and command it was made"
        for line, m in tree.lines(path, r"(?:^<!-- by hand: .+ -->\n\n?)?^\|.*\n\|[-| :]+\|\n((?:\|.*\n?)*)"):
            cells = [cell for row in m.group(1).splitlines() for cell in re.split(r"(?<!\\)\|", row)[2:-1]]
            inside = any(begin < m.start() < end for begin, end, _, _ in blocks)
            if any(MEASURED.search(cell) for cell in cells) and not inside and not m.group(0).startswith("<!-- by hand"):
                yield f"{path}:{line}: a table of measured figures without `<!-- table NAME -->` (docs/tables/README.md)"
    for path in tree.named(".py", under=folder):
        name, document = os.path.basename(path)[:-3], re.search(r'document="([^"]+)"', tree.text(path))
        if not document or placed.get(name) != document.group(1):
            yield f"{path}: its document has no markers `<!-- table {name} -->` and `<!-- end {name} -->`"


def check_tables_tool(tree):
    """./dev tables on planted runs."""
    done = subprocess.run([sys.executable, "tests/tables_test.py"], cwd=tree.root, capture_output=True, text=True)
    if done.returncode != 0:
        yield "docs/tables: " + (done.stderr.strip().splitlines() or ["tests/tables_test.py failed"])[-1]


def check_pictures_tool(tree):
    """./dev pictures on planted maps; every factor of attention has an entry in docs/attention.md."""
    done = subprocess.run([sys.executable, "tests/pictures_test.py"], cwd=tree.root, capture_output=True, text=True)
    if done.returncode != 0:
        said = [line for line in done.stderr.strip().splitlines() if re.match(r"\w*Error\b", line)]
        yield "docs/pictures: " + (said or done.stderr.strip().splitlines() or ["tests/pictures_test.py failed"])[-1]


CHECKS = {name[6:]: f for name, f in list(globals().items()) if name.startswith("check_")}

# For each check a breach: (file, text to put there). The text is added to the end of a file that exists.
BREACHES = {
    "include_directions": [("nn/planted.h", '#pragma once\n#include "data/task.h"\n'),
                           ("core/kernels/planted.h", '#pragma once\n#include "core/tensor.h"\n'),
                           ("optim/planted.cpp", '#include "train/learn/training.h"\n'),
                           ("train/learn/planted.cpp", '#include "train/show/report/report.h"\n'),
                           ("train/records/planted.h", '#pragma once\n#include "train/learn/step.h"\n'),
                           ("core/base/planted.cpp", '#include "core/tensor.h"\n'),
                           ("nn/planted.cpp", "#include <nlohmann/json.hpp>\n"),
                           ("core/planted.cpp", "#include <nlohmann/json_fwd.hpp>\n"),
                           ("data/planted.cpp", "#include <spdlog/spdlog.h>\n")],
    "precisions": [("data/planted.h", '#pragma once\n#include "core/real.h"\n'),
                   ("core/base/planted.h", '#pragma once\nnamespace attend::f64 {}\n'),
                   ("train/learn/planted.cpp", '#include "train/learn/training.h"\nnamespace attend::ATTEND_PRECISION {}\n'),
                   ("tests/train/planted_test64.cpp", '#include "train/learn/training.h"\n')],
    "one_json_reader": [("train/planted.cpp", "const Json j = Json::parse(text);\n"),
                        ("data/planted.cpp", "const auto j = nlohmann::ordered_json::parse(text);\n"),
                        ("train/run/planted.h", "nlohmann::json::sax_parse (text, &handler);\n")],
    "one_blas_seam": [("core/planted.cpp", "#include <cblas.h>\n")],
    "file_length": [("data/planted.cpp", "\n" * (MAX_LINES + 1))],
    "file_size": [("data/planted.bin", "0" * (MAX_KIB + 1) * 1024)],
    "headers_compile_alone": [("core/planted.h", "#pragma once\nstd::string missing_include();\n")],
    "warnings_not_silenced": [("core/planted.cpp", '#pragma GCC diagnostic ignored "-Wshadow"\n'),
                              ("CMakeLists.txt", "add_compile_options(-Wno-shadow)\n")],
    "nothing_unfinished": [("core/planted.cpp", "// TO" "DO: finish\n"), ("tests/core/planted_test.cpp", "CHECK(true" ");\n")],
    "machine_paths": [("configs/planted.json", '{"path": "/' 'work/data"}\n')],
    "sources_are_ascii": [("core/planted.cpp", "// caf\u00e9\n")],
    "folder_readmes": [("nn/planted/file.cpp", "\n")],
    "configs_described": [("configs/planted.json", "{}\n")],
    "links": [("docs/planted.md", "[gone](nowhere.md)\n")],
    "everything_tested": [("core/kernels/planted.h", "#pragma once\nextern Kernel<void(const real* x)> planted_kernel;\n"),
                          ("core/kernels/planted.h", "#pragma once\nvoid planted_function(const real* x);\n"),
                          ("optim/planted.cpp", 'auto row = Table::make<Options>("planted_row", "help", build);\n')],
    "tables": [("docs/planted.md", "| a | b |\n|---|---|\n| x | 1.5 ms |\n"),
               ("docs/planted.md", "<!-- table planted -->\n\n<!-- end planted -->\n"),
               ("bench/README.md", "\n<!-- table lab_start -->\n\nMade by `./dev tables lab_start`, on 2 cores.\n\n<!-- end lab_start -->\n"),
               ("docs/tables/definitions/planted.py", 'table = Table(document="README.md")\n')],
    "tables_tool": [("docs/tables/text.py", "\n\ndef provenance(name, runs, commands):\n    return ''\n")],
    "pictures_tool": [("docs/pictures/drawing.py", "\n\ndef draw(panels, title, made):\n    return ''\n"),
                      ("docs/options.md", "\n### score planted\n"), ("docs/attention.md", "\n<!-- picture score_dot -->\n")],
    "test_names": [("tests/core/planted_test.cpp", 'TEST_CASE("twice") {}\nTEST_CASE("Twice") {}\n'),
                   ("tests/data/planted_test.cpp", 'TEST_CASE("one; and two") {}\n')],
}


def self_test(tree):
    """Plants each breach in a copy and yields what was not found."""
    for missing in sorted(CHECKS.keys() - BREACHES.keys()):
        yield f"{missing}: has no breach to be tested with"
    with tempfile.TemporaryDirectory() as copy:
        for path in tree.paths:
            os.makedirs(os.path.dirname(os.path.join(copy, path)), exist_ok=True)
            shutil.copyfile(os.path.join(tree.root, path), os.path.join(copy, path))
        for name, breaches in BREACHES.items():
            for path, text in breaches:
                planted = os.path.join(copy, path)
                os.makedirs(os.path.dirname(planted), exist_ok=True)
                before = open(planted, encoding="utf-8").read() if os.path.exists(planted) else None
                with open(planted, "w", encoding="utf-8") as f:
                    f.write((before or "") + text)
                subject = Tree(copy)
                if name == "headers_compile_alone":  # one compilation is enough here
                    subject.paths = [path]
                marker = os.path.dirname(path) if name in ("folder_readmes", "tables_tool", "pictures_tool") else path
                if not any(marker in problem for problem in CHECKS[name](subject)):
                    yield f"{name}: did not see what was planted in {path}"
                if before is None:
                    os.remove(planted)
                else:
                    with open(planted, "w", encoding="utf-8") as f:
                        f.write(before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--only", choices=CHECKS)
    arguments = parser.parse_args()
    tree = Tree(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    chosen = {arguments.only: CHECKS[arguments.only]} if arguments.only else dict(CHECKS)
    if arguments.self_test:
        chosen["self_test"] = self_test
    passed = failed = 0
    for name, check in chosen.items():
        problems = list(check(tree))
        failed, passed = failed + bool(problems), passed + (not problems)
        print("\n".join(f"FAIL {name}: {p}" for p in problems) or f"ok {name}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
