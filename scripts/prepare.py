"""Make .venv and install one of the lock files into it, saying what goes on: ``python3 scripts/prepare.py core|test|dev``.

Run by the machine's own Python before anything is installed, so: the standard library only, and old enough in its grammar
to tell an old Python what is wrong.
"""

import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOG = os.path.join(VENV, "install.log")
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


def pip(arguments, steps):
    """Run pip with a line of progress every few packages; its whole output goes to .venv/install.log."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", "off", *arguments]
    done, errors = 0, []
    with open(LOG, "a") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in process.stdout:
            log.write(line)
            if line.lower().startswith("error"):
                errors.append(line.strip())
            if line.startswith(("Collecting ", "Requirement already")):
                done += 1
                if done % 15 == 0 and line.startswith("Collecting "):
                    print(f"  {done} of {steps} packages fetched", flush=True)
            elif line.startswith("Installing collected"):
                print("  unpacking", flush=True)
    if process.wait() != 0:
        fail(
            "pip could not install: %s (the whole story: .venv/install.log)"
            % (errors[-1] if errors else "no reason given")
        )


def install(kind):
    lock = os.path.join("requirements", kind + ".lock")
    with open(os.path.join(ROOT, lock)) as text:
        steps = sum("==" in line for line in text)
    started = time.time()
    print(f"Installing {steps} packages from {lock}, each checked by its hash", flush=True)
    pip(["--require-hashes", "--no-deps", "-r", lock], steps)
    pip(["--no-deps", "--no-build-isolation", "--quiet", "-e", "."], 1)
    print(f"Installed in {time.time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    check_python()
    make_venv()
    install(sys.argv[1])
