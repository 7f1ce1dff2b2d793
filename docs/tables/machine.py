"""Where and when a command ran: processor, commit, date. Standard library only."""
import datetime
import os
import re
import subprocess


def instruction_set(flags):
    """The widest vector instructions of a list of processor flags that the kernels tell apart (core/kernels/targets.h)."""
    for flag, name in (("avx512_bf16", "AVX-512 with bf16"), ("avx512f", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON")):
        if flag in flags:
            return name
    return "no vector instructions that are used"


def processor(text=None):
    """One line: name, family and model, cores, instruction set. `text` is that of /proc/cpuinfo."""
    if text is None:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            text = file.read()
    first = dict(re.findall(r"^([^\t:\n]+?)\s*: (.*)$", text.split("\n\n")[0], re.M))
    cores = len(re.findall(r"^processor\s*:", text, re.M))
    if "model name" in first:
        name = f"{first['model name']} (family {first.get('cpu family', '?')}, model {first.get('model', '?')})"
    else:  # ARM
        name = f"processor of implementer {first.get('CPU implementer', '?')}, part {first.get('CPU part', '?')}"
    flags = (first.get("flags") or first.get("Features") or "").split()
    return f"{name}, {cores} core{'' if cores == 1 else 's'}, {instruction_set(flags)}"


def commit(root):
    """The commit that is checked out, with "+changes" where a file under version control differs from it; Markdown and
    pictures do not count, because they are what is made."""
    def git(*words):
        return subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=True).stdout.strip()
    try:
        name = git("rev-parse", "--short=12", "HEAD")
        return name + ("+changes" if git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!*.md", ":!*.svg") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def now(root, command):
    """What is recorded of a command that runs now."""
    # The mean of the last minute, when the command begins. The step before keeps at most all cores busy: more is other work.
    crowded = os.getloadavg()[0] > (os.cpu_count() or 1) + 1
    return {"cpu": processor(), "commit": commit(root), "date": datetime.date.today().isoformat(), "command": command,
            "crowded": crowded}
