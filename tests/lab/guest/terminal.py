#!/usr/bin/env python3
"""A terminal that knows when each of its screens was there.

    terminal.py COLUMNS ROWS PROGRAM [ARGUMENT...]

Runs the program and reads orders, one a line; answers each with one line:
    await SECONDS TEXT   since when the screen has the text, in seconds since 1970; or: never
    gone SECONDS TEXT    since when it has not
    press KEYS           when the keys were sent
    screen FILE          writes what the screen shows
It knows as much of a terminal as ratatui writes: where text goes, and what is cleared.
"""
import codecs, fcntl, os, pty, re, select, signal, struct, sys, termios, time

COLUMNS, ROWS = int(sys.argv[1]), int(sys.argv[2])
TOKEN = re.compile(r"\x1b\[([?>]?)([0-9;]*)([A-Za-z@`])|\x1b[^\[]|([\r\n\b])|([^\x1b\r\n\b]+)", re.S)


class Screen:
    def __init__(self):
        self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.rest = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.past = [(0.0, "")]

    def feed(self, data, moment):
        text, self.rest = self.rest + self.decoder.decode(data), ""
        cut = text.rfind("\x1b")
        if cut >= 0 and not TOKEN.match(text, cut):
            text, self.rest = text[:cut], text[cut:]
        for token in TOKEN.finditer(text):
            self.apply(token)
        shown = "\n".join("".join(row) for row in self.cells)
        self.past = self.past[-4000:] + [(moment, shown)]

    def apply(self, token):
        private, numbers, command, control, plain = token.groups()
        if plain:
            for letter in plain:
                if self.row < ROWS and self.column < COLUMNS:
                    self.cells[self.row][self.column] = letter
                self.column += 1
        elif control == "\r":
            self.column = 0
        elif control == "\n":
            self.row += 1
        elif command == "H":
            place = [int(number or 1) for number in (numbers + ";").split(";")[:2]]
            self.row, self.column = place[0] - 1, (place[1] if len(place) > 1 else 1) - 1
        elif command == "J":
            self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        elif command == "K":
            self.cells[self.row][self.column:] = [" "] * (COLUMNS - self.column)

    def since(self, holds):
        """Since when it holds without a break; None where it does not now."""
        began = None
        for moment, shown in reversed(self.past):
            if not holds(shown):
                break
            began = moment
        return began


def start():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "screen"
        time.sleep(0.3)  # until it has its size
        os.execvp(sys.argv[3], sys.argv[3:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    return pid, terminal


def read(terminal, screen, seconds):
    ready, _, _ = select.select([terminal], [], [], seconds)
    moment = time.time()
    if ready:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:
            data = b""
        screen.feed(data, moment)
        return bool(data)
    return True


def obey(order, terminal, screen):
    word, _, rest = order.partition(" ")
    if word == "press":
        os.write(terminal, rest.encode())
        return "%.6f" % time.time()
    if word == "screen":
        with open(rest, "w") as file:
            file.write(screen.past[-1][1] + "\n")
        return "written"
    seconds, _, text = rest.partition(" ")
    until = time.time() + float(seconds)
    holds = (lambda shown: text in shown) if word == "await" else (lambda shown: text not in shown)
    while True:
        began = screen.since(holds)
        if began is not None:
            return "%.6f" % began
        if time.time() > until or not read(terminal, screen, 0.05):
            return "never"


def main():
    pid, terminal = start()
    screen, orders = Screen(), b""
    while True:
        ready, _, _ = select.select([terminal, 0], [], [])
        if terminal in ready and not read(terminal, screen, 0):
            break
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                break
            orders += data
            while b"\n" in orders:
                order, _, orders = orders.partition(b"\n")
                print(obey(order.decode(), terminal, screen), flush=True)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass


main()
