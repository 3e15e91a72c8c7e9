#!/usr/bin/env python3
"""talk.py COLUMNS COMMAND... - runs a command on a terminal of its own, as a person would.

Standard input says what to do, one thing a line:

    see TEXT     wait until TEXT appears after what was seen before
    type TEXT    type it, with Enter
    press X      press Ctrl and that letter

What appears goes to standard output. Ends as the command does; with 99 where something that
was to be seen did not come, and ends the command then.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

DEADLINE = 30


def main():
    columns, command = int(sys.argv[1]), sys.argv[2:]
    steps = [line.rstrip("\n") for line in sys.stdin]
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    seen = b""

    def take(deadline):
        """Whether there was something before the deadline; at the end of all, None."""
        nonlocal seen
        ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            piece = os.read(master, 4096)
        except OSError:
            piece = b""
        if not piece:
            return None
        seen += piece
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return True

    def give_up(words):
        sys.stderr.write("talk: %s\n" % words)
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        sys.exit(99)

    for step in steps:
        verb, _, text = step.partition(" ")
        deadline = time.monotonic() + DEADLINE
        if verb == "see":
            while text.encode() not in seen:
                if not take(deadline):
                    give_up("'%s' did not appear" % text)
            seen = seen[seen.index(text.encode()) + len(text.encode()):]
        elif verb == "type":
            os.write(master, text.encode() + b"\n")
        elif verb == "press":
            os.write(master, bytes([ord(text) & 0x1f]))
        else:
            give_up("what is '%s'?" % step)
    deadline = time.monotonic() + DEADLINE
    while True:
        more = take(deadline)
        if more is None:
            break
        if not more:
            give_up("it does not end")
    _, status = os.waitpid(pid, 0)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


main()
