"""Types lines into psql at a terminal, presses Tab behind each, and prints what stands there then."""
import os
import pty
import re
import select
import sys
import time

PROMPT = "ready> "
SECONDS_MAX = 10


def read_until(fd, done):
    text = ""
    end = time.monotonic() + SECONDS_MAX
    while not done(text):
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise SystemExit("psql did not answer: " + repr(text))
        text += os.read(fd, 65536).decode()
    return text


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x07|\r", "", text)


def complete(line):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "dumb", "INPUTRC": "/dev/null", "LC_ALL": "C", "COLUMNS": "200"})
        os.execvp("psql", ["psql", "-X", "-v", "PROMPT1=" + PROMPT, sys.argv[1]])
    read_until(fd, lambda text: PROMPT in text)
    os.write(fd, (line + "\t").encode())
    # A word that is complete ends with a space; a bell says that there is none.
    text = read_until(fd, lambda text: "\x07" in text or (line in plain(text) and plain(text).endswith(" ")))
    os.close(fd)
    os.waitpid(pid, 0)
    return plain(text).strip()


for line in sys.stdin.read().splitlines():
    print(complete(line), flush=True)
