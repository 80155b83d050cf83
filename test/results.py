"""Runs the programs that tests are and reads how many checks passed, failed and were skipped.

Each function shows the output and returns these three numbers; FAILED has the names of what failed.
"""

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
JOBS = os.environ.get("JOBS", str(os.cpu_count()))


# Names of what failed so far, said once more at the end: a long output is read from there.
FAILED = []

# A test that waits for what never comes fails after so many seconds; the longest takes a tenth.
PATIENCE = 900


def run(command, patience=None, **options):
    """Runs a command without input, shows and returns its output and its exit code.

    In the main thread the output is shown as it comes, in others at the end, in one piece. After `patience` seconds
    the command and what it started are ended, which is a line of the output.
    """
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               errors="replace", start_new_session=True, **options)
    late = threading.Event()

    def end():
        late.set()
        os.killpg(process.pid, signal.SIGKILL)
    timer = threading.Timer(patience or threading.TIMEOUT_MAX, end)
    timer.daemon = True
    timer.start()
    shows = threading.current_thread() is threading.main_thread()
    lines = []
    try:
        for line in process.stdout:
            if shows:
                print(line, end="", flush=True)
            lines.append(line)
        code, text = process.wait(), "".join(lines)
    finally:
        timer.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
    if not shows:
        print(text, end="", flush=True)
    if late.is_set():
        print(f"{' '.join(map(str, command))}: not done after {patience} s", flush=True)
    return code, text


def name_failures(pattern, text, command, code):
    """Adds what the pattern's group finds in an output to FAILED; if it finds nothing, how the command ended."""
    names = re.findall(pattern, text, re.MULTILINE)
    FAILED.extend(dict.fromkeys(names) or [f"{' '.join(map(str, command[:3]))}: exit code {code}"])


def total(results):
    return tuple(sum(column) for column in zip((0, 0, 0), *results, strict=True))


def run_side_by_side(function, arguments):
    """The sum of a function's results, of several arguments at a time."""
    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        return total(pool.map(function, arguments))


def single(command, **options):
    """A command that passes or fails as a whole."""
    code, text = run(command, **options)
    if code:
        name_failures(r"^([^\s:]+:\d+: .*|[^\s:]+:\d+:\d+: error: .*)$", text, command, code)
    return (1, 0, 0) if code == 0 else (0, 1, 0)


def build_folder(preset):
    return os.path.join(ROOT, {"release": "build"}.get(preset, "build-" + preset))


def configure(preset):
    """Whether there is a build folder, up to date with the lists of files in CMakeLists.txt."""
    folder = build_folder(preset)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        command = ["cmake", "--preset", preset]
        code, text = run(command)
        if code:
            name_failures(r"^(CMake Error.*)$", text, command, code)
        return code == 0
    quiet = subprocess.run(["ninja", "-C", folder, "build.ninja"], check=False, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    if quiet.returncode:
        print(quiet.stdout, end="")
        name_failures(r"^(CMake Error.*)$", quiet.stdout, quiet.args, quiet.returncode)
    return quiet.returncode == 0


def build(preset, *targets):
    """Whether everything, or these targets, builds without warnings."""
    if not configure(preset):
        return False
    command = ["ninja", "-C", build_folder(preset), "-j", JOBS, *targets]
    code, text = run(command)
    warnings = re.findall(r"^/\S+: warning: .*$", text, re.MULTILINE)
    if code or warnings:
        name_failures(r"^(FAILED: .*|/\S+: (?:fatal )?(?:error|warning): .*)$", text, command, code)
    return code == 0 and not warnings


def googletest(binary, *flags, **environment):
    """One GoogleTest program. A filter that no test matches has failed."""
    command = [binary, "--gtest_brief=1", *flags]
    code, text = run(command, PATIENCE, env={**os.environ, **environment})

    def count(kind):
        match = re.search(r"\[\s+%s\s+\] (\d+) test" % kind, text)
        return int(match.group(1)) if match else 0
    passed, failed, skipped = count("PASSED"), count("FAILED"), count("SKIPPED")
    if not failed and (code or not passed + skipped):
        failed = 1  # it crashed, or did nothing
    if failed:
        name_failures(r"^\[  FAILED  \] (\w\S*\.\S+\b)", text, command, code)
    return passed, failed, skipped


def unittests(command):
    """Python's unittest."""
    code, text = run(command, PATIENCE)

    def count(kind):
        match = re.search(r"\b%s=(\d+)" % kind, text)
        return int(match.group(1)) if match else 0
    ran = re.search(r"^Ran (\d+) test", text, re.MULTILINE)
    failed = count("failures") + count("errors")
    if not failed and (code or not ran or ran.group(1) == "0"):
        failed = 1
    if failed:
        name_failures(r"^(?:FAIL|ERROR): (.+)$", text, command, code)
    skipped = count("skipped")
    return max((int(ran.group(1)) if ran else 0) - failed - skipped, 0), failed, skipped


def checklist(command):
    """A script that prints a line for every check."""
    code, text = run(command, PATIENCE)

    def count(word):
        return len(re.findall(r"^%s" % word, text, re.MULTILINE))
    failed = count("FAIL ")
    if not failed and (code or not count("ok ")):
        failed = 1
    if failed:
        name_failures(r"^FAIL +(.+)$", text, command, code)
    return count("ok "), failed, count("skipped: ")


def run_lit(*paths, flags=(), **environment):
    """lit; says which tests were skipped."""
    lit = os.path.join(os.path.dirname(sys.executable), "lit")
    command = [lit, "-sv", "--show-unsupported", f"--timeout={PATIENCE}", "-j", JOBS, *flags, *paths]
    code, text = run(command, env={**os.environ, **environment})

    def count(*kinds):
        return sum(int(number) for kind in kinds
                   for number in re.findall(r"^\s*%s\s*:\s*(\d+)" % kind, text, re.MULTILINE))
    passed = count("Passed", "Passed With Retry")
    failed = count("Failed", "Unresolved", "Timed Out", "Unexpectedly Passed")
    if code and not failed:
        failed = 1
    if failed:
        name_failures(r"^(?:FAIL|TIMEOUT|UNRESOLVED|XPASS): .* :: (\S+)", text, command, code)
    return passed, failed, count("Unsupported", "Skipped")
